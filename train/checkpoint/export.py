"""A trained model as a folder that `from_pretrained` reads."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from huggingface_hub import save_torch_state_dict
from torch import Tensor

SHARD_BYTES = 5_000_000_000


def write_model(
    folder: Path, weights: dict[str, Tensor], config: Any, processor: Any, generation: Any
) -> None:
    """Write weights, configuration and processor.

    Args:
        folder: a new one.
        weights: as `adapter.merged_weights` makes them; tied ones may be there twice.
        config: of the model.
        processor: of the model.
        generation: its `GenerationConfig`, or None.
    """
    folder.mkdir(parents=True)
    exported = copy.deepcopy(config)
    exported.architectures = ["PagemillForConditionalGeneration"]
    exported.dtype = next(tensor.dtype for tensor in weights.values() if tensor.is_floating_point())
    exported.save_pretrained(folder)
    if generation is not None:
        generation.save_pretrained(folder)
    if exported.text_config.tie_word_embeddings:
        weights = {
            name: tensor
            for name, tensor in weights.items()
            if name != "language_model.lm_head.weight"
        }
    save_torch_state_dict(weights, folder, max_shard_size=SHARD_BYTES, metadata={"format": "pt"})
    processor.save_pretrained(folder)
