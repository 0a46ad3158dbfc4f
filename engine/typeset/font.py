"""Faces, families, and faces at a size: what words are measured and drawn with.

Fonts are read from memory, so that a face costs one read a process; sizes are kept in a small
cache, advances of words beside them.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import ImageFont, features

from ..errors import DependencyError
from ..page import WordFlag

try:
    from fontTools.ttLib import TTFont
except ImportError as err:
    raise DependencyError("typesetting needs fonttools: pip install 'pagemill[train]'") from err

ALPHABET = frozenset(
    [chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x180))]
    + list("ȘșȚț–—‘’‚“”„†‡•…‰‹›€№™−≤≥≈×÷≠→←↑↓")
)
"""Characters that may be drawn: Latin, its punctuation, a few signs."""

_PROBE_PX = 200
_NOT_A_CHARACTER = "\ufffe"
_STEPS_PER_PX = 4
"""Sizes are multiples of a quarter pixel, so that few are in use at a time."""
_MAX_WIDTHS = 20_000


@dataclass(frozen=True, eq=False)
class Face:
    """One font file; equal only to itself."""

    name: str
    data: bytes
    flags: int
    """`WordFlag`s of its words."""
    coverage: frozenset[str]
    """Characters of `ALPHABET` that it draws."""
    x_height_em: float
    ascent_em: float
    """Height of a capital with an accent."""

    def draws(self, text: str) -> bool:
        """Whether every character has a glyph."""
        return self.coverage.issuperset(text)


@dataclass(frozen=True, eq=False)
class Family:
    """Faces of one design, by (bold, italic)."""

    name: str
    kind: str
    """`sans`, `serif`, `mono`, `slab`, `typewriter`, `condensed`, `display` or `hand`."""
    faces: dict[tuple[bool, bool], Face]

    def face(self, *, bold: bool = False, italic: bool = False) -> Face:
        """The face, or the nearest one where the family lacks it."""
        for wanted in ((bold, italic), (bold, False), (False, italic), (False, False)):
            if wanted in self.faces:
                return self.faces[wanted]
        return next(iter(self.faces.values()))

    @property
    def regular(self) -> Face:
        return self.face()

    def draws(self, text: str) -> bool:
        """Whether all its faces draw all characters."""
        return all(face.draws(text) for face in self.faces.values())


class SizedFace:
    """A face at a size, drawn `scale` times larger and reduced afterwards."""

    __slots__ = ("_shaped", "_widths", "face", "font", "scale", "size_px", "x_height_px")

    def __init__(self, face: Face, size_px: float, scale: int, shaped: bool) -> None:
        layout = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
        self.face = face
        self.size_px = size_px
        self.scale = scale
        self.font = ImageFont.truetype(io.BytesIO(face.data), size_px * scale, layout_engine=layout)
        self.x_height_px = face.x_height_em * size_px
        self._shaped = shaped
        self._widths: dict[str, float] = {}

    def width(self, text: str) -> float:
        """Advance of a text without line breaks, px."""
        width = self._widths.get(text)
        if width is None:
            width = self.font.getlength(text) / self.scale
            if len(self._widths) < _MAX_WIDTHS:
                self._widths[text] = width
        return width


def sized_face(face: Face, size_px: float, *, scale: int = 1, shaped: bool = False) -> SizedFace:
    """The face at about that size, from a cache."""
    steps = round(size_px * scale * _STEPS_PER_PX)
    return _sized_face(face, steps, scale, shaped and can_shape())


@functools.lru_cache(maxsize=96)
def _sized_face(face: Face, steps: int, scale: int, shaped: bool) -> SizedFace:
    return SizedFace(face, steps / scale / _STEPS_PER_PX, scale, shaped)


@functools.cache
def can_shape() -> bool:
    """Whether Pillow has raqm here."""
    return bool(features.check("raqm"))


def characters(data: bytes) -> frozenset[int]:
    """Code points that a font file maps to a glyph, as its best Unicode table says.

    Of a collection this is its first font, which is also the one that Pillow draws. Empty where
    there is no Unicode table, as in symbol fonts.

    Raises:
        ValueError: not such a file, or a damaged one.
    """
    try:
        with TTFont(io.BytesIO(data), fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except Exception as err:  # fontTools asserts, indexes and unpacks whatever the file says
        raise ValueError(f"the font file is damaged, or is none: {err}") from err


def face_of(name: str, data: bytes, *, flags: int) -> Face:
    """A face with its coverage: characters that it maps, and that leave ink.

    Raises:
        ValueError: not a font that can be drawn with.
    """
    mapped = characters(data)
    try:
        font = ImageFont.truetype(io.BytesIO(data), _PROBE_PX, layout_engine=ImageFont.Layout.BASIC)
        small = ImageFont.truetype(io.BytesIO(data), 16, layout_engine=ImageFont.Layout.BASIC)
        tofu = _picture(small, _NOT_A_CHARACTER)
        characters_mapped = [c for c in sorted(ALPHABET) if ord(c) in mapped]
        inked = frozenset(c for c in characters_mapped if _picture(small, c) not in (None, tofu))
        x_height = -font.getbbox("x", anchor="ls")[1] / _PROBE_PX
        ascent = -font.getbbox("É" if "É" in inked else "E", anchor="ls")[1] / _PROBE_PX
    except (OSError, ValueError) as err:
        raise ValueError(f"{name} cannot be drawn with: {err}") from err
    if not inked.issuperset("aeinorstx0123456789") or not 0.2 < x_height < 0.9:
        raise ValueError(f"{name} lacks Latin letters or digits")
    return Face(name, data, flags, inked, x_height, ascent)


def _picture(font: ImageFont.FreeTypeFont, text: str) -> tuple[tuple[int, int], bytes] | None:
    """What a text looks like, to be compared; None where it leaves no ink."""
    mask = font.getmask(text)
    return (mask.size, bytes(mask)) if mask.getbbox() is not None else None


def style_flags(kind: str, *, bold: bool, italic: bool) -> int:
    """`WordFlag`s of a face of a kind."""
    flags = WordFlag(0)
    if bold:
        flags |= WordFlag.BOLD
    if italic:
        flags |= WordFlag.ITALIC
    if kind in ("mono", "typewriter"):
        flags |= WordFlag.MONO
    if kind in ("serif", "slab", "typewriter"):
        flags |= WordFlag.SERIF
    return int(flags)


def families_of(entries: Iterable[tuple[str, str, bool, bool, Face]]) -> list[Family]:
    """Families from (family, kind, bold, italic, face), in the order of their names."""
    grouped: dict[tuple[str, str], dict[tuple[bool, bool], Face]] = {}
    for name, kind, bold, italic, face in entries:
        grouped.setdefault((name, kind), {}).setdefault((bold, italic), face)
    return [Family(name, kind, faces) for (name, kind), faces in sorted(grouped.items())]


def covering(families: Sequence[Family], letters: str) -> list[Family]:
    """The families that draw all the letters."""
    return [family for family in families if family.draws(letters)]
