"""Put the report together; one file that nothing is fetched for."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from ...engine.errors import ConfigError
from ...engine.store.place import Place
from .curves import adaptations, evaluation, frame_of, learning, rates
from .facts import RunFacts, stages
from .head import about, chip, headline, masthead
from .markup import esc
from .sample import samples
from .trouble import checkpoints, recipe, trouble

FILE = "report.html"


def write_run_report(run: Path, out: Path | None = None) -> Path:
    """Write the report of a run; it can be written while the run goes on.

    Args:
        run: folder of a run, or of one with a sub-folder for each stage.
        out: the file; `report.html` in the run's folder if not given.

    Returns:
        Where it was written.

    Raises:
        ConfigError: it is no folder of a run, or the file cannot be written.
        DataError: a log is broken before its last line.
    """
    target = run / FILE if out is None else out
    page = render(run, stages(run)).encode("utf-8")
    try:
        Place.at(str(target.absolute().parent)).write_bytes(target.name, page)
    except OSError as err:
        raise ConfigError(f"cannot write {target}: {err.strerror}") from err
    return target


def render(run: Path, found: tuple[RunFacts, ...]) -> str:
    """The report as HTML; scripts other than its own are forbidden by its own policy."""
    style, script = asset("report.css"), asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    parts = [stage(number, one, alone=len(found) == 1) for number, one in enumerate(found, 1)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{esc(run.resolve().name)} · Pagemill training</title><style>{style}</style></head>"
        f"<body>{masthead(run, found)}{navigation(found, parts)}"
        f"<main>{''.join(parts)}</main><script>{script}</script></body></html>\n"
    )


def stage(number: int, facts: RunFacts, *, alone: bool) -> str:
    """Everything about one run."""
    frame = frame_of(facts)
    curves = bool(facts.steps["step"].size)
    legend = (
        '<p class="key"><span><i class="resume"></i>resumed here</span></p>'
        if facts.resumes
        else ""
    )
    rooms = {
        "Learning": legend + charts(learning(facts, frame)) if curves else "",
        "Evaluation": evaluation(facts, frame),
        "Rates": charts(rates(facts, frame), "third") + adaptations(facts) if curves else "",
        "Samples": samples(facts),
        "What went wrong": trouble(facts) if curves or facts.starts else "",
        "Checkpoints": checkpoints(facts),
        "Recipe": recipe(facts),
    }
    sections = "".join(
        f'<section id="{slug(number, title)}"><h3>{title}</h3>{inner}</section>'
        for title, inner in rooms.items()
        if inner
    )
    head = "" if alone else f"<h2><bdi>{esc(facts.name)}</bdi> {chip(facts)}</h2>{about(facts)}"
    return f'<article class="stage" id="stage-{number}">{head}{headline(facts)}{sections}</article>'


def charts(inner: str, css: str = "") -> str:
    """Panels beside each other."""
    return f'<div class="charts {css}">{inner}</div>' if inner else ""


def navigation(found: tuple[RunFacts, ...], parts: list[str]) -> str:
    """Links to the sections, or to the stages where there are several."""
    if len(found) > 1:
        links = [(f"stage-{number}", one.name) for number, one in enumerate(found, 1)]
    else:
        titles = ("Learning", "Evaluation", "Rates", "Samples", "What went wrong", "Checkpoints",
                  "Recipe")  # fmt: skip
        links = [(slug(1, title), title) for title in titles]
        links = [one for one in links if f'<section id="{one[0]}"' in parts[0]]
    inner = "".join(f'<a href="#{place}">{esc(title)}</a>' for place, title in links)
    return f'<nav><div class="links">{inner}</div></nav>' if inner else ""


def slug(number: int, title: str) -> str:
    """The name of a section in links."""
    return f"{title.split()[-1].lower()}-{number}"


def asset(name: str) -> str:
    """A file beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
