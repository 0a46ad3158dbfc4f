"""Training through the command line: begin, stop, go on, draw; bad input is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from pagemill.command import main
from pagemill.engine.errors import ConfigError
from pagemill.model.folder import model_folder
from pagemill.model.load import load_reader
from pagemill.train.checkpoint.listing import newest_checkpoint
from pagemill.train.log.journal import read

SETTINGS = [
    "steps=4", "model.scale_resolution=84", "model.max_slice_nums=3", "data.workers=0",
    "stream.window_samples=32", "stream.pack.budget_tokens=1024", "stream.pack.global_packs=2",
    "parallel.threads=1", "checkpoint.every=2", "eval.pages=1", "eval.regions=4",
    "eval.most_new_tokens=16",
]  # fmt: skip


def settings(*more: str) -> list[str]:
    return [word for one in (*SETTINGS, *more) for word in ("--set", one)]


@pytest.fixture
def corpus(corpora) -> str:
    return corpora[0]


def test_a_run_is_trained_read_and_drawn(tmp_path, corpus, capsys):
    run = tmp_path / "run"
    words = ["train", "demo", "--data", corpus, "--out", str(run)]
    assert main.main([*words, *settings()]) == 0
    said = capsys.readouterr().out
    assert "done at step 4" in said
    assert "CER" in said
    assert str(run / "checkpoints" / "step-000004") in said
    assert main.main(["report", str(run)]) == 0
    assert (run / "report.html").stat().st_size > 10_000

    assert main.main([*words, *settings()]) == 1
    assert "--resume" in capsys.readouterr().err
    assert main.main([*words, "--resume", *settings("optim.lr=0.5")]) == 1
    assert "optim.lr (was" in capsys.readouterr().err


def test_a_stage_begins_with_the_weights_of_the_one_before(tmp_path, corpus):
    recipe = tmp_path / "two.toml"
    recipe.write_text(
        '[model]\npreset = "nano"\n'
        '[[stage]]\nname = "align"\ntrains = ["connector"]\n'
        '[[stage]]\nname = "joint"\n'
    )
    words = ["train", str(recipe), "--data", corpus, "--out", str(tmp_path / "run")]
    assert main.main([*words, *settings("steps=2", "eval.at_end=false")]) == 0
    first, second = tmp_path / "run" / "1-align", tmp_path / "run" / "2-joint"
    starts = [read(folder / "log.jsonl")[0] for folder in (first, second)]
    assert starts[0]["model"] == "nano"
    assert starts[1]["model"] == str(first / "checkpoints" / "step-000002" / "model")
    assert starts[0]["parameters"]["trained"] < starts[1]["parameters"]["trained"]


def test_a_run_stops_after_its_minutes_and_goes_on(tmp_path, corpus, capsys):
    recipe = tmp_path / "two.toml"
    recipe.write_text(
        '[model]\npreset = "nano"\n[[stage]]\nname = "one"\n[[stage]]\nname = "two"\n'
    )
    run = tmp_path / "run"
    words = ["train", str(recipe), "--data", corpus, "--out", str(run), "--resume"]
    words += settings("steps=2", "eval.at_end=false")
    assert main.main([*words, "--minutes", "1e-6"]) == 130
    assert "--resume" in capsys.readouterr().out
    assert newest_checkpoint(run / "1-one" / "checkpoints").name == "step-000001"
    assert not (run / "2-two").exists()
    assert main.main(words) == 0
    assert model_folder(run).parent == run / "2-two" / "checkpoints" / "step-000002"
    # A stage that is done is not begun again; the last one says that it is.
    before = [line["kind"] for line in read(run / "1-one" / "log.jsonl")]
    assert main.main(words) == 0
    assert [line["kind"] for line in read(run / "1-one" / "log.jsonl")] == before

    packed = tmp_path / "packed"
    assert main.main(["model", "pack", str(run), "--out", str(packed), "--shard-mb", "4"]) == 0
    assert "in bfloat16" in capsys.readouterr().out
    files = sorted(packed.glob("*.safetensors"))
    assert len(files) > 1
    assert max(one.stat().st_size for one in files) <= 4e6
    reader, whole = load_reader(packed), load_reader(run)
    assert reader.model.dtype == torch.float32  # as every model on a CPU
    assert load_reader(packed, dtype="bfloat16").model.dtype == torch.bfloat16
    with pytest.raises(ConfigError, match="int8"):
        load_reader(packed, dtype="int8")
    for (name, low), full in zip(
        reader.model.state_dict().items(), whole.model.state_dict().values(), strict=True
    ):
        assert torch.equal(low, full.bfloat16().float()), name
    assert json.loads((packed / "config.json").read_text())["dtype"] == "bfloat16"
    assert main.main(["model", "pack", str(run), "--out", str(packed)]) == 1
    assert "not empty" in capsys.readouterr().err
    assert (
        main.main(["model", "pack", str(run), "--out", str(packed / "x"), "--dtype", "int8"]) == 2
    )
    small = ["model", "pack", str(run), "--out", str(packed / "x"), "--shard-mb", "1"]
    assert main.main(small) == 2
    assert "embed_tokens" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "nowhere"], "demo, small, base"),
        (["train", "demo"], "--data"),
        (["train", "demo", "--data", "nowhere"], "nowhere"),
        (["train", "demo", "--stage", "sft", "--data", "x"], "no stage 'sft'"),
        (["train", "demo", "--data", "x", "--set", "optim.rate=1"], "optim"),
        (["train", "demo", "--data", "x", "--set", "parallel.micro_packs=3"], "multiple"),
        (["train", "demo", "extra"], "left over"),
        (["train", "report"], "pagemill report RUN"),
        (["train", "report", "runs/a"], "pagemill report runs/a"),
        (["report", "nowhere"], "neither a corpus nor a run"),
        (["train", "ablate"], "recipe"),
    ],
)
def test_bad_input_says_what_to_do(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main.main(words) in (1, 2)
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_sigterm_saves_and_ends(tmp_path, corpus):
    run = tmp_path / "run"
    words = ["train", "demo", "--data", corpus, "--out", str(run)]
    more = settings("steps=100000", "checkpoint.every=0", "eval.at_end=false")
    process = subprocess.Popen(
        [sys.executable, "-m", "pagemill", *words, *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    until = time.monotonic() + 90
    while not steps(run / "log.jsonl"):
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume" in out
    last = read(run / "log.jsonl")[-1]
    assert (last["kind"], last["reason"]) == ("end", "stopped")
    assert (run / "checkpoints" / f"step-{last['step']:06d}" / "checkpoint.json").is_file()


def steps(log: Path) -> int:
    return log.read_text().count('"kind":"step"') if log.is_file() else 0
