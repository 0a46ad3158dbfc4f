"""/UserUnit of a page, which poppler does not tell: read out of the page that it cuts out.

Most files have none, and a scan of the bytes says so. Names stand in the clear even in
encrypted files, unless they are in compressed object streams; those are unpacked here where
they are not encrypted, and taken to hold one where they are.
"""

from __future__ import annotations

import mmap
import re
import tempfile
import zlib
from pathlib import Path

from .program import run

_KEY = b"/UserUnit"
_OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
_VALUE = re.compile(rb"/Type\s*/Page\b(?!s).*?/UserUnit\s+([\d.]+)", re.DOTALL)
_UNPACKED_BYTES = 16 << 20
_DEADLINE_S = 30.0


def uses_user_unit(path: Path) -> bool:
    """Whether some page of a PDF may have a /UserUnit."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find(_KEY) >= 0:
            return True
        if data.find(b"/ObjStm") < 0:
            return False
        if data.find(b"/Encrypt") >= 0:
            return True
        return any(_KEY in _unpacked(data, match.end()) for match in _OBJECT_STREAM.finditer(data))


def _unpacked(data: mmap.mmap, start: int) -> bytes:
    unpacker = zlib.decompressobj()
    parts: list[bytes] = []
    room = _UNPACKED_BYTES
    try:
        while room > 0 and not unpacker.eof and start < len(data):
            parts.append(unpacker.decompress(data[start : start + 65536], room))
            room -= len(parts[-1])
            start += 65536
    except zlib.error:  # another filter, or a damaged stream: what came before it counts
        pass
    return b"".join(parts)


def user_unit_of(path: Path, page_index: int) -> float:
    """The page's /UserUnit; 1 where it has none or cannot be cut out (a password is needed)."""
    page = str(page_index + 1)
    with tempfile.TemporaryDirectory(prefix="pagemill-") as folder:
        target = Path(folder) / "page.pdf"
        command = ["pdfseparate", "-f", page, "-l", page, str(path), str(target)]
        ended = run(command, deadline_s=_DEADLINE_S, limit_bytes=1 << 16)
        if ended.status or not target.exists():
            return 1.0
        match = _VALUE.search(target.read_bytes())
    unit = float(match.group(1)) if match else 1.0
    return unit if unit > 0 else 1.0
