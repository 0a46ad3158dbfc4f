"""States, settings, frames, transformers' Trainer, and a killed run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.sample import SampleConfig
from pagemill.train.stream.stream import PageStream
from support.streams import CONFIG, SCHEDULE, stream
from transformers import Trainer, TrainingArguments

SUPPORT = Path(__file__).resolve().parents[2] / "support"


def test_a_state_of_another_stream_is_refused(corpora, processor):
    state = stream(corpora, processor).state_dict()
    with pytest.raises(CheckpointError, match="seed changed"):
        stream(corpora, processor, seed=4).load_state_dict(state)
    other = StreamConfig(pack=CONFIG.pack, sample=CONFIG.sample, window_samples=161)
    with pytest.raises(CheckpointError, match="config changed"):
        stream(corpora, processor, config=other).load_state_dict(state)
    with pytest.raises(CheckpointError, match="corpora changed"):
        PageStream(corpora[0], processor, seed=3, schedule=SCHEDULE, config=CONFIG).load_state_dict(
            state
        )


def test_settings_that_cannot_be_are_refused(corpora, processor, tmp_path):
    made = stream(corpora, processor)
    with pytest.raises(ConfigError, match="5 ranks cannot share 24 packs"):
        next(made.batches(ranks=5))
    with pytest.raises(ConfigError, match="no split 'test'"):
        PageStream(corpora[0], processor, seed=0, config=CONFIG, split="test")
    small = StreamConfig(pack=PackConfig(budget_tokens=60), sample=CONFIG.sample)
    with pytest.raises(ConfigError, match=r"pack\.budget_tokens is 60"):
        next(stream(corpora, processor, config=small).batches())
    with pytest.raises(ConfigError, match="token, sample, square"):
        SampleConfig(weighting="none")


def test_boxes_are_framed_where_that_is_asked_for(corpora, processor):
    plain_config = StreamConfig(
        pack=CONFIG.pack, window_samples=160,
        sample=SampleConfig(most_answer_tokens=96, read_share=0.0),
    )  # fmt: skip
    marked_config = StreamConfig(
        pack=CONFIG.pack, window_samples=160,
        sample=SampleConfig(most_answer_tokens=96, read_share=0.0, marker=True),
    )  # fmt: skip
    bare, marked = (
        next(stream(corpora, processor, config=one).batches())
        for one in (plain_config, marked_config)
    )
    assert torch.equal(bare.input_ids, marked.input_ids)
    assert not torch.equal(bare.pixel_values, marked.pixel_values)


def test_the_trainer_of_transformers_takes_it(corpora, processor, tmp_path):
    class StreamTrainer(Trainer):
        def get_train_dataloader(self):
            return (batch.inputs for batch in made.batches(ranks=4))

    made = stream(corpora, processor)
    model = PagemillForConditionalGeneration(preset("nano", query_num=8))
    trainer = StreamTrainer(
        model,
        TrainingArguments(
            str(tmp_path), max_steps=3, logging_steps=1, report_to=[], use_cpu=True,
            save_strategy="no", disable_tqdm=True,
        ),
    )  # fmt: skip
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert made.cursor.step >= 3


@pytest.mark.slow
def test_a_killed_run_goes_on_and_leaves_no_workers(corpora, expected, tmp_path):
    found: dict[int, list[str]] = {}
    for least in (2, 4):
        with (tmp_path / "out").open("w") as out:
            run = subprocess.Popen(
                [sys.executable, SUPPORT / "killed.py", tmp_path, *corpora],
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(SUPPORT.parent)},
            )  # fmt: skip
        lines: list[dict] = []
        deadline = time.monotonic() + 90
        while not lines or lines[-1]["step"] < least:
            assert run.poll() is None, (tmp_path / "out").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
            if (tmp_path / "log").exists():
                text = (tmp_path / "log").read_text()
                lines = [json.loads(one) for one in text.splitlines(keepends=True) if "\n" in one]
        run.kill()
        run.wait()
        for line in lines:
            assert found.setdefault(line["step"], line["digests"]) == line["digests"]
        workers = lines[-1]["workers"]
        assert len(workers) == 2
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < deadline, "workers outlive the run"
            time.sleep(0.1)
    assert sorted(found) == list(range(1, max(found) + 1))
    for step, digests in found.items():
        assert step > len(expected) or digests == expected[step - 1]
