"""Characters as all backends hand them on: ligatures apart, nothing that JSON refuses.

Latin ligatures (U+FB00 to U+FB06) and Arabic presentation forms are written as their letters,
soft hyphens as hyphens. NULs, control characters, lone surrogates and noncharacters become
U+FFFD. All else stays as the PDF says it: no Unicode normalisation.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

REPLACEMENT = "\ufffd"

_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
    0x00AD: "-",
}
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr((plane << 16) + low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
_ARABIC_FORMS = re.compile("[\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfc\ufe70-\ufefc]")
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]"
)
_LEFT_TO_RIGHT = re.compile(
    r"[0-9A-Za-z\u0660-\u0669\u06f0-\u06f9]+(?:[.,:/][0-9A-Za-z\u0660-\u0669\u06f0-\u06f9]+)*"
)
_UNUSUAL = re.compile(r"[^ -~\u00a1-\u00ac\u00ae-\u1fff\u2010-\u2027\u2030-\u2064\u2070-\ud7ff]")


def clean(text: str) -> str:
    """The text without ligatures, direction marks and characters that no encoder takes.

    What is not a character becomes U+FFFD, so the count of those is the count of characters
    without a Unicode mapping.
    """
    if text.isascii() and text.isprintable():
        return text
    if not _UNUSUAL.search(text):
        return text
    text = _DIRECTION_MARKS.sub("", text.translate(_LIGATURES))
    text = _ARABIC_FORMS.sub(lambda form: unicodedata.normalize("NFKC", form[0]).strip(), text)
    return _FORBIDDEN.sub(REPLACEMENT, text)


@lru_cache(maxsize=4096)
def _direction(character: str) -> int:
    kind = unicodedata.bidirectional(character)
    return -1 if kind in ("R", "AL") else int(kind == "L")


def direction(text: str) -> int:
    """-1 where letters of right-to-left scripts prevail, 1 for left-to-right, 0 for neither."""
    if text.isascii():
        return int(any(map(str.isalpha, text)))
    balance = sum(map(_direction, text))
    return (balance > 0) - (balance < 0)


def logical(text: str) -> str:
    """A word that was written down from left to right, in the order in which it is read.

    Words without letters of right-to-left scripts are left alone; runs of digits and Latin
    letters inside others keep their order.
    """
    if text.isascii() or direction(text) >= 0:
        return text
    return _LEFT_TO_RIGHT.sub(lambda run: run[0][::-1], text[::-1])


def is_unspaced(text: str) -> bool:
    """Whether a string has letters of a script that puts no spaces between words."""
    return _UNSPACED.search(text) is not None


def prose_units(text: str) -> float:
    """About how many words of prose a string without spaces is worth.

    One, but scripts that write no spaces count two characters as a word.
    """
    if text.isascii() or len(text) < 3:
        return 1.0
    return max(1.0, len(text) / 2) if is_unspaced(text) else 1.0
