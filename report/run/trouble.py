"""What went wrong and what was kept: skipped steps, lost samples, processes, checkpoints."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from .facts import Row, RunFacts, step_of
from .markup import NONE, duration, esc, esc_lines, number, plain, plural, size, table

MOST_ROWS = 60
"""Rows of a table; the newest are shown."""
MOST_KEYS = 200
"""Keys of samples that are listed of one step."""


def trouble(facts: RunFacts) -> str:
    """Skipped steps, lost samples, processes; or that there was nothing."""
    found = skipped(facts) + lost(facts)
    if not found:
        found = '<p class="empty">No step was skipped and no sample was lost.</p>'
    return found + processes(facts)


def skipped(facts: RunFacts) -> str:
    """Steps that were not taken, why, and which samples were in them."""
    if not facts.skipped:
        return ""
    rows = [
        [
            f"{step_of(row):,.0f}",
            esc(row.get("skipped", ""), 300),
            plain(number(row.get("loss"))),
            plain(number(row.get("grad_norm"))),
            keys(row),
        ]
        for row in facts.skipped[: -MOST_ROWS - 1 : -1]
    ]
    return (
        f"<h4>{plural(len(facts.skipped), 'skipped step')}</h4>{left_out(len(facts.skipped))}"
        f"{table(['step', 'why', 'loss', 'gradient norm', 'samples'], rows, numbers=(0, 2, 3))}"
    )


def keys(row: Row) -> str:
    """The samples of a step, folded where there are many."""
    found = [str(one) for one in row.get("samples") or ()]
    listed = " ".join(f"<code>{esc(one, 60)}</code>" for one in found[:MOST_KEYS])
    if len(found) > MOST_KEYS:
        listed += f" and {len(found) - MOST_KEYS:,} more"
    if len(found) <= 2:
        return listed or NONE
    return (
        f'<details class="keys"><summary>{plural(len(found), "sample")}</summary>{listed}</details>'
    )


def lost(facts: RunFacts) -> str:
    """Samples that could not be read, with the message of each."""
    if not facts.lost_count:
        return ""
    rows = [[f"{step:,}", esc(message, 400)] for step, message in reversed(facts.lost)]
    return (
        f"<h4>{plural(facts.lost_count, 'lost sample')}</h4>"
        f"{left_out(facts.lost_count, len(facts.lost))}"
        f"{table(['step', 'message'], rows, numbers=(0,))}"
    )


def left_out(whole: int, shown: int = MOST_ROWS) -> str:
    """That a table holds the newest only."""
    return f'<p class="lead">The newest {shown:,}.</p>' if whole > shown else ""


def processes(facts: RunFacts) -> str:
    """Each start, where it went on from, and how it ended."""
    if not facts.starts:
        return ""
    rows = []
    for at, (start, end) in enumerate(zip(facts.starts, facts.ends, strict=True)):
        newest = at == len(facts.starts) - 1
        how = esc(end.get("reason", ""), 30) if end else "running" if newest else "killed"
        ranks = number(start.get("ranks"))
        rows.append(
            [
                esc(str(start.get("time", NONE))[:19].replace("T", " ")),
                f"{step_of(start):,.0f}",
                f"{step_of(end):,.0f}" if end else NONE,
                how,
                esc(end.get("message") or "", 300) if end else "",
                f"{esc(start.get('device', NONE), 60)}{f' × {ranks:.0f}' if ranks > 1 else ''}",
            ]
        )
    times = Counter(bool(row.get("resumed")) or at > 0 for at, row in enumerate(facts.starts))[True]
    title = f"Resumed {plural(times, 'time')}" if times else "One process"
    head = ["started", "from step", "to step", "ended", "message", "device"]
    return f"<h4>{title}</h4>{table(head, rows[-MOST_ROWS:], numbers=(1, 2))}"


def checkpoints(facts: RunFacts) -> str:
    """What was written, and how long training stood still for it."""
    if not facts.checkpoints:
        return ""
    best = max((at for at, row in enumerate(facts.checkpoints) if row.get("best")), default=-1)
    rows = [
        [
            f"{step_of(row):,.0f}",
            f"<code>{esc(row.get('path', ''))}</code>{badges(facts, row, at == best)}",
            plain(number(row.get("metric"))),
            duration(number(row.get("stall_s"))),
            duration(number(row.get("write_s"))),
            size(number(row.get("bytes"))),
        ]
        for at, row in enumerate(facts.checkpoints)
        if at == best or at >= len(facts.checkpoints) - MOST_ROWS
    ]
    stalls = [number(row.get("stall_s")) for row in facts.checkpoints]
    stalled = sum(one for one in stalls if not math.isnan(one))
    spent = facts.total("seconds")
    share = f", {100 * stalled / spent:.2g}% of the steps' time" if spent > 0 else ""
    head = ["step", "folder", "metric", "stood still", "written in", "size"]
    return (
        f'<p class="lead">{plural(len(facts.checkpoints), "checkpoint")}; training stood still for '
        f"{duration(stalled)} in all{share}.</p>{table(head, rows[::-1], numbers=(0, 2, 3, 4, 5))}"
    )


def badges(facts: RunFacts, row: Row, best: bool) -> str:
    """Whether it is the best, and whether it is still there."""
    path = str(row.get("path", ""))
    places = (facts.folder / path, facts.folder / "checkpoints" / Path(path).name)
    gone = not any(one.is_dir() for one in places)
    return ' <i class="badge">best</i>' * best + ' <i class="badge off">removed</i>' * gone


def recipe(facts: RunFacts) -> str:
    """The recipe's text, folded."""
    if not facts.recipe:
        return ""
    return (
        "<details><summary>recipe.toml</summary>"
        f'<pre tabindex="0">{esc_lines(facts.recipe)}</pre></details>'
    )
