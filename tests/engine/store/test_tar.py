"""The scan goes on behind damage, with an index and without one."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.store.tar import BLOCK_BYTES, Damage, TarMember, header, member_bytes, scan

members = st.lists(st.binary(min_size=1, max_size=1200), min_size=2, max_size=6)


def tar_of(content: list[bytes]) -> tuple[bytes, dict[int, tuple[str, int]]]:
    body, index = b"", {}
    for number, data in enumerate(content):
        name = f"k{number}.png"
        index[len(body)] = (name, len(data))
        body += header(name, len(data)) + data + bytes(-len(data) % BLOCK_BYTES)
    return body + bytes(1024), index


@given(members)
def test_members_come_in_order_with_their_offsets(content: list[bytes]) -> None:
    data, index = tar_of(content)
    found = list(scan(io.BytesIO(data)))
    assert [(item.offset, (item.name, len(item.data))) for item in found] == list(index.items())
    assert [item.data for item in found] == content
    assert all(item.canonical and item.header_ok and item.padding_ok for item in found)


@given(members, st.data())
def test_a_damaged_header_costs_one_member(content: list[bytes], draw: st.DataObject) -> None:
    data, index = tar_of(content)
    victim = draw.draw(st.integers(0, len(content) - 1))
    start = list(index)[victim]
    position = start + draw.draw(st.integers(0, 499))
    damaged = bytearray(data)
    damaged[position] ^= 64

    known = list(scan(io.BytesIO(damaged), index))
    assert [item.data for item in known] == content
    assert [item.header_ok for item in known] == [n != victim for n in range(len(content))]

    blind = list(scan(io.BytesIO(damaged)))
    assert [item.data for item in blind if isinstance(item, TarMember)] == [
        item for number, item in enumerate(content) if number != victim
    ]
    assert [item.offset for item in blind if isinstance(item, Damage)] == [start]


@given(members)
def test_a_zeroed_header_is_not_the_end(content: list[bytes]) -> None:
    content[1] = b"\1" + content[1]
    data, index = tar_of(content)
    start = list(index)[1]
    damaged = data[:start] + bytes(BLOCK_BYTES) + data[start + BLOCK_BYTES :]
    found = list(scan(io.BytesIO(damaged), index))
    assert [item.data for item in found] == content
    assert [item.header_ok for item in found] == [n != 1 for n in range(len(content))]


@given(members, st.data())
def test_a_cut_is_one_damage_after_all_whole_members(
    content: list[bytes], draw: st.DataObject
) -> None:
    data, index = tar_of(content)
    size = draw.draw(st.integers(0, len(data) - BLOCK_BYTES - 1))
    *whole, damage = scan(io.BytesIO(data[:size]), index)
    ends = [start + member_bytes(length) for start, (_, length) in index.items()]
    assert [item.data for item in whole] == content[: sum(end <= size for end in ends)]
    assert isinstance(damage, Damage)
    at_member = size in (0, *ends) or size > ends[-1]
    assert damage.kind == ("cut_at_member" if at_member else "cut_in_member")
