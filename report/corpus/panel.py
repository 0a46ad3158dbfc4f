"""Pieces of a section: figures with a title, bars in a table, the name of a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .markup import count, esc, share
from .plot import bar


def section(name: str, title: str, figures: Sequence[str]) -> str:
    """A section of figures side by side; nothing where there are none."""
    inner = "".join(figures)
    if not inner:
        return ""
    return f'<section id="{name}"><h2>{esc(title)}</h2><div class="figures">{inner}</div></section>'


def figure(title: str, inner: str, *, note: str = "", wide: bool = False) -> str:
    """A titled figure; nothing where there is nothing in it."""
    if not inner:
        return ""
    below = f'<p class="note">{esc(note)}</p>' if note else ""
    css = "panel wide" if wide else "panel"
    return f'<figure class="{css}"><h3>{esc(title)}</h3>{inner}{below}</figure>'


def stacked(*figures: str) -> str:
    """Figures one below the other, in the place of one."""
    inner = "".join(figures)
    return f'<div class="column">{inner}</div>' if inner else ""


def bar_row(
    name: str, meaning: str, parts: Sequence[tuple[str, float]], amount: int, most: int, whole: int
) -> str:
    """A row of a table of bars: name, meaning, bar of (CSS class, amount) parts, count, share."""
    told = f'<span class="meaning">{esc(meaning)}</span>' if meaning else ""
    return (
        f'<tr><th scope="row">{esc(name)}{told}</th><td class="draw">{bar(parts, most)}</td>'
        f'<td class="num">{count(amount)}</td><td class="num soft">{share(amount, whole)}</td></tr>'
    )


def document_name(row: Mapping[str, object]) -> str:
    """What people call a document: its name below the input, and the member of an archive."""
    name = str(row.get("name") or row.get("uri") or row.get("doc_sha256") or "(unnamed)")
    member = str(row.get("member") or "")
    return f"{name} › {member}" if member and member not in name else name
