"""Whatever text a page is given, it stays text: planted in every string of all four pages."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup
from pagemill.corruption import Schedule
from pagemill.engine.store.ledger import LedgerRow, part_path, write_rows
from pagemill.engine.store.place import Place
from pagemill.report.corpus import write_corpus_report
from pagemill.report.corpus.bar_table import BarRow, bar_table
from pagemill.report.corruption import write_preview
from pagemill.report.kit.chart import (
    Bins,
    Curve,
    StepAxis,
    bar_chart,
    bubble_chart,
    column_chart,
    histogram_chart,
    line_chart,
)
from pagemill.report.kit.page import render_page
from pagemill.report.run import write_run_report
from pagemill.report.run.difference import marked_difference
from pagemill.report.stream import write_stream_report
from support.run_log import sample, steps, summary, with_samples, write_run
from support.stream_view import stream_view

HIDDEN = "\u202e\u2066\u200b\udc80\x00\x1b"
HOSTILE = f"</script></style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;{HIDDEN}"
SHOWN = "<script>alert(1)</script>"
VALID = HOSTILE.replace("\udc80", "")
"""What JSON can hold."""
VOID = {"meta", "img", "input", "br"}


class ParsedPage(HTMLParser):
    """Tags, attributes and text as a browser would find them; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data


def planted(value: Any, text: str = HOSTILE) -> Any:
    """A view with hostile text around every string in it, markup and words of ours apart."""
    if isinstance(value, Markup | Enum | np.ndarray | Place) or value in ("", None):
        return value
    if isinstance(value, str):
        return f"{text}{value}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        changed = {
            name: planted(part, VALID if name == "config" else text)
            for name, part in fields.items()
            if name not in ("ledger", "config_hash")
        }
        return dataclasses.replace(value, **changed)
    if isinstance(value, Mapping):
        return type(value)({key: planted(part, text) for key, part in value.items()})
    if isinstance(value, list | tuple):
        parts = [planted(part, text) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def check(html: str) -> ParsedPage:
    """The page, after what must hold of every page."""
    html.encode("utf-8")
    assert not set(html) & set(HIDDEN)
    page = ParsedPage(html)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for name, value in page.attributes:
        if name in ("src", "href"):
            assert not re.match(r"\s*(javascript|https?):", value), value[:60]
    assert not re.search(r"<(link|iframe|object|base|form)\b", html)
    return page


def write_corpus(corpus: Place, folder: Path) -> str:
    places = {"uri": "/dump/a.pdf", "name": "a.pdf", "member": "b/c.pdf"}
    row = LedgerRow(
        kind="page", key="ab_00001", doc_sha256="ab" * 32, **places, page_index=0,
        status="rejected", reason="blank", message="why", verdict="none", engine="mupdf",
        language="en", width=9, height=9, ms_render=1.0,
    )  # fmt: skip
    failed = dataclasses.replace(row, key="ab_00002", status="failed", reason="crash")
    ours = ("kind", "status", "doc_sha256")
    strange = [
        dataclasses.replace(planted(old), **{name: getattr(old, name) for name in ours})
        for old in (row, failed)
    ]
    write_rows(corpus, part_path(7, 0), [row, failed, *strange])
    return write_corpus_report(corpus, folder / "page.html")


def write_corruption(corpus: Place, folder: Path) -> object:
    return write_preview(corpus, folder / "page.html", schedule=Schedule(), operator="strokes")


def write_stream(corpus: Place, folder: Path) -> None:
    write_stream_report(planted(stream_view()), folder / "page.html")


def write_training(corpus: Place, folder: Path) -> object:
    figures = {VALID: {"loss": 1.0, "accuracy": 0.5, "tokens": 3}}
    bad = {"skipped": VALID, "samples": [VALID] * 3, "failures": [VALID], "tasks": figures}
    rows = steps(20, lambda number: bad if number == 7 else {})
    samples = [sample(read=f"a{VALID}", key=VALID, kind=VALID, target=VALID, blind=VALID)]
    rows += [with_samples(folder, [*samples, sample(level=VALID, read="")])]
    rows += [("eval", {"step": 20, "metrics": summary(0.1)})]
    rows += [("checkpoint", {"step": 20, "path": VALID.replace("\x00", ""), "best": True})]
    rows += [("end", {"step": 20, "reason": "failed", "message": VALID})]
    run = write_run(folder, rows, device=VALID, model=VALID, versions={"torch": VALID})
    return write_run_report(run, folder / "page.html")


@pytest.mark.parametrize(
    ("module", "write"),
    [
        ("corpus.report", write_corpus),
        ("corruption.preview", write_corruption),
        ("stream.report", write_stream),
        ("run.report", write_training),
    ],
)
def test_hostile_text_in_every_string_of_a_page_stays_text(
    module: str,
    write: Callable[[Place, Path], object],
    corpus: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report, pages = importlib.import_module(f"pagemill.report.{module}"), []

    def render_both(template: str, view: object, *, title: str, **options: Any) -> str:
        html = render_page(template, view, title=title, **options)
        pages.append(check(html))
        pages.append(check(render_page(template, planted(view), title=HOSTILE, **options)))
        return html

    monkeypatch.setattr(report, "render_page", render_both)
    write(corpus, tmp_path)
    before, after = pages
    for tag in ("script", "style", "title", "main", "dialog", "meta"):
        assert after.tags[tag] == before.tags[tag], tag
    assert after.tags["img"] <= before.tags["img"]
    assert after.text.count(SHOWN) > 10
    assert "\\u202e\\u2066\\u200b\\udc80\\x00\\x1b" in after.text


def test_hostile_text_in_charts_and_tables_stays_text() -> None:
    x, bins = np.arange(3.0), Bins(np.linspace(0, 3, 4), False, 0)
    curve = Curve(name=HOSTILE, css=HOSTILE, values=x, low=x, high=x, dots=True)
    column = [(HOSTILE, 1.0, HOSTILE)]
    markup = [
        line_chart(HOSTILE, StepAxis(start=0, end=3), x, [curve], note=HOSTILE, value=str),
        histogram_chart(
            bins, [(HOSTILE, np.ones(3))], label=HOSTILE, unit=HOSTILE, ticks=[(1.0, HOSTILE)],
            marker=(1.0, HOSTILE),
        ),
        column_chart(column, target=1.0, tolerance=0.1, label=HOSTILE),
        bubble_chart(
            [(1.0, 1.0, 2, HOSTILE)], frames=[(1.0, 2.0, HOSTILE)], names=(HOSTILE, HOSTILE),
            label=HOSTILE,
        ),
        bar_chart([(HOSTILE, 1.0)], 1.0),
        bar_table([BarRow(HOSTILE, [(HOSTILE, 1.0)], 1, HOSTILE)]),
        marked_difference(f"{HOSTILE} target", f"reading {HOSTILE}"),
    ]  # fmt: skip
    for piece in markup:
        page = check(piece)
        assert page.tags["script"] == page.tags["img"] == 0
