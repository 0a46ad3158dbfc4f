"""Strings as strangers write them, and the check that one has been through the border."""

from __future__ import annotations

LONE_BYTE = "caf\udce9"
"""A byte that is not UTF-8, as Python carries it."""
LONE_SURROGATE = "half \ud83d of a pair"
NUL = "be\0fore"
LONG = "long " * 200_000
"""1 MB."""
HOSTILE = (LONE_BYTE, LONE_SURROGATE, NUL, LONG)


def is_sane(text: str, limit_chars: int = 4096) -> bool:
    """Whether a text is valid UTF-8 without NUL, and bounded."""
    text.encode("utf-8")
    return "\0" not in text and len(text) <= limit_chars
