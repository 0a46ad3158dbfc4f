"""Text from strangers: made valid and bounded where it enters, harmless where it is shown.

`sanitize` stands at the border: every warning, message, name, address or metadata that comes
out of a library, a program, an archive or a file goes through it once, before it is stored or
sent on. `visible` stands at the other end: it makes what is stored safe for terminals and HTML.
The words of a page are neither: `layout.character.clean` makes them valid, letter by letter.
"""

from __future__ import annotations

import re
from urllib.parse import quote

LIMIT_CHARS = 4096
"""As long as a path may be; longer is no name, and no message that anyone reads."""
MESSAGE_CHARS = 500
"""As long as a message or the warnings of one row of the ledger may be."""
CUT = " […] "
"""Stands where the middle of a text was cut out."""

_INVALID = re.compile("[\x00\ud800-\udfff]")
_ODD = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def sanitize(text: str, limit_chars: int = LIMIT_CHARS) -> str:
    """The text as valid UTF-8 without NUL, at most `limit_chars` long; ordinary text unchanged.

    Bytes that are not UTF-8, which Python carries as lone surrogates, become `%XX`, other lone
    surrogates the `%XX` of their three bytes, NUL `%00`. Of what is too long the middle is cut
    out, where `CUT` stands then: names keep their suffix, tracebacks their last line.

    Args:
        text: anything that a stranger had a hand in.
        limit_chars: at least 16.
    """
    text = _shortened(text, limit_chars)
    if not _INVALID.search(text):
        return text
    return _shortened(_INVALID.sub(_percent, text), limit_chars)


def visible(text: str) -> str:
    """The text in one line with nothing hidden in it, for terminals and pages.

    Line ends and tabs become spaces; other control characters, bidi overrides, zero-width
    characters and lone surrogates become escapes such as `\\u202e`.
    """
    return _ODD.sub(_spelled, text)


def _shortened(text: str, limit_chars: int) -> str:
    if len(text) <= limit_chars:
        return text
    tail_chars = (limit_chars - len(CUT)) // 2
    return text[: limit_chars - len(CUT) - tail_chars] + CUT + text[len(text) - tail_chars :]


def _percent(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"%{code - 0xDC00:02X}"
    return quote(match[0], errors="surrogatepass")


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    if match.group() in "\n\r\t":
        return " "
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"
