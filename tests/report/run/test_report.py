"""The report of a training run: what it shows, what it survives, and that nothing gets out."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from pagemill.engine.errors import ConfigError, DataError
from pagemill.report.run import write_run_report
from pagemill.report.run.series import BUCKETS
from support.run_log import LEVELS, crop, sample, step, steps, summary, with_samples, write_run

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e"
VOID = {"meta", "img", "input", "br"}


class Page(HTMLParser):
    """What a browser would find in a report."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.charts: dict[str, dict[str, list[str]]] = {}
        self.text = ""
        self.title = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        found = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if found.get("class") == "area":
            self.title = found["aria-label"].partition(". At the end")[0]
            self.charts.setdefault(self.title, {})
        if tag == "data":
            self.charts[self.title][found["data-name"]] = found["data-values"].split("|")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text = re.sub(r"\s+", " ", self.text + data)


def page_of(folder: Path) -> Page:
    return Page(write_run_report(folder).read_text(encoding="utf-8"))


def test_the_figures_of_a_run_are_on_its_page(tmp_path):
    rows = steps(100)
    rows[50:50] = [("eval", {"step": 50, "metrics": summary(0.2)})]
    rows += [("eval", {"step": 100, "metrics": summary(0.05)})]
    saved = {"path": "checkpoints/step-000100", "stall_s": 0.5, "write_s": 2.0, "bytes": 4_000_000}
    rows += [("checkpoint", {"step": 100, **saved, "best": True, "metric": 0.05})]
    rows += [("end", {"step": 100, "reason": "done"})]
    (tmp_path / "checkpoints/step-000100").mkdir(parents=True)
    page = page_of(write_run(tmp_path, rows, device="cpu", parameters={"total": 2e6}))
    assert "100 of 100 steps" in page.text
    assert "400k tokens" in page.text
    assert "50 s in steps" in page.text
    assert "5.0%4.5% to 5.5%, after step 100" in page.text
    assert "checkpoints/step-000100best" in re.sub(r"\s+", "", page.text)
    assert "removed" not in page.text
    assert "No step was skipped and no sample was lost." in page.text
    assert page.charts["Character error rate by level"]["light"] == [
        "20.0% (18.0% to 22.0%)",
        "5.0% (4.5% to 5.5%)",
    ]
    assert set(page.charts["Loss by level"]) == {*LEVELS, "all"}
    assert set(page.charts["Read exactly: heavy"]) == {"seen", "blind"}
    assert page.charts["Levels of corruption"]["heavy"][-1] == "10.0%"
    assert len(page.charts["Loss by level"]["all"]) == 100


def test_the_page_is_self_contained_and_runs_no_script_but_its_own(tmp_path):
    rows = steps(20)
    html = write_run_report(write_run(tmp_path, [*rows, with_samples(tmp_path, [sample()])]))
    text = html.read_text(encoding="utf-8")
    assert html == tmp_path / "report.html"
    assert not re.search(r"https?://|<link|@import|url\(", text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"sha256-{digest}" in text
    assert text.count("data:image/png;base64,") == 1


def test_text_from_outside_stays_text(tmp_path):
    bad = {"skipped": HOSTILE, "samples": [HOSTILE] * 3, "failures": [HOSTILE],
           "tasks": {HOSTILE: {"loss": 1.0, "accuracy": 0.5, "tokens": 3}}}  # fmt: skip
    rows = steps(20, lambda number: bad if number == 7 else {})
    one = sample(key=HOSTILE, kind=HOSTILE, target=HOSTILE, read=f"a{HOSTILE}", blind=HOSTILE)
    rows += [with_samples(tmp_path, [one, sample(level=HOSTILE), sample(crop=HOSTILE)])]
    rows += [("checkpoint", {"step": 20, "path": HOSTILE, "best": True})]
    rows += [("end", {"step": 20, "reason": HOSTILE, "message": HOSTILE})]
    run = write_run(tmp_path / "<i>run</i>", rows, device=HOSTILE, model=HOSTILE,
                    versions={HOSTILE: HOSTILE}, parameters={HOSTILE: 3, "total": 3})  # fmt: skip
    (run / "recipe.toml").write_text(f"# {HOSTILE}", encoding="utf-8")
    (tmp_path / "evaluations").rename(run / "evaluations")
    page = page_of(run)
    assert page.tags.count("script") == 1
    assert page.tags.count("img") == 2
    assert not [one for one in page.attributes if one[1].startswith("on")]
    assert not page.open
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text


def test_values_that_are_missing_leave_gaps_and_the_rest_is_drawn(tmp_path):
    def holes(number: int) -> dict[str, Any]:
        if 20 <= number < 60:
            return {"loss": math.nan, "grad_norm": None, "mfu": None, "levels": {}}
        return {"mfu": None, "levels": {"light": {"loss": math.inf, "tokens": None}}}

    rows = steps(100, holes)
    rows += [("eval", {"step": 60, "metrics": {"levels": {"light": {"cer": None}}}})]
    rows += [("eval", {"step": 80}), ("eval", {"step": 90, "metrics": summary(0.1)})]
    text = write_run_report(write_run(tmp_path, rows)).read_text(encoding="utf-8")
    page = Page(text)
    assert not re.search(r'd="[^"]*(nan|inf)', text)
    assert "Model FLOPs utilisation" not in page.charts
    assert "waiting for data" in page.text
    loss = page.charts["Loss by level"]["all"]
    assert loss[40] == "–"
    assert loss[80] != "–"
    assert "light" not in page.charts["Loss by level"]
    assert page.charts["Character error rate by level"]["light"][0] == "–"


def test_skipped_steps_and_lost_samples_are_listed(tmp_path):
    reason = "gradient norm 84 is 21 times the median"
    rows = steps(40)
    rows[9][1].update(skipped=reason, samples=["ab_00001", "ab_00002", "cd_00007"])
    rows[19][1].update(failures=["ef_00003: the image is cut off"])
    page = page_of(write_run(tmp_path, rows))
    for said in (reason, "1 skipped step", "3 samples", "cd_00007", "1 lost sample",
                 "ef_00003: the image is cut off"):  # fmt: skip
        assert said in page.text
    assert "M250 1000v-50" in write_run_report(tmp_path).read_text(encoding="utf-8")


def test_resumes_are_drawn_in_every_chart_and_listed(tmp_path):
    rows = steps(100)
    rows[50:50] = [("end", {"step": 50, "reason": "stopped", "message": "SIGTERM"}),
                   ("start", {"step": 50, "resumed": True, "steps": 100})]  # fmt: skip
    rows[82:82] = [("start", {"step": 80, "resumed": True, "steps": 100})]
    text = write_run_report(write_run(tmp_path, rows)).read_text(encoding="utf-8")
    page = Page(text)
    drawn = text.count('<path class="rule resume" d="M500 1000v-1000M800 1000v-1000"/>')
    assert drawn == text.count("<svg ")
    assert "Resumed 2 times" in page.text
    assert re.search(r"stopped\s*SIGTERM", page.text)
    assert "killed" in page.text
    assert "running" in page.text


def test_steps_told_twice_count_once(tmp_path):
    rows = [*steps(60), ("start", {"step": 40, "steps": 100}), *steps(60)[40:]]
    page = page_of(write_run(tmp_path, rows))
    assert "240k tokens" in page.text
    assert len(page.charts["Learning rate"][""]) == 60


def test_totals_cover_steps_that_no_line_was_written_for(tmp_path):
    rows = [row for row in steps(1000) if row[1]["step"] % 10 == 0]
    assert "about 4M tokens" in page_of(write_run(tmp_path, rows)).text


def test_a_failed_run_says_why(tmp_path):
    rows = [*steps(7), ("end", {"step": 7, "reason": "failed", "message": "loss is not finite"})]
    assert "failed after step 7. loss is not finite" in page_of(write_run(tmp_path, rows)).text


def test_a_run_that_has_only_begun_says_so(tmp_path):
    page = page_of(write_run(tmp_path / "begun", []))
    assert "It has begun, but no step is written in its log yet" in page.text
    (tmp_path / "planned").mkdir()
    (tmp_path / "planned/recipe.toml").write_text("steps = 3")
    page = page_of(tmp_path / "planned")
    assert "No step is written in its log yet" in page.text
    assert "steps = 3" in page.text
    assert not page.charts
    assert page_of(write_run(tmp_path / "one", steps(1))).charts["Loss by level"]["all"] == ["3.92"]


def test_stages_stand_one_under_another_in_order(tmp_path):
    for name in ("1-align", "2-read", "10-all"):
        write_run(tmp_path / name, steps(10) if name != "10-all" else [])
    (tmp_path / "recipe.toml").write_text("whole")
    (tmp_path / "notes").mkdir()
    text = write_run_report(tmp_path, tmp_path / "notes/all.html").read_text(encoding="utf-8")
    names = re.findall(r'<h2 class="stage-name"><bdi>(.*?)</bdi>', text)
    assert names == ["1-align", "2-read", "10-all"]
    links = re.findall(r'<a href="#(.*?)">', text)
    assert {*links} == {"stage-1", "stage-2", "stage-3"}
    ids = re.findall(r' id="(.*?)"', text)
    assert len(ids) == len(set(ids))
    assert {*links} <= {*ids}


def test_what_is_no_run_is_refused_with_what_is_missing(tmp_path):
    with pytest.raises(ConfigError, match=r"has no log\.jsonl, no recipe\.toml and no stage"):
        write_run_report(tmp_path)
    with pytest.raises(ConfigError, match="is not a folder"):
        write_run_report(tmp_path / "nothing")
    (tmp_path / "log.jsonl").write_bytes(b'oops\n{"kind":"start","step":0}\n')
    with pytest.raises(DataError, match="line 1"):
        write_run_report(tmp_path)


def test_samples_show_picture_target_reading_and_blind_answer(tmp_path):
    samples = [sample(level=level, cer=n / 20, key=f"{level}_{n:05d}", target=f"deckle {n}")
               for level in LEVELS for n in range(20)]  # fmt: skip
    samples[20] |= {"read": "deckle 0", "exact": True, "blind": "deckle 0"}
    page = page_of(write_run(tmp_path, [*steps(10), with_samples(tmp_path, samples)]))
    cards = page.tags.count("article") - 1
    assert cards == page.tags.count("img") == 24
    assert "The other 56 are in evaluations/step-000010.json." in page.text
    for level in LEVELS:
        assert f"{level}_00000" in page.text
        assert f"{level}_00019" in page.text
    assert "read exactly" in page.text
    assert "blind is the target" in page.text


def test_pictures_that_are_broken_or_too_many_are_left_out(tmp_path):
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(120_000)).decode()
    samples = [sample(level=level, crop=large) for level in LEVELS for _ in range(6)]
    run = write_run(tmp_path, [*steps(10), with_samples(tmp_path, samples)])
    page = page_of(run)
    assert 0 < page.tags.count("img") < 12
    assert "no picture" in page.text
    assert (run / "report.html").stat().st_size < 2_500_000
    with_samples(run, [sample(crop=one) for one in ("!", "AAAA", None, 7, large * 9, crop())])
    assert page_of(run).tags.count("img") == 1
    (run / "evaluations/step-000010.json").write_bytes(b"{")
    assert page_of(run).tags.count("img") == 0


def test_a_long_run_gives_a_small_page(tmp_path):
    line = orjson.dumps({"kind": "step", **step(0)}).partition(b'"step":0')
    with (tmp_path / "log.jsonl").open("wb") as file:
        file.write(b'{"kind":"start","step":0,"steps":100000}\n')
        file.writelines(
            b'%b"step":%d%b\n' % (line[0], number, line[2]) for number in range(1, 30_001)
        )
    page = page_of(tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 700_000
    assert len(page.charts["Loss by level"]["all"]) == BUCKETS
    assert "30,000 of 100,000 steps" in page.text
