"""Adapters: what learns, and what stays."""

from __future__ import annotations

import torch
from pagemill.train.initial import initial_model
from pagemill.train.ranks import Ranks
from pagemill.train.trainer import Trainer
from support.trained import Job, lines, pieces


def test_only_adapters_learn_and_the_rest_stays_to_the_bit(corpora, tmp_path):
    settings = (
        "steps=2", 'trains=["language_model"]', "lora.rank=4", "lora.dropout=0.1", "optim.lr=1e-2",
    )  # fmt: skip
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=settings)
    before = initial_model(job.recipe())[0].state_dict()
    run = Trainer(job.recipe(), tmp_path, Ranks())
    run.train()
    after = run.backend.model.state_dict()
    names = {name for name, _ in pieces(tmp_path)}
    assert names
    assert all(".lora_" in name for name in names)
    for name, tensor in before.items():
        own = name if name in after else name.replace(".weight", ".base_layer.weight")
        assert torch.equal(after[own], tensor), name
    moved = [one for name, one in after.items() if "lora_B" in name]  # zeros at the beginning
    assert len(moved) == 3 * 7
    assert all(one.any() for one in moved)
    [start] = lines(tmp_path, "start")
    assert start["parameters"]["trained"] > 0


def test_adapters_do_not_depend_on_a_global_generator(corpora, tmp_path):
    """Ranks that drew other adapters would train apart."""
    found = []
    for number in range(2):
        torch.manual_seed(number)
        job = Job(corpus=corpora[0], out=str(tmp_path / str(number)), settings=("lora.rank=4",))
        run = Trainer(job.recipe(), job.folder, Ranks())
        run.prepare()
        found.append(
            {name: one for name, one in run.backend.model.state_dict().items() if "lora_A" in name}
        )
    assert found[0]
    assert all(torch.equal(one, found[1][name]) for name, one in found[0].items())
