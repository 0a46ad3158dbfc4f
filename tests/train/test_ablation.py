"""The ablation trains every mixture from the same weights and reads all on the same plans."""

from __future__ import annotations

import orjson
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.train import ablation as ablation
from pagemill.train.launch import TrainJob
from pagemill.train.log.journal import read

SETTINGS = (
    "steps=4", "model.scale_resolution=84", "model.max_slice_nums=3", "data.workers=0",
    "data.pages=0", "stream.window_samples=8", "stream.pack.budget_tokens=1024",
    "stream.pack.global_packs=2", "parallel.threads=1", "eval.pages=2", "eval.regions=4",
    "eval.most_new_tokens=16", "adapt.every=2",
)  # fmt: skip


@pytest.fixture
def few_arms(monkeypatch):
    arms = {name: ablation.ARMS[name] for name in ("light", "heavy", "adaptive")}
    monkeypatch.setattr(ablation, "ARMS", arms)


@pytest.mark.slow
def test_arms_differ_in_nothing_but_the_mixture(tmp_path, corpora, few_arms, capsys):
    job = TrainJob(
        recipe="demo", out=str(tmp_path), overrides=(f'data.corpora=["{corpora[0]}"]', *SETTINGS)
    )
    outcome = ablation.ablate(job)
    assert [arm.name for arm in outcome.arms] == ["light", "heavy", "adaptive"]
    figures = orjson.loads((tmp_path / "ablation.json").read_bytes())["arms"]
    assert {arm["steps"] for arm in figures} == {4}
    tokens = [arm["tokens"] for arm in figures]
    assert max(tokens) < 1.02 * min(tokens)
    logs = {name: read(tmp_path / name / "log.jsonl") for name in ablation.ARMS}
    shares = {
        name: [line["shares"] for line in log if line["kind"] == "step"]
        for name, log in logs.items()
    }
    assert shares["light"][-1] == [0, 1, 0, 0]
    assert shares["heavy"][-1] == [0, 0, 0, 1]
    assert [line["kind"] for line in logs["adaptive"]].count("adapt") == 2
    cases = [
        [line["metrics"]["cases"] for line in log if line["kind"] == "eval"]
        for log in logs.values()
    ]
    assert len({tuple(one) for one in cases}) == 1

    stamps = [(tmp_path / name / "log.jsonl").stat().st_size for name in ablation.ARMS]
    again = ablation.ablate(job)
    assert again == outcome
    assert [(tmp_path / name / "log.jsonl").stat().st_size for name in ablation.ARMS] >= stamps
    assert all(
        sum(line["kind"] == "step" for line in read(tmp_path / name / "log.jsonl")) == 4
        for name in ablation.ARMS
    )


def test_a_recipe_of_several_stages_must_name_one(tmp_path):
    with pytest.raises(ConfigError, match="--stage"):
        ablation.ablate(TrainJob(recipe="base", out=str(tmp_path)))
