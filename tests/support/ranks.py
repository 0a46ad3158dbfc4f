"""Run by torchrun on two ranks: one learns from a picture, the other from text alone, ZeRO-3."""

from __future__ import annotations

import os

import deepspeed
import torch
from pagemill.model import PagemillForConditionalGeneration, preset

SETTINGS = {
    "train_batch_size": 2,
    "train_micro_batch_size_per_gpu": 1,
    "zero_optimization": {"stage": 3, "stage3_param_persistence_threshold": 0},
    "optimizer": {"type": "AdamW", "params": {"lr": 1e-2, "torch_adam": True}},
    "zero_force_ds_cpu_optimizer": False,
}


def main() -> None:
    """Two steps each; prints the losses."""
    rank = int(os.environ["RANK"])
    connector = os.environ["CONNECTOR"]
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(
        preset("nano", query_num=4, connector=connector)
    ).train()
    engine, *_ = deepspeed.initialize(
        model=model, model_parameters=model.parameters(), config=SETTINGS
    )
    ids = torch.tensor([[40, 41, 11, 11, 11, 11, 42, 43]])
    pictures = {"pixel_values": torch.randn(1, 16, 588), "tgt_sizes": torch.tensor([[4, 4]])}
    if rank == 1:
        ids, pictures = torch.tensor([[40, 41, 42]]), {}
    labels = ids.masked_fill(ids == 11, -100)
    for _ in range(2):
        loss = engine(input_ids=ids, labels=labels, **pictures).loss
        engine.backward(loss)
        engine.step()
        print(f"rank {rank} loss {loss.item():.4f}", flush=True)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
