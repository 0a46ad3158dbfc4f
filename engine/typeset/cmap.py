"""Which characters a font file has a glyph for, read from its `cmap` table.

Source: OpenType 1.9, `cmap`, subtable formats 4 and 12.
"""

from __future__ import annotations

import struct

_UNICODE = {(3, 10): 0, (0, 6): 1, (0, 4): 2, (3, 1): 3, (0, 3): 4, (0, 2): 5, (0, 1): 6, (0, 0): 7}
"""(platform, encoding) to its rank: full tables before those of the first plane."""


def characters(data: bytes) -> frozenset[int]:
    """Code points that a TrueType or OpenType file maps to a glyph; empty where it has no map.

    Raises:
        ValueError: not such a file, or a damaged one.
    """
    try:
        return _characters(data)
    except (struct.error, IndexError) as err:
        raise ValueError(f"the font file is damaged: {err}") from err


def _characters(data: bytes) -> frozenset[int]:
    if data[:4] not in (b"\0\1\0\0", b"OTTO", b"true"):
        raise ValueError(f"a font file starts with {data[:4]!r}; wanted is TrueType or OpenType")
    (tables,) = struct.unpack_from(">H", data, 4)
    for number in range(tables):
        tag, _, start, _ = struct.unpack_from(">4sLLL", data, 12 + 16 * number)
        if tag == b"cmap":
            return _best_map(data, start)
    return frozenset()


def _best_map(data: bytes, start: int) -> frozenset[int]:
    (count,) = struct.unpack_from(">H", data, start + 2)
    found: list[tuple[int, int]] = []
    for number in range(count):
        platform, encoding, offset = struct.unpack_from(">HHL", data, start + 4 + 8 * number)
        rank = _UNICODE.get((platform, encoding))
        (kind,) = struct.unpack_from(">H", data, start + offset)
        if rank is not None and kind in (4, 12):
            found.append((rank, start + offset))
    if not found:
        return frozenset()
    at = min(found)[1]
    (kind,) = struct.unpack_from(">H", data, at)
    return frozenset(_format_4(data, at) if kind == 4 else _format_12(data, at))


def _format_4(data: bytes, at: int) -> list[int]:
    (twice,) = struct.unpack_from(">H", data, at + 6)
    count = twice // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + twice)
    deltas = struct.unpack_from(f">{count}H", data, at + 16 + 2 * twice)
    ranges_at = at + 16 + 3 * twice
    ranges = struct.unpack_from(f">{count}H", data, ranges_at)
    codes = []
    for number, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if ranges[number]:
                place = ranges_at + 2 * number + ranges[number] + 2 * (code - first)
                (glyph,) = struct.unpack_from(">H", data, place)
                if not glyph:
                    continue
            if (glyph + deltas[number]) & 0xFFFF:
                codes.append(code)
    return codes


def _format_12(data: bytes, at: int) -> list[int]:
    (groups,) = struct.unpack_from(">L", data, at + 12)
    codes: list[int] = []
    for number in range(groups):
        first, last, glyph = struct.unpack_from(">LLL", data, at + 16 + 12 * number)
        codes += range(first + (glyph == 0), min(last, 0x10FFFF) + 1)
    return codes
