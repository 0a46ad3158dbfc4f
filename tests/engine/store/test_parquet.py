"""Any tool reads our tables, and we notice every flipped bit in them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pagemill.engine.errors import ShardError
from pagemill.engine.store import parquet
from pagemill.engine.store.place import Place

TABLE = pa.table({"n": [1, 2, 3], "text": ["a", "crc32c=00000000", "ü"]})


def test_rows_and_facts_come_back(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    parquet.write(place, "t.parquet", TABLE, schema="s.1", about={"shard": "x"})
    table, about = parquet.read(place, "t.parquet", schema="s.1")
    assert table.equals(TABLE)
    assert (about["schema"], about["shard"]) == ("s.1", "x")
    assert parquet.read(place, "t.parquet", schema="s.1", columns=["n"])[0].column_names == ["n"]


def test_other_tools_read_it(tmp_path: Path) -> None:
    parquet.write(Place.at(str(tmp_path)), "t.parquet", TABLE, schema="s.1")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.to_pydict() == TABLE.to_pydict()
    assert table.schema.metadata[b"pagemill.schema"] == b"s.1"


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    for name in ("a", "b"):
        parquet.write(place, name, TABLE, schema="s.1")
    assert place.read_bytes("a") == place.read_bytes("b")


def test_every_flip_and_every_cut_is_refused(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    parquet.write(place, "t", TABLE, schema="s.1")
    data = place.read_bytes("t")
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        (tmp_path / "t").write_bytes(damaged)
        with pytest.raises(ShardError, match="damaged"):
            parquet.read(place, "t", schema="s.1")
    for size in range(0, len(data), 13):
        (tmp_path / "t").write_bytes(data[:size])
        with pytest.raises(ShardError, match="damaged"):
            parquet.read(place, "t", schema="s.1")


def test_a_missing_file_and_another_schema_are_named(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    with pytest.raises(ShardError, match="missing"):
        parquet.read(place, "t", schema="s.1")
    parquet.write(place, "t", TABLE, schema="s.2")
    with pytest.raises(ShardError, match=r"'s\.2'; this version reads 's\.1'"):
        parquet.read(place, "t", schema="s.1")
