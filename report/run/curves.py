"""What changes over the steps: loss and accuracy, evaluations, rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...corruption.level import LEVELS
from .chart import Curve, Frame, chart, stacked
from .facts import Row, RunFacts, mapping, shares_of, step_of
from .markup import (
    NONE,
    compact,
    duration,
    esc,
    number,
    percent,
    percent_tick,
    plain,
    rate,
    size,
    table,
)
from .series import BUCKETS, Trace, axis, trace

LEVEL_NAMES = tuple(str(level) for level in LEVELS)
TASK_STYLES = ("read", "restore")
"""Tasks that have a colour of their own."""
FIGURES = ("cer", "wer", "exact", "jaccard", "blind_exact", "blind_jaccard")
FIGURE_NAMES = ("CER", "WER", "exact", "words shared", "exact, blind", "words shared, blind")


def frame_of(facts: RunFacts) -> Frame:
    """The axis that all charts of a run share."""
    events = [step_of(row) for row in (*facts.evals, *facts.adaptations)]
    told = facts.steps["step"]
    return Frame(
        start=min([facts.first, *told[:1].tolist()]),
        end=max(facts.first, facts.last, *events),
        resumes=facts.resumes,
        adaptations=[step_of(row) for row in facts.adaptations],
    )


def trace_of(facts: RunFacts, name: str, weight: str = "") -> Trace:
    """A column in buckets; a column that is not there is a gap."""
    rows = len(facts.steps["step"])
    values = facts.steps.get(name, np.full(rows, math.nan))
    return trace(values, facts.steps.get(weight))


def smooth_line(
    facts: RunFacts, name: str, css: str, column: str, weight: str = "", *, ratio: bool = False
) -> Curve:
    """A column as a line over its raw form: the values where there are few, else their range.

    Args:
        facts: the run.
        name: of the line.
        css: class of its colour.
        column: what is drawn.
        weight: column that weighs the rows in a mean.
        ratio: whether means are geometric, so that a spike weighs little.
    """
    made = trace_of(facts, column, weight)
    if ratio:
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = trace(np.log(facts.steps[column]))
        made = replace(made, smooth=np.exp(logs.smooth))
    if len(facts.steps["step"]) <= BUCKETS:
        return Curve(name=name, css=css, values=made.smooth, faint=made.mean)
    return Curve(name=name, css=css, values=made.smooth, low=made.low, high=made.high)


def learning(facts: RunFacts, frame: Frame) -> str:
    """Loss and accuracy, by level and by task."""
    x = axis(facts.steps["step"])
    tasks = sorted({name.split(".")[1] for name in facts.steps if name.startswith("tasks.")})
    grouped = {
        "level": [(one, one, f"levels.{one}") for one in LEVEL_NAMES],
        "task": [(one, task_style(one), f"tasks.{one}") for one in tasks],
    }
    panels = []
    for what, group in grouped.items():
        for figure in ("loss", "accuracy"):
            lines = [
                smooth_line(facts, name, css, f"{column}.{figure}", f"{column}.tokens")
                for name, css, column in group
            ]
            lines += [smooth_line(facts, "all", "all", figure, "answer_tokens")]
            title = f"{figure.capitalize()} by {what}"
            if figure == "loss":
                panels.append(two_scales(title, frame, x, lines))
            else:
                panels.append(
                    chart(title, frame, x, lines, say=percent, tick=percent_tick, height_px=230)
                )
    return "".join(panels)


def two_scales(title: str, frame: Frame, x: np.ndarray, lines: Sequence[Curve]) -> str:
    """The chart on a linear and on a logarithmic axis; one of them is shown."""
    whole = chart(title, frame, x, lines, height_px=230)
    if not whole:
        return ""
    return (
        f'<div class="scales">{whole}{chart(title, frame, x, lines, log=True, height_px=230)}'
        '<label class="switch"><input type="checkbox" checked>log</label></div>'
    )


def evaluation(facts: RunFacts, frame: Frame) -> str:
    """Errors by level and of whole pages over the evaluations, and what is read blind."""
    if not facts.evals:
        return ""
    x = np.array([step_of(row) for row in facts.evals])
    levels = [measured(facts.evals, ("levels", one, "cer"), one, one) for one in LEVEL_NAMES]
    pages = [
        measured(facts.evals, ("pages", one, "cer"), one, one) for one in ("clean", "corrupted")
    ]
    charts = "".join(
        chart(title, frame, x, lines, say=percent, tick=percent_tick, height_px=230)
        for title, lines in (
            ("Character error rate by level", levels),
            ("Character error rate of whole pages", pages),
        )
    )
    small = "".join(
        chart(
            f"Read exactly: {level}", frame, x,
            [
                measured(facts.evals, ("levels", level, "blind_exact"), "blind", "blind", True),
                measured(facts.evals, ("levels", level, "exact"), "seen", level),
            ],
            say=percent, tick=percent_tick, height_px=120, top=1.0,
        )
        for level in LEVEL_NAMES
    )  # fmt: skip
    seen = (
        '<h4>What it sees, what it guesses</h4><p class="lead">Blind is the same question over a '
        "white picture: what is right there too was known from the words around it, or by heart."
        f'</p><div class="charts small">{small}</div>'
        if small
        else ""
    )
    return f'<div class="charts">{charts}</div>{seen}{newest_table(facts.evals[-1])}'


def measured(
    evals: Sequence[Row], way: Sequence[str], name: str, css: str, dashed: bool = False
) -> Curve:
    """One estimate of the evaluations with its interval."""
    found = [estimate(row, way) for row in evals]
    values, low, high = (np.array([one[at] for one in found]) for at in range(3))
    return Curve(name=name, css=css, values=values, low=low, high=high, dots=True, dashed=dashed)


def estimate(row: Row, way: Sequence[str]) -> tuple[float, float, float]:
    """(value, low, high) of an estimate; NaN where it is missing."""
    found = mapping(row.get("metrics"))
    for name in way:
        found = mapping(found.get(name))
    value = number(found.get("value"))
    ends = [number(found.get(name)) for name in ("low", "high")]
    low, high = (value if math.isnan(one) else one for one in ends)
    return value, low, high


def newest_table(row: Row) -> str:
    """All figures of one evaluation."""
    metrics = mapping(row.get("metrics"))
    parts = [("levels", one) for one in LEVEL_NAMES] + [("pages", "clean"), ("pages", "corrupted")]
    known = [one for one in parts if mapping(metrics.get(one[0])).get(one[1])]
    if not known:
        return ""
    rows = [
        [
            f'<i class="dot {name}"></i>{name}{" pages" * (group == "pages")}',
            *(interval(row, (group, name, figure)) for figure in FIGURES),
            esc(count_of(metrics, group, name)),
        ]
        for group, name in known
    ]
    facts = [f"{number(metrics.get('cases')):,.0f} cases"] if metrics.get("cases") else []
    facts += [f"took {duration(number(row.get('seconds')))}"]
    if metrics.get("truncated"):
        facts.append(f"{number(metrics['truncated']):,.0f} answers cut off at the limit")
    return (
        f"<h4>The newest, after step {step_of(row):,.0f}</h4>"
        f'<p class="lead">{" <i>·</i> ".join(facts)}. Below each figure, its interval.</p>'
        f"{table(['level', *FIGURE_NAMES, 'n'], rows, numbers=range(1, 8))}"
    )


def interval(row: Row, way: Sequence[str]) -> str:
    """An estimate as a cell of a table."""
    value, low, high = estimate(row, way)
    if math.isnan(value):
        return f'<span class="soft">{NONE}</span>'
    return f'{percent(value)}<span class="range">{percent(low)} to {percent(high)}</span>'


def count_of(metrics: Row, group: str, name: str) -> str:
    """How many cases an estimate of the part is of."""
    figures = mapping(mapping(metrics.get(group)).get(name))
    counts = [number(mapping(one).get("n")) for one in figures.values()]
    known = [one for one in counts if not math.isnan(one)]
    return f"{max(known):,.0f}" if known else NONE


def rates(facts: RunFacts, frame: Frame) -> str:
    """How fast it went, what that cost, and what steered it."""
    x = axis(facts.steps["step"])

    def one(name: str, column: str, css: str = "all") -> Curve:
        return smooth_line(facts, name, css, column)

    skipped = [step_of(row) for row in facts.skipped]
    note = "Marks at the foot: skipped steps." if skipped else ""
    shares = [
        Curve(name=level, css=level, values=trace_of(facts, f"shares.{level}").mean)
        for level in LEVEL_NAMES
    ]
    adapted = "Long dashes: the losses changed the shares." if facts.adaptations else ""
    return (
        chart("Tokens per second", frame, x, [one("", "tokens_per_s")], say=compact)
        + chart("Pages per second", frame, x, [one("", "pages_per_s")], say=compact)
        + chart(
            "Model FLOPs utilisation", frame, x, [one("", "mfu")], say=percent, tick=percent_tick
        )
        + chart(
            "What is lost to waiting and padding", frame, x,
            [one("data wait", "wait", "moderate"), one("padding", "padding", "light")],
            say=percent, tick=percent_tick, note="Share of the time, share of the packs.",
        )
        + chart("Memory of the device", frame, x, [one("", "memory_bytes")], say=size, tick=size)
        + chart(
            "Gradient norm", frame, x, [norms(facts)], log=True, marks=skipped, note=note
        )
        + chart("Learning rate", frame, x, [learning_rate(facts)], say=rate, tick=rate)
        + stacked("Levels of corruption", frame, x, shares, say=percent, note=adapted)
    )  # fmt: skip


def norms(facts: RunFacts) -> Curve:
    """Gradient norms, whose spikes are their own."""
    return smooth_line(facts, "", "all", "grad_norm", ratio=True)


def learning_rate(facts: RunFacts) -> Curve:
    """As it was set: nothing is smoothed."""
    return Curve(name="", css="all", values=trace_of(facts, "lr").mean)


def adaptations(facts: RunFacts) -> str:
    """The changes of the levels' shares, folded."""
    if not facts.adaptations:
        return ""
    rows = []
    for row in facts.adaptations[-100:]:
        shares, losses = shares_of(row.get("shares")), mapping(row.get("losses"))
        rows.append(
            [
                f"{step_of(row):,.0f}",
                plain(number(row.get("window"))),
                *(percent(shares.get(level, math.nan)) for level in LEVEL_NAMES),
                *(plain(number(losses.get(level))) for level in LEVEL_NAMES),
            ]
        )
    head = ["step", "window", *LEVEL_NAMES, *(f"loss, {level}" for level in LEVEL_NAMES)]
    return (
        f"<details><summary>Changes of the levels' shares <span>{len(facts.adaptations):,}</span>"
        f"</summary>{table(head, rows, numbers=range(10))}</details>"
    )


def task_style(name: str) -> str:
    """The class that has the colour of a task."""
    return name if name in TASK_STYLES else "other"
