"""How wrong a reading is: edits over characters, white space left out."""

from __future__ import annotations

import unicodedata

from rapidfuzz.distance import Levenshtein

_SAME = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-",
     "−": "-", "•": "·", "●": "·", "…": "..."}
)  # fmt: skip


def plain(text: str) -> str:
    """The text as it is compared: without space, compatibility forms and variants made one."""
    return "".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def error_rate(read: str, target: str) -> float:
    """Character edits over the target's length, at most 1; 0 for an empty target."""
    wanted = plain(target)
    if not wanted:
        return 0.0
    return min(1.0, Levenshtein.distance(plain(read), wanted) / len(wanted))
