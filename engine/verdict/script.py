"""What the characters of a text layer say of themselves, without a look at the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

_REPLACEMENT = 0xFFFD
_SPACE = 0x20
_CP1252 = "\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018"
_CP1252 += "\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
_CONTINUATION = np.array([_REPLACEMENT, *range(0x80, 0xC0), *map(ord, _CP1252)])
"""What the second and later bytes of UTF-8 look like when read as Latin-1 or Windows-1252."""


@dataclass(frozen=True, slots=True)
class Script:
    """Shares, 0 to 1."""

    characters: int
    """Without spaces."""
    unmapped: float
    """Characters without a meaning: U+FFFD, control characters, private use inside words."""
    mojibake: float
    """Letters that belong to UTF-8 read byte by byte, or to another one-byte encoding."""


def read_script(texts: Iterable[str]) -> Script:
    """Judge the characters of a page's words."""
    joined = " ".join(texts)
    codepoint = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    characters = int((codepoint != _SPACE).sum())
    if not characters:
        return Script(0, 0.0, 0.0)
    if not ((codepoint < _SPACE) | (codepoint >= 0x7F)).any():
        return Script(characters, 0.0, 0.0)
    bare = (codepoint == _REPLACEMENT) | (codepoint < _SPACE)
    bare |= (codepoint >= 0x7F) & (codepoint < 0xA0)
    private = _private(codepoint)
    unmapped = bare | (private & ~_alone(codepoint)) if private.any() else bare
    return Script(
        characters=characters,
        unmapped=float(unmapped.sum() / characters),
        mojibake=_mojibake(codepoint),
    )


def _private(codepoint: np.ndarray) -> np.ndarray:
    return ((codepoint >= 0xE000) & (codepoint < 0xF900)) | (codepoint >= 0xF0000)


def _alone(codepoint: np.ndarray) -> np.ndarray:
    """Characters that are a word by themselves, as bullets of symbol fonts are."""
    space = np.concatenate([[True], codepoint == _SPACE, [True]])
    return np.asarray(space[:-2] & space[2:])


def _mojibake(codepoint: np.ndarray) -> float:
    """Share of the characters that are not ASCII and that look like bytes, if there are some.

    UTF-8 read as Latin-1 or Windows-1252 leaves a lead byte's letter before continuation
    bytes' symbols; a Cyrillic or Greek one-byte encoding read so leaves words that consist of
    accented letters. No language writes either.
    """
    foreign = int((codepoint >= 0x80).sum())
    if foreign < 4:
        return 0.0
    lead = np.flatnonzero((codepoint >= 0xC2) & (codepoint <= 0xEF))
    padded = np.append(codepoint, [_SPACE, _SPACE])
    follows, twice = (np.isin(padded[lead + step], _CONTINUATION) for step in (1, 2))
    is_long = codepoint[lead] >= 0xE0
    two, three = ~is_long & follows, is_long & follows & twice
    bytewise = (2 * two.sum() + 3 * three.sum()) / foreign
    letter = (codepoint >= 0x41) & (codepoint != 0xD7) & (codepoint != 0xF7)
    accented = letter & (codepoint >= 0xC0) & (codepoint <= 0xFF)
    letters = int(letter.sum())
    share = accented.sum() / letters if letters >= 20 else 0.0
    return float(min(1.0, max(bytewise, share if share > 0.45 else 0.0)))
