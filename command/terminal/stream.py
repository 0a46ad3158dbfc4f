"""What is shown of a stream as lines of text, within 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from rich.cells import chop_cells

from ...engine.text import visible
from ...train.stream.inspect import LEVEL_NAMES, PackView, SampleDetail, StreamView

WIDTH = 100
BAR = 59
MARKS = {"read": ("█", "▌"), "restore": ("▒", " "), "lost": ("×", " ")}
"""Of a segment in a bar, and at its end."""
OTHER = ("▓", " ")
PADDING = "·"
LINES = 6
"""Of a prompt or an answer."""


def stream_lines(shown: StreamView) -> Iterator[str]:
    """Lines for a terminal: packs of every step, totals, what was lost, a few samples."""
    for number, step in enumerate(shown.steps):
        samples = sum(len(pack.samples) for pack in step)
        yield f"step {number + 1}: {samples} samples in {len(step)} packs"
        yield f"{'pack':>6} {'samples':>8} {'tokens':>7} {'slices':>7} {'filled':>7}"
        for at, pack in enumerate(step, 1):
            yield (
                f"{at:>6} {len(pack.samples):>8} {pack.tokens:>7,} {pack.slices:>7} "
                f"{pack.fill:>7.1%}  {bar(pack)}"
            ).rstrip()
        yield ""
    keys = [f"{MARKS.get(name, OTHER)[0] * 3} {name}" for name in shown.tasks]
    yield f"{'':39}{'  '.join([*keys, f'{PADDING * 3} padding'])}"
    yield ""
    yield from totals(shown)
    for card in shown.details:
        yield from sample(card)


def bar(pack: PackView) -> str:
    """A pack as segments, as wide as samples have tokens."""
    scale, done, text = BAR / pack.budget_tokens, 0, ""
    for one in pack.samples:
        done += one.tokens
        body, end = MARKS.get(one.task, OTHER)
        cells = round(done * scale) - len(text)
        text += body * (cells - 1) + end if cells > 1 else end * max(cells, 0)
    return text.ljust(BAR, PADDING)


def totals(shown: StreamView) -> Iterator[str]:
    """What holds for all steps together."""
    lost = 1 - shown.fill - shown.padding
    yield f"{'filled':8}{shown.fill:.1%}, padding {shown.padding:.1%}, lost {abs(lost):.1%}"
    yield f"{'tasks':8}{shares(shown.tasks)} of {len(shown.samples):,} samples"
    yield f"{'levels':8}{shares(shown.levels)} of {sum(shown.levels.values()):,} answer tokens"
    yield f"{'speed':8}{shown.pages_per_s:.1f} pages/s in this process"
    yield ""
    for one in shown.lost:
        yield from textwrap.wrap(f"lost    {visible(one.reason)}", WIDTH, subsequent_indent=" " * 8)
    if shown.lost:
        yield ""


def shares(counts: Mapping[str, int]) -> str:
    """`read 51%, restore 49%`."""
    whole = sum(counts.values()) or 1
    return ", ".join(f"{name} {count / whole:.0%}" for name, count in counts.items())


def sample(card: SampleDetail) -> Iterator[str]:
    """One sample: what it is, what is asked, what is answered."""
    one = card.sample
    levels = [
        f"{count} {name}" for name, count in zip(LEVEL_NAMES, one.levels, strict=True) if count
    ]
    yield f"{one.task} {one.key}: {one.tokens:,} tokens, {one.slices} slices"
    yield from block("prompt", card.prompt)
    yield from block("answer", "".join(text for text, _ in card.answer))
    if levels:
        yield f"  {'levels':8}{', '.join(levels)} tokens"
    yield ""


def block(name: str, text: str) -> list[str]:
    """A text behind its name, cut off after a few lines; line breaks are shown as `⏎`."""
    width = WIDTH - 10
    lines = [
        piece
        for line in textwrap.wrap(visible(text.replace("\n", "⏎ ")), width)
        for piece in chop_cells(line, width)
    ]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"{chop_cells(lines[LINES - 1], width - 2)[0]} …"]
    return [f"  {name if not at else '':8}{line}" for at, line in enumerate(lines)]
