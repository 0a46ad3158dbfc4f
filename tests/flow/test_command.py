"""The command line as people use it: exit statuses, interruptions, kills, object stores."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pagemill.engine.store.place import Place
from pagemill.engine.verify.corpus import verify

from ..support.papers import paper, shelf

pytestmark = pytest.mark.ray
SETTINGS = [
    word
    for setting in ("shard.bytes=100000", "render.dpi=72", "shard.window=2")
    for word in ("--set", setting)
]
TESTS = str(Path(__file__).parents[1] / "support")


def start(*words: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pagemill", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def pagemill(*words: str | Path, **environment: str) -> tuple[int, str, str]:
    process = start(*words, **environment)
    out, err = process.communicate(timeout=170)
    return process.returncode, out, err


def build(inputs: Path, out: Path, *more: str, **environment: str) -> tuple[int, str, str]:
    return pagemill("build", inputs, "--out", out, *SETTINGS, *more, **environment)


def shards(out: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((out / "shards").iterdir())
    }


def rows(out: Path, status: str) -> list[dict[str, Any]]:
    return list(json.loads(pagemill("explain", out, "--status", status, "--json")[1]))


def wait_for(what: str, out: Path, process: subprocess.Popen[str], count: int) -> None:
    """Wait until a build has left so many files of a kind behind, or is over."""
    while process.poll() is None and len(list(out.glob(what))) < count:
        time.sleep(0.02)


def test_killed_anywhere_the_same_command_ends_with_the_same_bytes(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 24)
    assert build(dump, tmp_path / "whole", "--workers", "2")[0] == 0
    out = tmp_path / "killed"
    moments = [(".work/parcels/*.parcel", 1, "1"), ("shards/*.tar", 2, "4"), ("ledger/*", 2, "2")]
    kills = 0
    for what, count, workers in moments:
        process = start("build", dump, "--out", out, *SETTINGS, "--workers", workers)
        wait_for(what, out, process, count)
        kills += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert kills >= 2, "the build was too quick to be killed"
    assert build(dump, out, "--workers", "2")[0] == 0
    assert shards(out) == shards(tmp_path / "whole")
    assert verify(Place.at(str(out))) == []
    assert not (out / ".work").exists()


@pytest.mark.slow
def test_an_interruption_says_how_to_go_on(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 12)
    out = tmp_path / "out"
    slow = {
        "PAGEMILL_FAULT": "faults:inject",
        "PAGEMILL_FAULT_RULE": json.dumps({str(page): "slow" for page in range(6)}),
        "PYTHONPATH": TESTS,
    }
    process = start("build", dump, "--out", out, *SETTINGS, "--workers", "2", **slow)
    wait_for(".work/parcels/*.parcel", out, process, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command again goes on" in err
    assert "Traceback" not in err
    status, told, _ = pagemill("stats", out)
    assert status == 0
    assert "not finished" in told
    done = len(list(out.glob(".work/parcels/*.parcel")))
    assert done >= 2
    paper(dump / "new.pdf", 1)
    status, _, err = build(dump, out)
    assert status == 2
    assert "interrupted" in err
    (dump / "new.pdf").unlink()
    assert build(dump, out)[0] == 0
    assert verify(Place.at(str(out))) == []


@pytest.mark.slow
def test_poison_costs_only_its_pages_and_retry_brings_them_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support.faults import kind_of

    dump = shelf(tmp_path / "dump", 20)
    pages = sum(1 + number % 6 for number in range(20))
    monkeypatch.setenv("PAGEMILL_FAULT_RULE", "0.05")
    poison = {"PAGEMILL_FAULT": "faults:inject", "PYTHONPATH": TESTS}
    out = tmp_path / "out"
    limits = ["--set", "limits.page_deadline_s=2", "--set", "limits.memory_bytes=700000000"]
    assert build(dump, out, "--workers", "2", *limits, **poison)[0] == 0
    failed = {row["key"]: row["reason"] for row in rows(out, "failed")}
    written = [row["key"] for row in rows(out, "written") if row["kind"] == "page"]
    reasons = {
        "segfault": "crash",
        "loop": "timeout",
        "memory": "memory",
        "exception": "render_error",
    }
    assert failed, "no page was poisoned"
    assert {key: reasons[kind_of(key)] for key in failed} == failed
    assert not [key for key in written if kind_of(key)]
    assert len(failed) + len(written) == pages

    before = shards(out)
    reason = next(iter(failed.values()))
    assert pagemill("retry", out, "--reason", reason)[0] == 0
    assert {row["reason"] for row in rows(out, "failed")} == set(failed.values()) - {reason}
    assert pagemill("retry", out)[0] == 0
    assert rows(out, "failed") == []
    again = [row for row in rows(out, "written") if row["key"] in failed]
    assert [row["attempts"] > 1 for row in again] == [True] * len(failed)
    assert {name: shards(out)[name] for name in before} == before
    stats = json.loads(pagemill("stats", out, "--json")[1])
    assert stats["pages"] == {"found": pages, "written": pages, "rejected": 0, "failed": 0}
    assert verify(Place.at(str(out))) == []


@pytest.mark.slow
def test_a_corpus_on_an_object_store_from_an_object_store(tmp_path: Path, s3_uri: str) -> None:
    dump = shelf(tmp_path / "dump", 4)
    bucket = Place.at(f"{s3_uri}/dump")
    for path in sorted(dump.rglob("*.pdf")):
        bucket.write_bytes(str(path.relative_to(dump)), path.read_bytes())
    assert build(dump, tmp_path / "local")[0] == 0
    status, told, err = pagemill("build", f"{s3_uri}/dump", "--out", f"{s3_uri}/out", *SETTINGS)
    assert status == 0, err
    assert f"{s3_uri}/out/report.html" in told
    place = Place.at(f"{s3_uri}/out")
    found = {
        name: hashlib.sha256(place.read_bytes(f"shards/{name}")).hexdigest()
        for name in place.list("shards")
    }
    assert found == shards(tmp_path / "local")
    assert verify(place) == []
    assert place.list(".work") == []


def test_exit_statuses_and_messages(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.pdf").write_bytes(b"not a pdf")
    status, told, err = build(tmp_path / "bad", tmp_path / "out")
    assert status == 1
    assert "no page was written" in err
    assert "not_a_document" in told
    for words, message in (
        (["build", tmp_path / "gone", "--out", tmp_path / "o"], "gone"),
        (["build", tmp_path / "bad", "--out", tmp_path / "o", "--set", "render.dpj=1"], "dpi"),
        (["retry", tmp_path / "out", "--reason", "timeouts"], "timeout"),
        (["explain", tmp_path / "out", "nothing.pdf"], "nothing.pdf"),
        (["explain", tmp_path / "out"], "takes a page key"),
        (["stats", tmp_path / "bad"], "not a corpus"),
        (["verify", tmp_path / "bad"], "not a corpus"),
    ):
        status, _, err = pagemill(*words)
        assert status == 2, words
        assert message in err
        assert "Traceback" not in err


def test_explain_tells_the_fate_of_pages_and_documents(tmp_path: Path) -> None:
    dump = shelf(tmp_path / "dump", 2)
    (dump / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing more")
    out = tmp_path / "out"
    assert build(dump, out)[0] == 0
    status, told, _ = pagemill("explain", out, "broken.pdf", "--json")
    assert status == 0
    row = json.loads(told)
    assert (row["status"], row["kind"]) == ("failed", "document")
    assert row["message"]
    _, told, _ = pagemill("explain", out, "--status", "written", "--json")
    key = next(row["key"] for row in json.loads(told) if row["kind"] == "page")
    status, told, _ = pagemill("explain", out, key)
    assert status == 0
    assert "trusted" in told
    assert "train-000000" in told
    shard = next((out / "shards").iterdir())
    data = bytearray(shard.read_bytes())
    data[700] ^= 1
    shard.write_bytes(data)
    status, told, _ = pagemill("verify", out)
    assert status == 1
    assert shard.stem in told
