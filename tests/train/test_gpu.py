"""The trainer on an accelerator: run with `make gpu`."""

from __future__ import annotations

import math

import pytest
import torch
from pagemill.model.packed import packed_attention, packed_inputs
from pagemill.train.log.journal import read
from pagemill.train.recipe import read_recipe
from pagemill.train.trainer import Trainer
from support.recipes import write_small_recipe

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no accelerator"),
]

SETTINGS = """
[optim]
lr = 3e-3
[parallel]
dtype = "bfloat16"
compile = {compile}
micro_packs = 2
[checkpoint]
every = 10
[eval]
at_end = true
pages = 2
regions = 4
most_new_tokens = 16
"""


def recipe(tmp_path, corpus: str, steps: int, *, compiled: bool = False):
    settings = SETTINGS.format(compile=str(compiled).lower())
    path = write_small_recipe(tmp_path, corpus, steps, settings)
    return read_recipe(path, ["data.workers=2"])[0]


def test_the_kernel_for_packs_agrees_with_each_sample_alone():
    lengths, heads, keys, width = (5, 130, 1, 64), 4, 2, 64
    generator = torch.Generator("cuda").manual_seed(0)
    total = sum(lengths)
    query, key, value = (
        torch.randn(
            1, count, total, width, device="cuda", dtype=torch.bfloat16, generator=generator
        ).requires_grad_()
        for count in (heads, keys, keys)
    )
    module = torch.nn.Module()
    module.num_key_value_groups = heads // keys
    given = packed_inputs(lengths, query.device)
    mixed, _ = packed_attention(module, query, key, value, scaling=width**-0.5, **given)
    mixed.float().square().sum().backward()
    gradient = query.grad.clone()
    query.grad = None
    wide = [one.repeat_interleave(heads // keys, 1) for one in (key, value)]
    alone = torch.cat(
        [
            torch.nn.functional.scaled_dot_product_attention(*one, is_causal=True)
            for one in zip(*(each.split(lengths, 2) for each in (query, *wide)), strict=True)
        ],
        2,
    ).transpose(1, 2)
    alone.float().square().sum().backward()
    assert (mixed - alone).abs().max() < 2e-2
    assert (gradient - query.grad).abs().max() < 5e-2


@pytest.mark.parametrize("compiled", [False, True])
def test_a_run_in_bfloat16_learns_resumes_and_reads(tmp_path, corpora, compiled):
    run = tmp_path / "run"
    Trainer(recipe(tmp_path, corpora[0], 10, compiled=compiled), run).train()
    first = [line for line in read(run / "log.jsonl") if line["kind"] == "step"]
    whole = tmp_path / "whole"
    result = Trainer(recipe(tmp_path, corpora[0], 30, compiled=compiled), whole).train()
    steps = [line for line in read(whole / "log.jsonl") if line["kind"] == "step"]
    assert result.reason == "done"
    assert result.summary["levels"]
    assert steps[-1]["loss"] < 0.8 * steps[0]["loss"]
    assert len(first) == 10
    for line in steps:
        assert line["mfu"] is None or 0 < line["mfu"] < 1
        assert math.isfinite(line["grad_norm"])
        assert line["memory_bytes"] > 0
