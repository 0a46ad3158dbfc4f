"""What a stream can show, and the one way in which text and tables get there, drawn by rich.

On a terminal as wide as it is and in colours, unless NO_COLOR or a dumb terminal speak against it;
elsewhere plain lines without any escape code, never wrapped, so that a line stays a line for grep.
What the stream's encoding lacks is spelled out.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

NARROWEST_LIVE_COLUMNS = 40
UNWRAPPED_COLUMNS = 100_000
"""Width of what is no terminal."""


def show(*parts: RenderableType, stream: TextIO | None = None) -> None:
    """Print renderables one below the other, on stdout unless told otherwise."""
    show_each(parts, stream=stream)


def show_each(parts: Iterable[RenderableType], *, stream: TextIO | None = None) -> None:
    """`show`, each as soon as it comes: for lists of any length."""
    stream = sys.stdout if stream is None else stream
    for text in rendered(parts, stream=stream):
        stream.write(encodable(text, stream))
    stream.flush()


def rendered(parts: Iterable[RenderableType], *, stream: TextIO) -> Iterator[str]:
    """Each part as the stream is to show it, line ends included."""
    colour = wants_colour(stream)
    console = Console(
        file=io.StringIO(),
        force_terminal=colour,
        color_system="auto" if colour else None,
        width=columns_of(stream) or UNWRAPPED_COLUMNS,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in parts:
        with console.capture() as capture:
            console.print(part, soft_wrap=isinstance(part, (str, Text)))
        text = capture.get()
        yield text if colour else "\n".join(line.rstrip() for line in text.split("\n"))


def wants_colour(stream: TextIO) -> bool:
    """The stream is a terminal that shows colours, and the user has not said no."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    return is_terminal(stream)


def can_draw_live(stream: TextIO) -> bool:
    """A display that is redrawn in place makes sense on this stream."""
    if os.environ.get("TERM", "") in ("", "dumb", "unknown") or not is_terminal(stream):
        return False
    columns = columns_of(stream)
    return columns == 0 or columns >= NARROWEST_LIVE_COLUMNS


def is_terminal(stream: TextIO) -> bool:
    """Somebody looks at it; False for a stream that is closed."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def columns_of(stream: TextIO) -> int:
    """Width of the terminal in characters; 0 where there is none or it does not say."""
    if not is_terminal(stream):
        return 0
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 0


def encodable(text: str, stream: TextIO) -> str:
    """The text in the stream's encoding, what that lacks spelled out as `\\u2260`."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding, "replace")
