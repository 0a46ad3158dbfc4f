"""Figures of a step: FLOPs as torch counts them, MFU, what is filling and what is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from pagemill.model.cost.flops import training_flops
from pagemill.train.backend.torch import StepResult, TorchBackend, totals_of
from pagemill.train.initial import initial_model
from pagemill.train.log.run_log import RunLog
from pagemill.train.log.throughput import Throughput, as_row, summed, throughput_of
from pagemill.train.loss import GROUPS, micros
from pagemill.train.optimizer import freeze
from pagemill.train.ranks import Ranks
from pagemill.train.recipe.recipe import PARTS, Recipe
from pagemill.train.stream.collate import Batch, collated
from pagemill.train.trainer import open_stream
from support.trained import BUDGET, Job, lines, trained
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


@pytest.fixture(scope="module")
def exact(corpora, tmp_path_factory) -> tuple[Recipe, Batch]:
    """A batch of two packs of one sample each, and nothing to fill them up with."""
    recipe = Job(corpus=corpora[0], out="").recipe()
    stream = open_stream(recipe, initial_model(recipe)[1])
    kept = []
    patch = pytest.MonkeyPatch()
    patch.setattr("pagemill.train.stream.stream.collated", lambda packs, *rest: kept.extend(packs))
    batches = stream.batches()
    for _ in range(12):
        next(batches)
    patch.undo()
    made = [one for pack in kept for one in pack]
    lengths = [len(one.input_ids) for one in made]
    length = max(set(lengths), key=lengths.count)
    own = [one for one in made if len(one.input_ids) == length][:2]
    assert len(own) == 2
    return recipe, collated([[one] for one in own], length, 0, ())


def counted(recipe: Recipe, batch: Batch) -> tuple[float, Throughput, int]:
    """FLOPs of a step by torch, our facts of it, and what torch sees more for a known reason."""
    model, _ = initial_model(recipe)
    model = freeze(model, recipe.trains, recipe.lora).train()
    model.language_model.set_attn_implementation(recipe.parallel.attention)
    engine = TorchBackend(model, recipe)
    [part] = micros(batch, len(batch.input_ids))
    totals, _ = totals_of([part], recipe.parallel.chunk_tokens, 1)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        engine.backward(part, totals, 0, True)
    facts = throughput_of(model.config, [part], recipe.frozen, adapted=recipe.lora.rank > 0)
    given = {
        "adapted": recipe.lora.rank > 0, "lengths": part.sample_lengths, "packages": None,
        "frozen": recipe.frozen, "tgt_sizes": part.tgt_sizes.tolist(),
        "logit_tokens": len(part.targets),
    }  # fmt: skip
    half, whole = (
        training_flops(model.config, full_square=square, **given).total for square in (False, True)
    )
    text = model.config.text_config
    again = 2 * len(part.targets) * text.hidden_size * text.vocab_size
    return counter.get_total_flops(), facts, whole - half + again


FROZEN = [
    (), ("tower",), ("language_model",), ("tower", "language_model"), ("connector",),
    ("tower", "connector"),
]  # fmt: skip


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda parts: "+".join(parts) or "none")
def test_flops_are_those_that_torch_counts(exact, frozen):
    """Causal attention counts half, and logits are computed twice: torch sees both in full."""
    recipe, batch = exact
    trains = tuple(part for part in PARTS if part not in frozen)
    got, facts, known = counted(replace(recipe, trains=trains), batch)
    assert facts.flops + known == pytest.approx(got, rel=0.01)
    assert known < 0.3 * got


@pytest.mark.parametrize("trains", [PARTS, ("language_model",)], ids="+".join)
def test_flops_with_adapters_are_those_that_torch_counts(exact, trains):
    """But for the adapters' own."""
    recipe, batch = exact
    adapted = replace(recipe, trains=trains, lora=replace(recipe.lora, rank=1))
    got, facts, known = counted(adapted, batch)
    assert facts.flops + known == pytest.approx(got, rel=0.05)


def test_facts_count_samples_without_filling(exact, corpora):
    recipe, batch = exact
    [part] = micros(batch, 2)
    facts = throughput_of(initial_model(recipe)[0].config, [part], ())
    assert facts.tokens == facts.room == batch.input_ids.numel()
    assert facts.pages == 2
    assert facts.slices == len(batch.tgt_sizes)
    assert facts.answer_tokens == int((batch.labels[:, 1:] != -100).sum())
    stream = open_stream(recipe, initial_model(recipe)[1])
    part = list(micros(next(stream.batches()), 1))
    facts = throughput_of(initial_model(recipe)[0].config, part, ())
    assert facts.room == 2 * BUDGET
    assert facts.tokens == sum(sum(one.sample_lengths) for one in part) < facts.room


def test_facts_of_ranks_add_up():
    one, other = Throughput(1, 2, 3, 4, 5, 6), Throughput(10, 20, 30, 40, 50, 60)
    assert summed([as_row(one), as_row(other)]) == Throughput(11, 22, 33, 44, 55, 66)


def test_the_log_has_the_figures_of_the_step(corpora, tmp_path):
    trained(Job(corpus=corpora[0], out=str(tmp_path), settings=("steps=2",)))
    for one in lines(tmp_path):
        assert one["padding"] == pytest.approx(1 - one["tokens"] / (2 * BUDGET))
        assert one["tokens_per_s"] == pytest.approx(one["tokens"] / one["seconds"])
        assert one["pages_per_s"] == pytest.approx(one["pages"] / one["seconds"])
        assert 0 <= one["wait"] <= 1
        assert one["mfu"] is None  # the peak of a CPU is not known
        assert one["memory_bytes"] > 50e6
        tokens = sum(level["tokens"] for level in one["tasks"].values())
        assert tokens == one["answer_tokens"]
        mean = sum(task["loss"] * task["tokens"] for task in one["tasks"].values()) / tokens
        assert 5 < mean < 11


def test_mfu_is_flops_over_the_peak_of_all_devices(corpora, tmp_path):
    teller = RunLog(tmp_path, Job(corpus=corpora[0], out="").recipe(), Ranks(0, 4), None)
    teller.peak = 1e12
    outcome = StepResult(2.0, torch.zeros(len(GROUPS) + 1, 3), 1.0, "", ())
    teller.step(
        1, outcome, Throughput(100, 10, 1, 2, 125, 6e11), seconds=0.5, wait_s=0.1, lr=1.0, window=0,
        shares=(0.25,) * 4, failures=(),
    )  # fmt: skip
    [told] = [json.loads(one) for one in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert told["mfu"] == pytest.approx(6e11 / 0.5 / 4e12)
    assert told["padding"] == pytest.approx(0.2)
    assert told["wait"] == pytest.approx(0.2)
