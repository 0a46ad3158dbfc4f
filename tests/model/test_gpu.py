"""What only an accelerator can show: other attention kernels, half precision at real sizes."""

from __future__ import annotations

import pytest
import torch
from pagemill.model import PagemillForConditionalGeneration, preset

pytestmark = pytest.mark.gpu

IMAGE = 11
SIZES = torch.tensor([[37, 26], [32, 32], [27, 38], [27, 38]])


@pytest.fixture(scope="module")
def model() -> PagemillForConditionalGeneration:
    torch.manual_seed(0)
    return PagemillForConditionalGeneration(preset("small")).eval()


def inputs(device: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    longest = int(SIZES.prod(1).max())
    pixels = torch.randn(4, longest, 588, generator=torch.Generator().manual_seed(0))
    ids = [5, *[IMAGE] * 128, 6, 7, 5, *[IMAGE] * 128, 6, 8]
    positions = [*range(131), *range(130)]
    return {
        "input_ids": torch.tensor([ids], device=device),
        "position_ids": torch.tensor([positions], device=device),
        "pixel_values": pixels.to(device, dtype),
        "tgt_sizes": SIZES,
    }


def logits(model, device: str, dtype: torch.dtype, attention: str = "sdpa") -> torch.Tensor:
    model = model.to(device, dtype)
    model.set_attn_implementation(attention)
    with torch.no_grad():
        found = model(**inputs(device, dtype), use_cache=False).logits[0]
    return found.float().cpu().log_softmax(-1)


def test_float32_on_the_device_is_that_of_the_cpu(model):
    cpu = logits(model, "cpu", torch.float32)
    assert torch.allclose(logits(model, "cuda", torch.float32), cpu, atol=5e-3)


@pytest.mark.parametrize("attention", ["sdpa", "flex_attention", "flash_attention_2"])
def test_bfloat16_is_close_with_every_attention(model, attention):
    if attention == "flash_attention_2":
        pytest.importorskip("flash_attn")
    cpu = logits(model, "cpu", torch.float32)
    low = logits(model, "cuda", torch.bfloat16, attention)
    assert (low - cpu).abs().mean() < 0.05


def test_learning_with_checkpointing_fits_the_gradients_without(model):
    model = model.to("cuda", torch.float32).train()
    gradients = []
    for checkpointing in (False, True):
        model.zero_grad()
        if checkpointing:
            model.activation_checkpointing_enable()
        batch = inputs("cuda", torch.float32)
        labels = batch["input_ids"].masked_fill(batch["input_ids"] == IMAGE, -100)
        model(**batch, labels=labels).loss.backward()
        gradients.append(model.connector.proj.grad.clone())
    model.activation_checkpointing_disable()
    model.eval()
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-5)


def test_generation_runs_on_the_device(model):
    model = model.to("cuda", torch.bfloat16).eval()
    model.set_attn_implementation("sdpa")
    batch = inputs("cuda", torch.bfloat16)
    batch.pop("position_ids")
    out = model.generate(**batch, max_new_tokens=8, do_sample=False)
    assert out.shape[1] <= batch["input_ids"].shape[1] + 8
