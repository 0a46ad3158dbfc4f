"""A whole page: one file that nothing is fetched for and no foreign script runs in."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ...engine.errors import ConfigError
from ...engine.store.place import Place
from .environment import asset, render

STYLE, SCRIPT = "kit/style.css", "kit/script.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """What the skeleton needs to know."""

    title: str
    style: Markup
    script: Markup
    """Empty where the page needs none."""
    width_px: int
    """Of the column of text, at most."""

    @property
    def policy(self) -> str:
        """The Content-Security-Policy: pictures in the file, and no script but its own."""
        allowed = "'none'"
        if self.script:
            digest = hashlib.sha256(self.script.encode()).digest()
            allowed = f"'sha256-{base64.b64encode(digest).decode()}'"
        return (
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
            f"script-src {allowed}; base-uri 'none'; form-action 'none'"
        )


def render_page(
    template: str,
    view: object,
    *,
    title: str,
    styles: tuple[str, ...] = (),
    scripted: bool = True,
    width_px: int = 1240,
) -> str:
    """A page as HTML; the same arguments give the same text.

    Args:
        template: one that extends `kit/page.html.jinja`.
        view: what it draws from, as `view`.
        title: of the browser's window.
        styles: style sheets of this kind of page alone.
        scripted: whether it needs the kit's script.
        width_px: of the column of text, at most.
    """
    frame = PageFrame(
        title=title,
        style=Markup("".join(map(asset, (STYLE, *styles)))),
        script=Markup(asset(SCRIPT) if scripted else ""),
        width_px=width_px,
    )
    return f"{render(template, page=frame, view=view)}\n"


def write_page(html: str, out: Path) -> None:
    """Write a page to a file, whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        Place.at(str(out.absolute().parent)).write_bytes(out.name, html.encode("utf-8"))
    except OSError as err:
        raise ConfigError(f"cannot write {out}: {err.strerror}") from err
