"""Make `reference.npz`: what characters look like, measured from free fonts.

    python tools/make_reference.py engine/verdict/reference.npz

Run once by a developer, with the Debian packages fonts-dejavu, fonts-liberation,
fonts-noto-core, fonts-noto-cjk, fonts-freefont-ttf and fonts-urw-base35.

A character is drawn in the fonts of a style (sans, serif, monospaced, italic, oblique, Arabic,
East Asian), each drawing is averaged over the cells of the grid (see `reference`), and the
drawings of a style are averaged. Styles that look the same are kept once. Small letters are
also drawn as small capitals, and digits as old-style ones, which free fonts seldom have: from
the capital or the lining digit, made smaller or lowered. Only these numbers are shipped, never
a font.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pagemill.engine.verdict.reference import ALPHABETIC, EAST_ASIAN, Grid
from PIL import Image, ImageDraw, ImageFont

_PX = 96
_SAME = 0.97
"""Drawings of one character that correlate above this are kept once."""
_LATIN = Path("/usr/share/fonts/truetype")
_URW = Path("/usr/share/fonts/opentype/urw-base35")
_CJK = Path("/usr/share/fonts/opentype/noto")
_STYLES: tuple[tuple[Path, ...], ...] = (
    (
        _LATIN / "liberation/LiberationSans-Regular.ttf",
        _URW / "NimbusSans-Bold.otf",
        _LATIN / "dejavu/DejaVuSans.ttf",
        _LATIN / "noto/NotoSans-Regular.ttf",
        _LATIN / "freefont/FreeSans.ttf",
        _LATIN / "noto/NotoSansHebrew-Regular.ttf",
        _LATIN / "noto/NotoSansThai-Regular.ttf",
        _LATIN / "noto/NotoSansDevanagari-Regular.ttf",
        _LATIN / "noto/NotoSansGeorgian-Regular.ttf",
        _LATIN / "noto/NotoSansArmenian-Regular.ttf",
        _LATIN / "noto/NotoSansMath-Regular.ttf",
        _LATIN / "noto/NotoSansSymbols2-Regular.ttf",
    ),
    (
        _LATIN / "liberation/LiberationSerif-Regular.ttf",
        _LATIN / "liberation/LiberationSerif-Bold.ttf",
        _URW / "C059-Roman.otf",
        _URW / "P052-Roman.otf",
        _LATIN / "noto/NotoSerif-Regular.ttf",
        _LATIN / "freefont/FreeSerif.ttf",
        _LATIN / "noto/NotoSerifHebrew-Regular.ttf",
        _LATIN / "noto/NotoSerifThai-Regular.ttf",
        _LATIN / "noto/NotoSerifDevanagari-Regular.ttf",
        _LATIN / "noto/NotoSerifGeorgian-Regular.ttf",
        _LATIN / "noto/NotoSerifArmenian-Regular.ttf",
    ),
    (
        _LATIN / "liberation/LiberationMono-Regular.ttf",
        _URW / "NimbusMonoPS-Regular.otf",
        _LATIN / "dejavu/DejaVuSansMono.ttf",
    ),
    (
        _LATIN / "liberation/LiberationSerif-Italic.ttf",
        _URW / "C059-Italic.otf",
        _URW / "P052-Italic.otf",
        _LATIN / "freefont/FreeSerifItalic.ttf",
    ),
    (
        _LATIN / "liberation/LiberationSans-Italic.ttf",
        _LATIN / "liberation/LiberationSans-BoldItalic.ttf",
    ),
)
_ARABIC = (
    _LATIN / "noto/NotoNaskhArabic-Regular.ttf",
    _LATIN / "dejavu/DejaVuSans.ttf",
    _LATIN / "freefont/FreeSerif.ttf",
    _LATIN / "noto/NotoSansArabic-Regular.ttf",
)
_WIDE = (_CJK / "NotoSansCJK-Regular.ttc", _CJK / "NotoSerifCJK-Regular.ttc")

_ALPHABETIC = (
    (0x0021, 0x007E),  # ASCII
    (0x00A1, 0x017F),  # Latin-1, Latin Extended-A
    (0x018E, 0x0192),
    (0x01A0, 0x01B0),
    (0x0218, 0x021B),
    (0x02C6, 0x02DD),
    (0x0370, 0x04FF),  # Greek, Cyrillic
    (0x0531, 0x0587),  # Armenian
    (0x05D0, 0x05EA),  # Hebrew
    (0x0660, 0x0669),
    (0x06F0, 0x06F9),
    (0x0905, 0x0939),  # Devanagari
    (0x0958, 0x096F),
    (0x0E01, 0x0E5B),  # Thai
    (0x10D0, 0x10FF),  # Georgian
    (0x1E00, 0x1EFF),  # Vietnamese and others
    (0x2010, 0x205E),
    (0x20A0, 0x20BF),
    (0x2100, 0x214F),
    (0x2190, 0x21D5),
    (0x2200, 0x22FF),
    (0x2500, 0x257F),
    (0x25A0, 0x25FF),
    (0x2610, 0x2612),
    (0x2713, 0x2718),
    (0xFB00, 0xFB06),
)
_ARABIC_FORMS = ((0xFB50, 0xFBFF), (0xFE80, 0xFEFC))
_SMALL_CAPITAL = 0.78
"""Height of small capitals over that of capitals."""
_OLD_STYLE = {"0": 0.70, "1": 0.70, "2": 0.70}
"""Digits of the height of a small x, as a factor."""
_LOWERED = "34579"
_LOWERED_EM = 0.21
"""How far old-style digits descend."""
_KANA_AND_WIDE = ((0x3001, 0x3015), (0x3041, 0x30FF), (0xFF01, 0xFF5E))


class Drawing(NamedTuple):
    cells: np.ndarray
    """float32 [rows, columns], 0 paper to 1 ink."""
    width_em: float


def main(arguments: Sequence[str]) -> None:
    """Write the table to the path given."""
    if len(arguments) != 1:
        raise SystemExit("usage: python tools/make_reference.py OUT.npz")
    by_grid = ((ALPHABETIC, _alphabetic() | _arabic()), (EAST_ASIAN, _east_asian()))
    tables: dict[str, np.ndarray] = {}
    for grid, drawings in by_grid:
        rows = [(codepoint, d) for codepoint in sorted(drawings) for d in drawings[codepoint]]
        cells = np.stack([drawing.cells.reshape(-1) for _, drawing in rows])
        widths = np.array([drawing.width_em for _, drawing in rows])
        tables[f"{grid.name}_codepoint"] = np.array([codepoint for codepoint, _ in rows], np.int32)
        tables[f"{grid.name}_cells"] = pack(cells, grid.bits)
        tables[f"{grid.name}_width"] = np.rint(np.minimum(widths, 2.5) * 100).astype(np.uint8)
    with Path(arguments[0]).open("wb") as stream:
        np.savez_compressed(stream, **tables)  # type: ignore[arg-type]


def pack(cells: np.ndarray, bits: int) -> np.ndarray:
    """`bits` a cell, most significant first, `8 // bits` cells a byte."""
    top = (1 << bits) - 1
    level = np.clip(np.rint(cells * top), 0, top).astype(np.uint8)
    packed = np.zeros((len(cells), cells.shape[1] * bits // 8), np.uint8)
    for index in range(8 // bits):
        packed |= level[:, index :: 8 // bits] << (8 - bits * (index + 1))
    return packed


def _alphabetic() -> dict[int, list[Drawing]]:
    by_codepoint: dict[int, list[Drawing]] = {}
    for codepoint in _codepoints(_ALPHABETIC):
        styles = (_average(fonts, chr(codepoint), ALPHABETIC) for fonts in _STYLES)
        _add(by_codepoint, codepoint, styles)
        _add(by_codepoint, codepoint, _variants(chr(codepoint)))
    return by_codepoint


def _variants(character: str) -> Iterator[Drawing | None]:
    """A small letter as a small capital, a digit as an old-style one."""
    capital = character.upper()
    if capital != character and len(capital) == 1:
        for fonts in _STYLES[:2]:
            yield _average(fonts, capital, ALPHABETIC, scale=_SMALL_CAPITAL)
    for fonts in _STYLES[:2]:
        if character in _OLD_STYLE:
            yield _average(fonts, character, ALPHABETIC, scale=_OLD_STYLE[character])
        elif character in _LOWERED:
            yield _average(fonts, character, ALPHABETIC, lowered_em=_LOWERED_EM)


def _arabic() -> dict[int, list[Drawing]]:
    """Each letter in every form that its neighbours can give it, and each form by itself."""
    by_codepoint: dict[int, list[Drawing]] = {}
    for codepoint in _codepoints(_ARABIC_FORMS):
        drawing = _average(_ARABIC, chr(codepoint), ALPHABETIC)
        parts = unicodedata.decomposition(chr(codepoint)).split()
        _add(by_codepoint, codepoint, [drawing])
        if len(parts) == 2:
            letter = int(parts[1], 16)
            _add(by_codepoint, letter, [drawing, _average(_ARABIC, chr(letter), ALPHABETIC)])
    return by_codepoint


def _east_asian() -> dict[int, list[Drawing]]:
    by_codepoint: dict[int, list[Drawing]] = {}
    for character in sorted({*_common_east_asian(), *map(chr, _codepoints(_KANA_AND_WIDE))}):
        _add(by_codepoint, ord(character), [_average(_WIDE, character, EAST_ASIAN)])
    return by_codepoint


def _common_east_asian() -> Iterator[str]:
    """The characters that each national standard lists first, by how often they are used."""
    for codec, first, last in (("gb2312", 0xB0, 0xD7), ("euc_jp", 0xB0, 0xCF)):
        for lead in range(first, last + 1):
            for trail in range(0xA1, 0xFF):
                yield from bytes((lead, trail)).decode(codec, "ignore")
    for lead in range(0xB0, 0xC9):
        for trail in range(0xA1, 0xFF):
            yield from bytes((lead, trail)).decode("euc_kr", "ignore")
    for lead in range(0xA4, 0xC7):
        for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            yield from bytes((lead, trail)).decode("big5", "ignore")


def _codepoints(ranges: Iterable[tuple[int, int]]) -> Iterator[int]:
    return chain.from_iterable(range(first, last + 1) for first, last in ranges)


def _add(
    by_codepoint: dict[int, list[Drawing]], codepoint: int, new: Iterable[Drawing | None]
) -> None:
    kept = by_codepoint.get(codepoint, [])
    for drawing in new:
        if drawing is not None and not any(_alike(drawing, other) for other in kept):
            kept.append(drawing)
    if kept:
        by_codepoint[codepoint] = kept


def _alike(a: Drawing, b: Drawing) -> bool:
    if a.cells.std() < 1e-3 or b.cells.std() < 1e-3:
        return True
    return bool(np.corrcoef(a.cells.ravel(), b.cells.ravel())[0, 1] > _SAME)


def _average(
    fonts: Sequence[Path],
    character: str,
    grid: Grid,
    *,
    scale: float = 1.0,
    lowered_em: float = 0.0,
) -> Drawing | None:
    drawings = [_draw(font, character, grid, scale, lowered_em) for font in fonts]
    drawn = [drawing for drawing in drawings if drawing is not None]
    if not drawn:
        return None
    cells = np.stack([drawing.cells for drawing in drawn]).mean(axis=0)
    return Drawing(cells, float(np.mean([drawing.width_em for drawing in drawn])))


@lru_cache(maxsize=128)
def _font(path: Path, px: int) -> tuple[ImageFont.FreeTypeFont, bytes]:
    font = ImageFont.truetype(str(path), px, layout_engine=ImageFont.Layout.BASIC)
    return font, bytes(font.getmask("\uffff"))


def _draw(
    path: Path, character: str, grid: Grid, scale: float, lowered_em: float
) -> Drawing | None:
    """The character in cells; None where the font lacks it or it has no width or no ink."""
    font, missing = _font(path, round(_PX * scale))
    mask = bytes(font.getmask(character))
    advance = font.getlength(character)
    if mask == missing or not any(mask) or advance < 0.05 * _PX:
        return None
    size = (max(1, round(advance)), round((grid.top - grid.bottom) * _PX))
    image = Image.new("L", size)
    baseline = (grid.top + lowered_em) * _PX
    ImageDraw.Draw(image).text((0, baseline), character, fill=255, font=font, anchor="ls")
    small = image.resize((grid.columns, grid.rows), Image.Resampling.BOX)
    return Drawing(np.asarray(small, np.float32) / 255, advance / _PX)


if __name__ == "__main__":
    main(sys.argv[1:])
