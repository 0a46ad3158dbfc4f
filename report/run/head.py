"""The top of the report: what the run is, how it stands, the figures that matter."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .curves import estimate, trace_of
from .facts import Row, RunFacts, mapping, step_of
from .markup import NONE, compact, duration, esc, number, percent, plain, plural, size

QUIET_S = 1800
"""Seconds without a line after which a run may be dead."""
RECENT = 50
"""Steps over which current rates are taken."""
MEANINGS = {
    "done": "all steps were taken",
    "stopped": "it was told to stop, and can be resumed",
    "failed": "it ended with an error",
    "running": "no end is written yet",
    "waiting": "no step is written yet",
}


def masthead(run: Path, stages: Sequence[RunFacts]) -> str:
    """The name of the run, and with several stages how each of them stands."""
    kicker = '<p class="kicker">Pagemill · training report</p>'
    if len(stages) == 1:
        title = f"<h1><bdi>{esc(stages[0].name)}</bdi> {chip(stages[0])}</h1>"
        return f'<header class="masthead">{kicker}{title}{about(stages[0])}</header>'
    rows = "".join(
        f'<li><a href="#stage-{number}"><b>{esc(one.name)}</b>{chip(one)}'
        f"<span>{esc(steps_text(one))}</span><span>{esc(score_text(one))}</span></a></li>"
        for number, one in enumerate(stages, 1)
    )
    title = f"<h1><bdi>{esc(run.resolve().name)}</bdi></h1>"
    stated = f'<p class="about">{plural(len(stages), "stage")}</p>'
    return (
        f'<header class="masthead">{kicker}{title}{stated}<ol class="stages">{rows}</ol></header>'
    )


def chip(facts: RunFacts) -> str:
    """The state in a word."""
    css = state_style(facts)
    return f'<i class="state {css}" title="{esc(MEANINGS[css])}">{esc(facts.state, 30)}</i>'


def state_style(facts: RunFacts) -> str:
    """The class that has the colour of the state."""
    return facts.state if facts.state in MEANINGS else "stopped"


def about(facts: RunFacts) -> str:
    """Recipe, model and machine in a line, and what the reader must know first."""
    start = facts.start
    said = [
        f"{what} <b>{esc(start[name], 80)}</b>"
        for what, name in (("recipe", "recipe"), ("stage", "stage"), ("model", "model"))
        if start.get(name)
    ]
    if facts.starts and facts.starts[0].get("time"):
        said.append(f"begun {esc(str(facts.starts[0]['time'])[:16].replace('T', ' '))}")
    line = f'<p class="about">{" <i>·</i> ".join(said)}</p>' if said else ""
    return line + warning(facts)


def warning(facts: RunFacts) -> str:
    """Why it ended before its time, or that nothing has been heard of it."""
    end = facts.end or {}
    if facts.state == "failed" or (facts.state == "stopped" and end.get("message")):
        message = esc(end.get("message") or "no message was left", 2000)
        css = "warning failed" if facts.state == "failed" else "warning"
        at = f"{step_of(end):,.0f}"
        return f'<p class="{css}"><b>{esc(facts.state)} after step {at}.</b> {message}</p>'
    quiet_s = time.time() - facts.written_s
    if facts.state == "running" and quiet_s > QUIET_S:
        when = datetime.fromtimestamp(facts.written_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return (
            f'<p class="warning">The log has no end and was last written {when}, '
            f"{duration(quiet_s)} ago: the process may have been killed.</p>"
        )
    return ""


def headline(facts: RunFacts) -> str:
    """The figures that matter, the totals, the model, and where its weights are."""
    if not facts.steps["step"].size:
        return f"{empty(facts)}{facts_list(facts)}"
    return f'<ol class="figures">{tiles(facts)}</ol>{progress(facts)}{facts_list(facts)}'


def empty(facts: RunFacts) -> str:
    """What to say of a run without a step."""
    begun = "It has begun, but no" if facts.starts else "No"
    return f'<p class="empty">{begun} step is written in its log yet: there is nothing to draw.</p>'


def tiles(facts: RunFacts) -> str:
    """Loss, error rate, speed, use of the device."""
    cer, low, high, at = newest_light(facts)
    speed = recent(facts, "tokens_per_s")
    loss, accuracy = (trace_of(facts, name, "answer_tokens").now for name in ("loss", "accuracy"))
    shown = [("loss, smoothed", plain(loss), f"accuracy {percent(accuracy)}")]
    if not math.isnan(cer):
        below = f"{percent(low)} to {percent(high)}, after step {at:,.0f}"
        shown.append(("CER, light", percent(cer), below))
    shown.append(
        ("tokens a second", compact(speed), f"{plain(recent(facts, 'pages_per_s'))} pages")
    )
    mfu = recent(facts, "mfu")
    if not math.isnan(mfu):
        shown.append(("MFU", percent(mfu), "of the device's peak"))
    else:
        wait = recent(facts, "wait")
        shown.append(("waiting for data", percent(wait), "of the time"))
    return "".join(
        f"<li><span>{esc(name)}</span><b>{esc(value)}</b><span>{esc(below)}</span></li>"
        for name, value, below in shown
    )


def progress(facts: RunFacts) -> str:
    """Steps done of those planned, and what they took."""
    done, planned = facts.last, facts.planned
    share = min(done / planned, 1.0) if planned > 0 else 1.0
    about_ = "about " if facts.sampled else ""
    said = [
        f"<b>{esc(steps_text(facts))}</b>",
        f"<b>{about_}{duration(facts.total('seconds'))}</b> in steps",
        f"<b>{about_}{compact(facts.total('tokens'))}</b> tokens",
        f"<b>{about_}{compact(facts.total('pages'))}</b> pages",
    ]
    if facts.state == "running" and planned > done:
        left_s = (planned - done) * recent(facts, "seconds")
        said.append(f"about <b>{duration(left_s)}</b> left")
    return (
        f'<div class="progress {state_style(facts)}"><i style="width:{100 * share:.1f}%"></i></div>'
        f'<p class="about">{" <i>·</i> ".join(said)}</p>'
    )


def facts_list(facts: RunFacts) -> str:
    """Checkpoints, model, device, versions."""
    start = facts.start
    newest = facts.checkpoints[-1] if facts.checkpoints else None
    best = next((row for row in reversed(facts.checkpoints) if row.get("best")), None)
    rows = [
        ("newest checkpoint", checkpoint_text(newest)),
        ("best checkpoint", checkpoint_text(best)),
        ("parameters", parameters(mapping(start.get("parameters")))),
        ("device", device(facts)),
        ("versions", versions(mapping(start.get("versions")))),
    ]
    found = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return f'<dl class="list">{found}</dl>' if found else ""


def checkpoint_text(row: Row | None) -> str:
    """Where a checkpoint lies, and how good it is."""
    if row is None:
        return ""
    metric = number(row.get("metric"))
    told = "" if math.isnan(metric) else f' <span class="soft">metric {plain(metric)}</span>'
    return f"<code>{esc(row.get('path', ''))}</code>{told}"


def parameters(sizes: Mapping[str, object]) -> str:
    """How many parameters each part has, and how many of all learn."""
    counts = {name: number(value) for name, value in sizes.items()}
    counts = {name: value for name, value in counts.items() if not math.isnan(value)}
    total, trained = counts.pop("total", math.nan), counts.pop("trained", math.nan)
    if math.isnan(total) and not counts:
        return ""
    whole = total if not math.isnan(total) else sum(counts.values())
    learns = "" if math.isnan(trained) else f", {percent(trained / max(whole, 1))} of them trained"
    parts = ", ".join(f"{esc(name)} {compact(value)}" for name, value in counts.items() if value)
    return f'{compact(whole)}{learns} <span class="soft">{parts}</span>'


def device(facts: RunFacts) -> str:
    """What it runs on."""
    if not facts.start.get("device"):
        return ""
    ranks = number(facts.start.get("ranks"))
    times = f" × {ranks:.0f} ranks" if ranks > 1 else ""
    memory = facts.steps["memory_bytes"]
    known = memory[np.isfinite(memory)]
    most = (
        f' <span class="soft">at most {size(float(known.max()))} used</span>' if known.size else ""
    )
    return f"{esc(facts.start['device'], 80)}{times}{most}"


def versions(found: Mapping[str, object]) -> str:
    """Packages and their versions."""
    return ", ".join(f"{esc(name, 40)} {esc(value, 40)}" for name, value in found.items())


def newest_light(facts: RunFacts) -> tuple[float, float, float, float]:
    """The newest light CER: (value, low, high, step); NaN where none was measured."""
    for row in reversed(facts.evals):
        value, low, high = estimate(row, ("levels", "light", "cer"))
        if not math.isnan(value):
            return value, low, high, step_of(row)
    return (math.nan,) * 4


def recent(facts: RunFacts, name: str) -> float:
    """The median of a column over the last steps."""
    known = facts.steps[name][-RECENT:]
    known = known[np.isfinite(known)]
    return float(np.median(known)) if known.size else math.nan


def steps_text(facts: RunFacts) -> str:
    """How far it is."""
    if math.isnan(facts.planned):
        return plural(int(facts.last), "step")
    return f"{facts.last:,.0f} of {facts.planned:,.0f} steps"


def score_text(facts: RunFacts) -> str:
    """The one figure that stages are told apart by."""
    cer = newest_light(facts)[0]
    if not math.isnan(cer):
        return f"light CER {percent(cer)}"
    loss = trace_of(facts, "loss", "answer_tokens").now
    return NONE if math.isnan(loss) else f"loss {plain(loss)}"
