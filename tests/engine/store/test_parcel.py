"""A parcel is whole or refused."""

from __future__ import annotations

import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path

import google_crc32c
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ShardError
from pagemill.engine.record import PageFacts, PageTiming
from pagemill.engine.store.parcel import PageEntry, ParcelMeta, ParcelWriter, read_blob, read_meta
from pagemill.engine.store.place import Place

ENTRY = PageEntry(
    page_index=0,
    kept=True,
    facts=PageFacts(width=3, height=4, region_chars=(5, 6), verdict="trusted"),
    timing=PageTiming(render=1.5),
    image_bytes=7,
)


def meta_of(pages: int, message: str = "") -> ParcelMeta:
    entries = tuple(replace(ENTRY, page_index=number) for number in range(pages))
    return ParcelMeta(sha256="ab", size=9, page_count=pages, message=message, pages=entries)


def write(place: Place, blobs: list[bytes], meta: ParcelMeta) -> list[tuple[int, int]]:
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
    meta = meta_of(len(blobs), text)
    spans = write(place, blobs, meta)
    assert read_meta(place, "parcels/one") == meta
    assert [read_blob(place, "parcels/one", *span) for span in spans] == blobs


def test_parcels_on_s3(s3_uri: str) -> None:
    place = Place.at(s3_uri)
    spans = write(place, [b"a" * 1000, b"", b"b"], meta_of(2_000))
    assert read_meta(place, "parcels/one") == meta_of(2_000)
    assert read_blob(place, "parcels/one", *spans[0]) == b"a" * 1000


def test_a_large_meta_is_read_whole(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    write(place, [b"x"], meta_of(2_000))
    assert read_meta(place, "parcels/one") == meta_of(2_000)


def test_every_cut_and_every_flip_in_the_footer_is_refused(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    spans = write(place, [b"blob" * 10], meta_of(1))
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
    write(place, [b"abc"], meta_of(0))
    with pytest.raises(ShardError, match="ends inside"):
        read_blob(place, "parcels/one", 0, 10_000)


def test_a_parcel_of_the_version_before_is_read_and_one_of_a_later_version_refused(
    tmp_path: Path,
) -> None:
    """Until 0.4 the facts of a page were an open object, empty for pages that failed."""
    place = Place.at(str(tmp_path))
    write(place, [b"x"], meta_of(2))
    data = place.read_bytes("parcels/one")
    footer = orjson.loads(data[1:-24])
    footer["pages"][0]["facts"] = {}
    footer["pages"][1]["facts"] = {"width": 3, "height": 4}
    place.write_bytes("parcels/one", sealed(b"x", footer))
    first, second = read_meta(place, "parcels/one").pages
    assert (first.facts, second.facts) == (PageFacts(), PageFacts(width=3, height=4))
    footer["pages"][0]["mood"] = "fine"
    place.write_bytes("parcels/one", sealed(b"x", footer))
    with pytest.raises(ShardError, match="another version"):
        read_meta(place, "parcels/one")


def sealed(blobs: bytes, footer: object) -> bytes:
    """A parcel as it lies on the disk."""
    meta = orjson.dumps(footer)
    tail = struct.pack("<IIQ8s", google_crc32c.value(meta), 0, len(meta), b"PMPARCL1")
    return blobs + meta + tail


def test_pages_are_found_by_their_index() -> None:
    pages = tuple(replace(ENTRY, page_index=index) for index in (1, 4, 6))
    meta = replace(meta_of(0), pages=pages)
    assert meta.page(4) is pages[1]
    for absent in (0, 3, 7):
        with pytest.raises(KeyError):
            meta.page(absent)


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
