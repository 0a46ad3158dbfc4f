"""A parcel is whole or refused."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ShardError
from pagemill.engine.store.parcel import ParcelWriter, read_blob, read_meta
from pagemill.engine.store.place import Place


def write(place: Place, blobs: list[bytes], meta: dict[str, object]) -> list[tuple[int, int]]:
    path = place.scratch_dir() / "one"
    writer = ParcelWriter(path)
    spans = [writer.add(blob) for blob in blobs]
    writer.close(meta)
    place.put(path, "parcels/one")
    return spans


@given(
    blobs=st.lists(st.binary(max_size=300), max_size=20),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
)
def test_blobs_and_meta_come_back(
    tmp_path_factory: pytest.TempPathFactory, blobs: list[bytes], text: str
) -> None:
    place = Place.at(str(tmp_path_factory.mktemp("parcel")))
    meta = {"text": text, "count": len(blobs)}
    spans = write(place, blobs, meta)
    assert read_meta(place, "parcels/one") == meta
    assert [read_blob(place, "parcels/one", *span) for span in spans] == blobs


def test_parcels_on_s3(s3_uri: str) -> None:
    place = Place.at(s3_uri)
    spans = write(place, [b"a" * 1000, b"", b"b"], {"pages": list(range(50_000))})
    assert read_meta(place, "parcels/one") == {"pages": list(range(50_000))}
    assert read_blob(place, "parcels/one", *spans[0]) == b"a" * 1000


def test_a_large_meta_is_read_whole(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    meta = {"rows": [f"row {n}" for n in range(20_000)]}
    write(place, [b"x"], meta)
    assert read_meta(place, "parcels/one") == meta


def test_every_cut_and_every_flip_in_the_footer_is_refused(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    spans = write(place, [b"blob" * 10], {"pages": 3})
    data = place.read_bytes("parcels/one")
    for size in range(len(data)):
        place.write_bytes("parcels/one", data[:size])
        with pytest.raises(ShardError):
            read_meta(place, "parcels/one")
    footer = spans[0][1]
    for position in range(footer, len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1
        place.write_bytes("parcels/one", bytes(damaged))
        with pytest.raises(ShardError, match="parcels/one"):
            read_meta(place, "parcels/one")


def test_a_missing_parcel_and_a_blob_past_its_end_are_refused(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    with pytest.raises(ShardError, match="not there"):
        read_meta(place, "parcels/none")
    with pytest.raises(ShardError, match="not there"):
        read_blob(place, "parcels/none", 0, 1)
    write(place, [b"abc"], {})
    with pytest.raises(ShardError, match="ends inside"):
        read_blob(place, "parcels/one", 0, 10_000)


def test_an_aborted_parcel_leaves_no_file(tmp_path: Path) -> None:
    writer = ParcelWriter(tmp_path / "one")
    writer.add(b"x")
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_pages(tmp_path: Path) -> None:
    page = bytes(100_000)
    writer = ParcelWriter(tmp_path / "one")
    tracemalloc.start()
    for _ in range(500):
        writer.add(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    writer.abort()
    assert peak < 1_000_000
