"""What a checkpoint exports: a model of transformers' that answers as the live one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.train.checkpoint.export import exported, write_model
from pagemill.train.initial import initial_model, weights_fingerprint
from pagemill.train.ranks import Ranks
from pagemill.train.stream.collate import Batch
from pagemill.train.trainer import Trainer
from support.trained import Job, lines, pieces
from transformers import AutoModelForImageTextToText, AutoProcessor


@pytest.fixture(scope="module")
def untied(corpora, tmp_path_factory) -> Path:
    """A model whose head is not its table of embeddings."""
    folder = tmp_path_factory.mktemp("untied") / "model"
    recipe = Job(corpus=corpora[0], out="").recipe()
    _, processor = initial_model(recipe)
    config = preset("nano")
    config.text_config.tie_word_embeddings = False
    torch.manual_seed(3)
    model = PagemillForConditionalGeneration(config)
    write_model(folder, exported(model.state_dict(), model), config, processor, None)
    return folder


@torch.no_grad()
def logits(model, batch) -> torch.Tensor:
    model.language_model.set_attn_implementation("sdpa")
    inputs = {name: one for name, one in batch.inputs.items() if name != "labels"}
    return model.eval()(**inputs, use_cache=False).logits


@pytest.mark.parametrize(
    ("head", "lora"),
    [
        ("tied", 0),
        ("untied", 4),
        pytest.param("tied", 4, marks=pytest.mark.slow),
        pytest.param("untied", 0, marks=pytest.mark.slow),
    ],
)
def test_every_checkpoint_answers_as_the_live_model(corpora, tmp_path, untied, head, lora):
    settings = [
        "steps=2", "checkpoint.every=1", "optim.lr=1e-2", "pace.kind=constant", f"lora.rank={lora}",
        *([f"model.start={untied}"] if head == "untied" else []),
    ]  # fmt: skip
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=tuple(settings))
    run = Trainer(job.recipe(), tmp_path, Ranks())
    live: dict[int, tuple[Batch, torch.Tensor]] = {}
    taken: list[Batch] = []
    save, train_step = run.save, run.train_step

    def noted() -> None:
        model = run.engine.model
        live[run.progressed.step] = taken[-1], logits(model, taken[-1])
        model.train().language_model.set_attn_implementation("packed")
        save()

    def watched(batch: Batch, *rest) -> None:
        taken.append(batch)
        train_step(batch, *rest)

    run.save, run.train_step = noted, watched  # type: ignore[method-assign]
    run.train()
    assert sorted(live) == [1, 2]
    for step, (batch, wanted) in live.items():
        folder = tmp_path / "checkpoints" / f"step-{step:06d}" / "model"
        loaded = AutoModelForImageTextToText.from_pretrained(folder)
        assert type(loaded).__name__ == "PagemillForConditionalGeneration"
        got = logits(loaded, batch)
        assert torch.allclose(got, wanted, atol=2e-5)
        assert loaded.config.text_config.tie_word_embeddings == (head == "tied")
        assert not [name for name in loaded.state_dict() if "lora" in name or "base_layer" in name]
        processor = AutoProcessor.from_pretrained(folder)
        assert processor.image_processor.scale_resolution == 84
    first, second = (logits_ for _, logits_ in live.values())
    assert not torch.allclose(first[0, :40], second[0, :40], atol=1e-3)


def test_only_adapters_learn_and_the_rest_stays_to_the_bit(corpora, tmp_path):
    settings = (
        "steps=2", 'trains=["language_model"]', "lora.rank=4", "lora.dropout=0.1", "optim.lr=1e-2",
    )  # fmt: skip
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=settings)
    before = initial_model(job.recipe())[0].state_dict()
    run = Trainer(job.recipe(), tmp_path, Ranks())
    run.train()
    after = run.engine.model.state_dict()
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
            {name: one for name, one in run.engine.model.state_dict().items() if "lora_A" in name}
        )
    assert found[0]
    assert all(torch.equal(one, found[1][name]) for name, one in found[0].items())


def test_a_start_that_is_no_model_is_refused(corpora, tmp_path):
    recipe = Job(corpus=corpora[0], out="", settings=(f"model.start={tmp_path}",)).recipe()
    with pytest.raises(ConfigError, match=r"no config\.json"):
        initial_model(recipe)
    with pytest.raises(CheckpointError, match="there are none now"):
        weights_fingerprint(recipe)


def test_a_mark_changes_with_the_weights(corpora, untied, tmp_path):
    job = Job(corpus=corpora[0], out="", settings=(f"model.start={untied}",))
    mark = weights_fingerprint(job.recipe())
    assert mark == weights_fingerprint(job.recipe())
    path = untied / "model.safetensors"
    data = path.read_bytes()
    try:
        path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
        assert weights_fingerprint(job.recipe()) != mark
    finally:
        path.write_bytes(data)
