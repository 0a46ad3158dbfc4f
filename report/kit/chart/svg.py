"""SVG elements; what stands in them is escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from ..text import escaped


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """One element; `class_` stands for `class`, and `_` inside a name for a hyphen.

    Args:
        tag: its name.
        children: markup, or text.
        attributes: values in the order in which they are written.
    """
    head = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), escaped(value))
        for name, value in attributes.items()
    )
    if not children:
        return Markup("<{}{}/>").format(Markup(tag), head)
    return Markup("<{}{}>{}</{}>").format(Markup(tag), head, join(children), Markup(tag))


def join(parts: Iterable[object]) -> Markup:
    """Pieces of markup and text one after the other."""
    return Markup("").join(map(escaped, parts))
