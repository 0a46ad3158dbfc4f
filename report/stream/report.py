"""What is shown of a stream, as one page: totals, packs, what was lost, samples in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...train.stream.inspect import LEVEL_NAMES, PackView, SampleView, StreamView
from ..kit.numbers import count
from ..kit.page import render_page, write_page
from ..kit.view import StackPart, Tile
from .card import StreamCard, css_class, stream_card

WIDTH_PX = 1400


@dataclass(frozen=True, slots=True)
class PackSegment:
    """One sample in the bar of its pack, or the padding at the end."""

    css: str
    tokens: int
    title: str
    card: int | None
    """The number of its card, where it has one."""


@dataclass(frozen=True, slots=True)
class PackRow:
    """One pack as a bar."""

    pack: PackView
    segments: tuple[PackSegment, ...]


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What the template draws from."""

    name: str
    stream: StreamView
    steps: Sequence[Sequence[PackRow]]
    cards: Sequence[StreamCard]

    @property
    def tiles(self) -> list[Tile]:
        """The totals."""
        stream = self.stream
        return [
            Tile("of the packs filled", f"{stream.fill:.1%}"),
            Tile("padding", f"{stream.padding:.1%}"),
            Tile("samples", count(len(stream.samples))),
            Tile("answer tokens", count(sum(sample.answer_tokens for sample in stream.samples))),
            Tile("pages a second, one process", f"{stream.pages_per_s:.1f}"),
            Tile("lost", count(len(stream.lost))),
        ]

    @property
    def shares(self) -> list[tuple[str, list[StackPart]]]:
        """(title, parts) of the bars below the totals."""
        return [
            ("Samples by task", _stack(self.stream.tasks)),
            ("Answer tokens by level", _stack(self.stream.levels)),
        ]

    @property
    def task_legend(self) -> list[tuple[str, str]]:
        """(class, name) of what packs are made of."""
        return [(css_class(name), name) for name in (*self.stream.tasks, "padding")]

    @property
    def level_legend(self) -> list[tuple[str, str]]:
        """(class, name) of the levels."""
        return [(name, name) for name in LEVEL_NAMES]

    @property
    def budget_tokens(self) -> int:
        """Of a pack."""
        return self.stream.packs[0].budget_tokens


def write_stream_report(stream: StreamView, out: Path) -> None:
    """Write the page.

    Raises:
        ConfigError: it cannot be written.
    """
    write_page(render_stream(stream), out)


def render_stream(stream: StreamView) -> str:
    """The page as HTML."""
    names = [corpus.rstrip("/").rpartition("/")[2] or corpus for corpus in stream.corpora]
    numbers = {detail.sample: number for number, detail in enumerate(stream.details, 1)}
    view = StreamReport(
        name=", ".join(names),
        stream=stream,
        steps=[
            [PackRow(pack, tuple(_segments(pack, numbers))) for pack in step]
            for step in stream.steps
        ],
        cards=[stream_card(number, detail) for number, detail in enumerate(stream.details, 1)],
    )
    return render_page(
        "stream/stream.html.jinja",
        view,
        title=f"{view.name} · Pagemill stream",
        styles=("stream/stream.css",),
        scripted=False,
        width_px=WIDTH_PX,
    )


def _segments(pack: PackView, numbers: Mapping[SampleView, int]) -> Iterator[PackSegment]:
    for sample in pack.samples:
        title = f"{sample.task} {sample.key}: {sample.tokens:,} tokens, {sample.slices} slices"
        title += f"; {sample.reason}" if sample.reason else f", {sample.answer_tokens:,} answered"
        yield PackSegment(css_class(sample.task), sample.tokens, title, numbers.get(sample))
    padding = pack.budget_tokens - pack.tokens
    if padding:
        yield PackSegment("padding", padding, f"{padding:,} padding", None)


def _stack(counts: Mapping[str, int]) -> list[StackPart]:
    whole = sum(counts.values()) or 1
    return [
        StackPart(css_class(name), amount, f"{name} {amount / whole:.0%}")
        for name, amount in counts.items()
    ]
