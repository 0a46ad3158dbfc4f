"""A stretch of a stream as lines of text, within 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from rich.cells import chop_cells

from ...engine.text import visible
from ...train.stream.inspect import LEVEL_NAMES, PackView, SampleDetail, StreamView

COLUMNS = 100
BAR_COLUMNS = 59
MARKS = {"read": ("█", "▌"), "restore": ("▒", " "), "lost": ("×", " ")}
"""Of a segment in a bar, and at its end."""
OTHER = ("▓", " ")
PADDING = "·"
MOST_LINES = 6
"""Of a prompt or an answer."""


def stream_lines(view: StreamView) -> Iterator[str]:
    """Lines for a terminal: packs of every step, totals, what was lost, a few samples."""
    for number, step in enumerate(view.steps, 1):
        samples = sum(len(pack.samples) for pack in step)
        yield f"step {number}: {samples} samples in {len(step)} packs"
        yield f"{'pack':>6} {'samples':>8} {'tokens':>7} {'slices':>7} {'filled':>7}"
        for at, pack in enumerate(step, 1):
            yield (
                f"{at:>6} {len(pack.samples):>8} {pack.tokens:>7,} {pack.slices:>7} "
                f"{pack.fill:>7.1%}  {bar(pack)}"
            ).rstrip()
        yield ""
    legend = [f"{MARKS.get(task, OTHER)[0] * 3} {task}" for task in view.tasks]
    yield f"{'':39}{'  '.join([*legend, f'{PADDING * 3} padding'])}"
    yield ""
    yield from totals(view)
    for detail in view.details:
        yield from sample_lines(detail)


def bar(pack: PackView) -> str:
    """A pack as segments, as wide as samples have tokens."""
    scale, done, text = BAR_COLUMNS / pack.budget_tokens, 0, ""
    for sample in pack.samples:
        done += sample.tokens
        body, end = MARKS.get(sample.task, OTHER)
        cells = round(done * scale) - len(text)
        text += body * (cells - 1) + end if cells > 1 else end * max(cells, 0)
    return text.ljust(BAR_COLUMNS, PADDING)


def totals(view: StreamView) -> Iterator[str]:
    """What holds for all steps together."""
    lost = 1 - view.fill - view.padding
    yield f"{'filled':8}{view.fill:.1%}, padding {view.padding:.1%}, lost {abs(lost):.1%}"
    yield f"{'tasks':8}{shares(view.tasks)} of {len(view.samples):,} samples"
    yield f"{'levels':8}{shares(view.levels)} of {sum(view.levels.values()):,} answer tokens"
    yield f"{'speed':8}{view.pages_per_s:.1f} pages/s in this process"
    yield ""
    for sample in view.lost:
        yield from textwrap.wrap(
            f"lost    {visible(sample.reason)}", COLUMNS, subsequent_indent=" " * 8
        )
    if view.lost:
        yield ""


def shares(counts: Mapping[str, int]) -> str:
    """`read 51%, restore 49%`."""
    whole = sum(counts.values()) or 1
    return ", ".join(f"{name} {count / whole:.0%}" for name, count in counts.items())


def sample_lines(detail: SampleDetail) -> Iterator[str]:
    """One sample: what it is, what is asked, what is answered."""
    sample = detail.sample
    levels = [
        f"{count} {name}" for name, count in zip(LEVEL_NAMES, sample.levels, strict=True) if count
    ]
    yield f"{sample.task} {sample.key}: {sample.tokens:,} tokens, {sample.slices} slices"
    yield from paragraph("prompt", detail.prompt)
    yield from paragraph("answer", "".join(text for text, _ in detail.answer))
    if levels:
        yield f"  {'levels':8}{', '.join(levels)} tokens"
    yield ""


def paragraph(name: str, text: str) -> list[str]:
    """A text behind its name, cut off after a few lines; line breaks are shown as `⏎`."""
    width = COLUMNS - 10
    lines = [
        piece
        for line in textwrap.wrap(visible(text.replace("\n", "⏎ ")), width)
        for piece in chop_cells(line, width)
    ]
    if len(lines) > MOST_LINES:
        last = chop_cells(lines[MOST_LINES - 1], width - 2)[0]
        lines = [*lines[: MOST_LINES - 1], f"{last} …"]
    return [f"  {name if not at else '':8}{line}" for at, line in enumerate(lines)]
