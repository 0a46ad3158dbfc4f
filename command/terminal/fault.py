"""The faults of a corpus: a table on a terminal, elsewhere a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.console import RenderableType
from rich.text import Text

from ...engine.text import visible
from ...engine.verify.fault import Fault
from .console import is_terminal
from .number import plural
from .table import table

SOUND = "No faults: every byte is as it was written."


def faults_view(faults: Sequence[Fault], corpus: str, stream: TextIO) -> Iterator[RenderableType]:
    """Where each fault is, of which kind and what is wrong; then how many there are.

    Args:
        faults: of the corpus.
        corpus: stands where a fault is of no shard.
        stream: where they will be shown.
    """
    rows = [(place_of(fault) or corpus, str(fault.kind), fault.message) for fault in faults]
    if rows and is_terminal(stream):
        yield table(
            [
                (visible(place), Text(kind, style="red"), visible(text))
                for place, kind, text in rows
            ],
            justify="lll",
            heads=("where", "fault", "what is wrong"),
        )
    else:
        yield from (visible(f"{place}: {kind}: {text}") for place, kind, text in rows)
    yield plural(len(faults), "fault") if faults else SOUND


def place_of(fault: Fault) -> str:
    """Shard and page, as far as they are known."""
    return " ".join(part for part in (fault.shard, fault.key) if part)
