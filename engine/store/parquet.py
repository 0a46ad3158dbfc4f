"""Parquet files that know their own checksum: any tool reads them, ours notices every bit.

Parquet's page checksums do not cover its footer, where a flipped bit can turn a column's type
or offset. So the footer's metadata carry a crc32c of the whole file, taken with its own digits
as zeros.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import google_crc32c
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import ShardError
from .place import Place

_PREFIX = "pagemill."
_SEAL = b"crc32c="
_BLANK = b"0" * 8


def write(
    place: Place, rel: str, table: pa.Table, *, schema: str, about: Mapping[str, str] | None = None
) -> None:
    """Write a table, atomically; the same table gives the same bytes.

    Args:
        place: the corpus.
        rel: the file's path in it.
        table: the rows.
        schema: name and version of the columns.
        about: further facts for the file's metadata.
    """
    entries = {"schema": schema, **(about or {}), "seal": (_SEAL + _BLANK).decode()}
    named = {_PREFIX + name: value for name, value in entries.items()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(named), sink, compression="zstd")
    data = bytearray(sink.getvalue())
    start = data.rindex(_SEAL) + len(_SEAL)
    data[start : start + len(_BLANK)] = b"%08x" % google_crc32c.value(bytes(data))
    place.write_bytes(rel, bytes(data))


def read(
    place: Place, rel: str, *, schema: str, columns: Sequence[str] | None = None
) -> tuple[pa.Table, dict[str, str]]:
    """The table, and the facts that were written beside it.

    Raises:
        ShardError: the file is missing, damaged or of another schema.
    """
    try:
        data = place.read_bytes(rel)
    except FileNotFoundError as err:
        raise ShardError(f"{rel} is missing from {place.uri}", key=rel) from err
    if not _sealed(data):
        raise ShardError(f"{rel} in {place.uri} is damaged: its checksum differs", key=rel)
    try:
        source = pa.BufferReader(data)
        # Not `read_table`: threads of its scanner may outlive it and abort a process that ends.
        with pq.ParquetFile(source) as file:
            table = file.read(None if columns is None else list(columns), use_threads=False)
    except (pa.ArrowException, OSError) as err:
        raise ShardError(f"{rel} in {place.uri} cannot be read: {err}", key=rel) from err
    about = {
        name.decode().removeprefix(_PREFIX): value.decode()
        for name, value in (table.schema.metadata or {}).items()
        if name.decode().startswith(_PREFIX)
    }
    if about.get("schema") != schema:
        message = f"{rel} in {place.uri} has the schema {about.get('schema')!r}"
        raise ShardError(f"{message}; this version reads {schema!r}", key=rel)
    return table.replace_schema_metadata(None), about


def _sealed(data: bytes) -> bool:
    start = data.rfind(_SEAL) + len(_SEAL)
    if start < len(_SEAL):
        return False
    digits = data[start : start + len(_BLANK)]
    crc = google_crc32c.extend(0, data[:start])
    crc = google_crc32c.extend(crc, _BLANK)
    crc = google_crc32c.extend(crc, data[start + len(_BLANK) :])
    return digits == b"%08x" % crc
