"""Text from outside as HTML shows it: escaped, in one line, with nothing hidden in it.

Templates need none of this: what they print goes through `harmless` by itself. Python code that
builds markup, such as the charts, calls `escaped`.
"""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

from ...engine.text import visible


def harmless(value: object) -> object:
    """What a template prints: markup as it is, the rest with hidden characters spelled out.

    The environment calls this for every expression, before it escapes the result.
    """
    return value if hasattr(value, "__html__") else visible(str(value))


def escaped(value: object) -> Markup:
    """The value as HTML text or a quoted attribute's value; markup stays as it is."""
    return escape(harmless(value))


def escaped_lines(text: str) -> Markup:
    """Text with its line breaks, for where white space is kept."""
    return Markup("\n").join(escaped(line) for line in text.split("\n"))


def clipped(value: object, limit: int) -> str:
    """The beginning of a long text, with an ellipsis in place of the rest."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def tail(text: str, limit: int) -> str:
    """The end of a long text, which is where paths differ, after an ellipsis."""
    return text if len(text) <= limit else "…" + text[1 - limit :]


def slug(text: str) -> str:
    """A word for an `id` or a class: lower-case ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"
