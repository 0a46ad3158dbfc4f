"""The loss: that of the whole model, however it is cut; sums by level, task and sample."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from pagemill.corruption import CorruptionConfig, Schedule
from pagemill.corruption.region import RegionConfig
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.train.loss import GROUPS, MicroResult, PackedLoss
from pagemill.train.micro_batch import LEVELS, TASKS, micro_batches
from pagemill.train.step import exchange_totals
from pagemill.train.stream.collate import Batch, collate
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.sample import IGNORED, SampleConfig, TrainingSample
from pagemill.train.stream.stream import PageStream
from support.trained import poison

PACKS, BUDGET, IMAGE = 8, 160, 11


SCHEDULE = Schedule(config=CorruptionConfig(region=RegionConfig(min_length=2.0, share=1.0)))


def config(weighting: str = "square", budget: int = BUDGET) -> StreamConfig:
    return StreamConfig(
        pack=PackConfig(budget_tokens=budget, budget_slices=24, global_packs=PACKS),
        sample=SampleConfig(most_answer_tokens=64, weighting=weighting),
        window_samples=60,
    )


def first(corpora, processor, weighting: str = "square") -> Batch:
    stream = PageStream(
        corpora[0], processor, seed=3, schedule=SCHEDULE, config=config(weighting), names=("scans",)
    )
    return few_words(next(stream.batches()))


def few_words(batch: Batch) -> Batch:
    """The batch in a vocabulary of 512, which costs less; the image token stays apart."""
    ids, labels = (
        torch.where(one == IMAGE, IMAGE, 12 + one % 500) for one in (batch.input_ids, batch.labels)
    )
    labels = labels.masked_fill(batch.labels == IGNORED, IGNORED)
    return replace(batch, input_ids=ids, labels=labels)


@pytest.fixture(scope="module")
def pages(corpora, processor) -> Batch:
    """Pages with both tasks and all levels."""
    batch = first(corpora, processor)
    assert {task for own in batch.tasks_of_packs for task in own} == {"read", "restore"}
    assert set(batch.levels.unique().tolist()) == {-1, 0, 1, 2, 3}
    return batch


@pytest.fixture(scope="module")
def words(processor, tmp_path_factory) -> Batch:
    """Conversations without a picture."""
    path = tmp_path_factory.mktemp("words") / "talks.jsonl"
    talks = [
        [{"role": "user", "content": f"Say {number} times paper."},
         {"role": "assistant", "content": "paper " * number}]
        for number in range(1, 31)
    ]  # fmt: skip
    path.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks))
    batch = next(PageStream(str(path), processor, seed=1, config=config()).batches())
    assert batch.pixel_values is None
    return few_words(batch)


@pytest.fixture(scope="module")
def model() -> PagemillForConditionalGeneration:
    torch.manual_seed(0)
    sizes = preset("nano", query_num=8)
    sizes.text_config.vocab_size = 512
    made = PagemillForConditionalGeneration(sizes).double().train()
    with torch.no_grad():  # far from uniform, so that losses of tokens differ
        made.get_input_embeddings().weight.mul_(8)
    return made


def attending(model, name: str):
    model.language_model.set_attn_implementation(name)
    return model


def results(model, batch: Batch, **how: int) -> list[MicroResult]:
    """What a learner says of every part of a batch, without gradients."""
    with torch.no_grad():
        return learned(model, batch, **how)


def learned(model, batch: Batch, packs: int = PACKS, chunk: int = 64) -> list[MicroResult]:
    """The same; gradients are left in the model."""
    parts = list(micro_batches(batch, packs))
    totals, _ = exchange_totals(parts, chunk, 1)
    learner = PackedLoss(model, chunk_tokens=chunk)
    model.zero_grad(set_to_none=True)
    found = []
    for number, part in enumerate(parts):
        found.append(learner(part, totals.weight, totals.chunks[number]))
        if torch.is_grad_enabled():
            found[-1].loss.backward()
    return found


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: one.grad.clone() for name, one in model.named_parameters()}


def assert_near(one, other, tolerance: float) -> None:
    assert one.keys() == other.keys()
    for name in one:
        scale = float(other[name].norm()) + 1e-7
        assert float((one[name] - other[name]).norm()) < tolerance * scale, name


@pytest.fixture(scope="module")
def plain(model, pages) -> tuple[float, dict[str, torch.Tensor], torch.Tensor]:
    """Loss and gradients by the model's own forward and one cross-entropy, and loss by token."""
    return by_forward(model, pages)


def by_forward(model, batch: Batch):
    model.zero_grad(set_to_none=True)
    given_ = {name: value for name, value in batch.inputs.items() if name != "labels"}
    logits = attending(model, "sdpa")(**given_, use_cache=False).logits[:, :-1]
    targets = batch.labels[:, 1:]
    each = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none", ignore_index=IGNORED)
    weights = torch.where(targets != IGNORED, batch.loss_weights[:, 1:].double(), 0)
    loss = (each * weights).sum() / weights.sum()
    if torch.is_grad_enabled():
        loss.backward()
    hits = (logits.argmax(-1) == targets) & (targets != IGNORED)
    own = gradients(model) if torch.is_grad_enabled() else {}
    return loss.item(), own, torch.stack([each.detach(), hits.double()])


@pytest.mark.parametrize(("attention", "chunk"), [("packed", 5), ("packed", 100_000), ("sdpa", 64)])
def test_any_chunks_give_the_loss_of_the_whole_model(model, pages, plain, attention, chunk):
    [got] = learned(attending(model, attention), pages, chunk=chunk)
    assert got.loss.item() == pytest.approx(plain[0], rel=1e-6)
    assert_near(gradients(model), plain[1], 1e-5)


def test_text_alone_has_the_loss_of_the_whole_model(model, words):
    loss, wanted, _ = by_forward(model, words)
    [got] = learned(attending(model, "packed"), words)
    assert got.loss.item() == pytest.approx(loss, rel=1e-6)
    mine = gradients(model)  # every parameter has one, so that no rank waits for another
    assert_near(mine, wanted, 1e-5)
    assert not any(one.any() for name, one in mine.items() if name.startswith("vision"))


def test_micro_batches_change_nothing(model, pages):
    [whole] = learned(attending(model, "packed"), pages)
    wanted = gradients(model)
    for packs in (1, 2, 4):
        found = learned(model, pages, packs=packs)
        assert len(found) == PACKS // packs
        assert sum(one.loss.item() for one in found) == pytest.approx(whole.loss.item(), rel=1e-6)
        assert_near(gradients(model), wanted, 1e-6)


def test_sums_are_those_of_a_slow_count(model, pages, plain):
    """Levels, tasks and samples, counted token by token from the batch itself."""
    groups = torch.zeros(len(GROUPS) + 1, 3, dtype=torch.float64)
    samples: list[list[float]] = []
    starts, at = pages.cu_seqlens.tolist(), 0
    losses, hits = plain[2]
    for pack, tasks in enumerate(pages.tasks_of_packs):
        for task in tasks:
            samples.append([0.0, 0.0])
            for place in range(starts[at], starts[at + 1]):
                column = place - pack * BUDGET
                if pages.labels[pack, column] == IGNORED:
                    continue
                loss, hit = losses[pack, column - 1].item(), hits[pack, column - 1].item()
                each = torch.tensor([loss, hit, 1.0], dtype=torch.float64)
                level = int(pages.levels[pack, column])
                if level >= 0:
                    groups[level] += each
                groups[len(LEVELS) + TASKS.index(task)] += each
                groups[-1] += each
                samples[-1][0] += loss
                samples[-1][1] += 1
            at += 1
        if starts[at] < (pack + 1) * BUDGET:
            at += 1  # what the pack is filled up with
    found = results(attending(model, "packed"), pages, packs=2, chunk=100)
    assert torch.allclose(sum(one.group_sums for one in found), groups, rtol=1e-5)
    got = torch.cat([one.sample_sums for one in found])
    assert torch.allclose(got, torch.tensor(samples), rtol=1e-5)


def test_logits_of_a_whole_pack_never_exist(model, pages):
    rows: list[int] = []
    hook = model.get_output_embeddings().register_forward_hook(
        lambda module, given_, out: rows.append(out.shape[0])
    )
    try:
        learned(attending(model, "packed"), pages, chunk=50)
    finally:
        hook.remove()
    answers = int((pages.labels[:, 1:] != IGNORED).sum())
    assert max(rows) <= 50
    assert sum(rows) == 2 * answers  # once forward, once for the backward pass


def test_weighting_says_whose_mean_the_loss_is(model, corpora, processor):
    found = {name: first(corpora, processor, name) for name in ("token", "sample", "square")}
    with torch.no_grad():
        _, _, (losses, _) = by_forward(model, found["token"])
    means, counts = [], []
    for part in micro_batches(found["token"], PACKS):
        each = losses.flatten()[part.positions - part.positions // BUDGET]
        for sample in range(len(part.keys)):
            own = each[part.samples == sample]
            means.append(own.mean())
            counts.append(len(own))
    mean, count = torch.stack(means), torch.tensor(counts, dtype=torch.float32)
    wanted = {
        "token": (mean * count).sum() / count.sum(),
        "sample": mean.mean(),
        "square": (mean * count.sqrt()).sum() / count.sqrt().sum(),
    }
    assert len({round(float(one), 4) for one in wanted.values()}) == 3
    for name, batch in found.items():
        assert torch.equal(batch.input_ids, found["token"].input_ids)
        [got] = results(attending(model, "packed"), batch)
        assert got.loss.item() == pytest.approx(float(wanted[name]), rel=1e-5)


def test_samples_learn_the_same_alone_and_in_packs(model, corpora, processor, monkeypatch):
    """The same samples three to a pack and one to a pack, of another length."""
    made: list[list[TrainingSample]] = []
    monkeypatch.setattr(
        "pagemill.train.stream.dataset.collate",
        lambda packs, *rest: made.extend(packs) or collate(packs, *rest),
    )
    batch = first(corpora, processor)
    pad = int(processor.tokenizer.pad_token_id)
    alone = few_words(collate([[one] for pack in made for one in pack], BUDGET + 8, pad, ()))
    assert len(alone.input_ids) > len(batch.input_ids)
    [packed] = learned(attending(model, "packed"), batch)
    wanted = gradients(model)
    [single] = learned(model, alone, packs=len(alone.input_ids))
    assert single.loss.item() == pytest.approx(packed.loss.item(), rel=1e-6)
    assert_near(gradients(model), wanted, 1e-6)
    assert torch.allclose(single.group_sums, packed.group_sums, rtol=1e-5)


def test_a_poisoned_page_spoils_no_other_sample(model, pages):
    spoilt = poison(pages, sample=1)
    attending(model, "packed")
    sums = torch.cat([one.sample_sums for one in results(model, spoilt, packs=2)])
    whole = torch.cat([one.sample_sums for one in results(model, pages, packs=2)])
    bad = ~sums[:, 0].isfinite()
    assert bad.nonzero().flatten().tolist() == [1]
    assert torch.allclose(sums[~bad], whole[~bad], rtol=1e-5)


def test_a_step_without_any_answer_is_no_fault(model, pages):
    empty = replace(pages, labels=torch.full_like(pages.labels, IGNORED))
    [got] = learned(attending(model, "packed"), empty)
    assert got.loss.item() == 0
    assert got.group_sums.sum() == 0
    assert not any(one.any() for one in gradients(model).values())
