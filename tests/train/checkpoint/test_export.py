"""What a checkpoint exports: a model of transformers' that answers as the live one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.train.adapter import merged_weights
from pagemill.train.checkpoint.export import write_model
from pagemill.train.initial import initial_model
from pagemill.train.ranks import Ranks
from pagemill.train.stream.collate import Batch
from pagemill.train.trainer import Trainer
from support.trained import Job
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
    write_model(folder, merged_weights(model.state_dict(), model), config, processor, None)
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
        "steps=2", "checkpoint.every=1", "optim.lr=1e-2", "lr_schedule.kind=constant",
        f"lora.rank={lora}",
        *([f"model.start={untied}"] if head == "untied" else []),
    ]  # fmt: skip
    job = Job(corpus=corpora[0], out=str(tmp_path), settings=tuple(settings))
    run = Trainer(job.recipe(), tmp_path, Ranks())
    live: dict[int, tuple[Batch, torch.Tensor]] = {}
    taken: list[Batch] = []
    save, train_step = run.save, run.train_step

    def noted() -> None:
        model = run.backend.model
        live[run.state.step] = taken[-1], logits(model, taken[-1])
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
