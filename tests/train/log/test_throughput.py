"""Throughput of a step: FLOPs as torch counts them, what is filling and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pagemill.model.cost.flops import training_flops
from pagemill.train.backend.torch import TorchBackend
from pagemill.train.initial import initial_model
from pagemill.train.log.throughput import Throughput, as_row, summed, throughput_of
from pagemill.train.micro_batch import micro_batches
from pagemill.train.recipe import PARTS, Recipe
from pagemill.train.setup import open_stream
from pagemill.train.step import exchange_totals
from pagemill.train.stream.collate import Batch, collate
from pagemill.train.trainable import freeze
from support.trained import BUDGET, Job
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


@pytest.fixture(scope="module")
def exact(corpora, tmp_path_factory) -> tuple[Recipe, Batch]:
    """A batch of two packs of one sample each, and nothing to fill them up with."""
    recipe = Job(corpus=corpora[0], out="").recipe()
    stream = open_stream(recipe, initial_model(recipe)[1])
    kept = []
    patch = pytest.MonkeyPatch()
    patch.setattr("pagemill.train.stream.dataset.collate", lambda packs, *rest: kept.extend(packs))
    batches = stream.batches()
    for _ in range(12):
        next(batches)
    patch.undo()
    made = [one for pack in kept for one in pack]
    lengths = [len(one.input_ids) for one in made]
    length = max(set(lengths), key=lengths.count)
    own = [one for one in made if len(one.input_ids) == length][:2]
    assert len(own) == 2
    return recipe, collate([[one] for one in own], length, 0, ())


def counted(recipe: Recipe, batch: Batch) -> tuple[float, Throughput, int]:
    """FLOPs of a step by torch, ours, and what torch sees more for a known reason."""
    model, _ = initial_model(recipe)
    model = freeze(model, recipe.trains, recipe.lora).train()
    model.language_model.set_attn_implementation(recipe.parallel.attention)
    backend = TorchBackend(model, recipe)
    [part] = micro_batches(batch, len(batch.input_ids))
    totals, _ = exchange_totals([part], recipe.parallel.chunk_tokens, 1)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        backend.backward(part, totals, 0, True)
    throughput = throughput_of(model.config, [part], recipe.frozen, adapted=recipe.lora.rank > 0)
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
    return counter.get_total_flops(), throughput, whole - half + again


FROZEN = [
    (), ("tower",), ("language_model",), ("tower", "language_model"), ("connector",),
    ("tower", "connector"),
]  # fmt: skip


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda parts: "+".join(parts) or "none")
def test_flops_are_those_that_torch_counts(exact, frozen):
    """Causal attention counts half, and logits are computed twice: torch sees both in full."""
    recipe, batch = exact
    trains = tuple(part for part in PARTS if part not in frozen)
    got, throughput, known = counted(replace(recipe, trains=trains), batch)
    assert throughput.flops + known == pytest.approx(got, rel=0.01)
    assert known < 0.3 * got


@pytest.mark.parametrize("trains", [PARTS, ("language_model",)], ids="+".join)
def test_flops_with_adapters_are_those_that_torch_counts(exact, trains):
    """But for the adapters' own."""
    recipe, batch = exact
    adapted = replace(recipe, trains=trains, lora=replace(recipe.lora, rank=1))
    got, throughput, known = counted(adapted, batch)
    assert throughput.flops + known == pytest.approx(got, rel=0.05)


def test_throughput_count_samples_without_filling(exact, corpora):
    recipe, batch = exact
    [part] = micro_batches(batch, 2)
    throughput = throughput_of(initial_model(recipe)[0].config, [part], ())
    assert throughput.tokens == throughput.room == batch.input_ids.numel()
    assert throughput.pages == 2
    assert throughput.slices == len(batch.tgt_sizes)
    assert throughput.answer_tokens == int((batch.labels[:, 1:] != -100).sum())
    stream = open_stream(recipe, initial_model(recipe)[1])
    part = list(micro_batches(next(stream.batches()), 1))
    throughput = throughput_of(initial_model(recipe)[0].config, part, ())
    assert throughput.room == 2 * BUDGET
    assert throughput.tokens == sum(sum(one.sample_lengths) for one in part) < throughput.room


def test_throughput_of_ranks_add_up():
    one, other = Throughput(1, 2, 3, 4, 5, 6), Throughput(10, 20, 30, 40, 50, 60)
    assert summed([as_row(one), as_row(other)]) == Throughput(11, 22, 33, 44, 55, 66)
