"""One layout to another: which tensor of the source becomes which of the result, and how.

A layout says it as a `Conversion`, from configurations and headers alone; `report` compares that
with what the result must hold, and `parts` are the tensors to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from ...engine.errors import CheckpointError, PagemillError
from .. import connector as connectors
from ..config import PagemillConfig
from ..image_processing import PagemillImageProcessor
from ..modeling import PagemillForConditionalGeneration
from ..processing import PagemillProcessor
from ..router import Router
from .report import Report, Shape
from .store import Store, TensorHeader, TensorPart, nbytes

Change = Callable[[Tensor], Tensor]
"""Another arrangement of the same numbers; also tried on a tensor without data, for its shape."""

CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
GENERATION = "generation_config.json"
TOKENIZER = "tokenizer.json"

TOWER_FIELDS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_channels",
    "patch_size",
    "hidden_act",
    "layer_norm_eps",
    "attention_dropout",
)
"""Of a SigLIP tower, named alike in all layouts."""

NO_PROCESSOR = (
    f"there is no {TOKENIZER} in the source: no processor was written, and image_token_id is {{}}. "
    "Save a PagemillProcessor into the folder before use."
)


@dataclass(frozen=True, slots=True)
class Move:
    """A tensor of the source on its way to the result."""

    store: Store
    source: str
    name: str
    """In the result; empty where it has no place."""
    change: Change | None = None

    @property
    def header(self) -> TensorHeader:
        """What its file says about it."""
        return self.store.headers[self.source]

    def shape(self) -> Shape:
        """Its shape in the result; as it is where it cannot be changed as planned."""
        if self.change is None:
            return self.header.shape
        try:
            return tuple(self.change(torch.empty(self.header.shape, device="meta")).shape)
        except RuntimeError:
            return self.header.shape

    def tensor(self) -> Tensor:
        """Its values in the result."""
        read = self.store.read(self.source)
        return read if self.change is None else self.change(read).contiguous()


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """Everything that turns a source into a result."""

    layout: str
    source: tuple[Path, ...]
    expected: Mapping[str, Shape]
    """Name and shape of every tensor that the result must hold."""
    moves: Sequence[Move]
    write_files: Callable[[Path], None]
    """Writes what is not weights into a folder."""
    ignored: Sequence[str] = ()
    new: Mapping[str, Tensor] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def report(self) -> Report:
        """How the source fills the result."""
        shapes = {move.name: move.shape() for move in self.moves}
        filled = shapes.keys() | self.new.keys()
        written = self.parts()
        return Report(
            layout=self.layout,
            source=self.source,
            tensors=len(written),
            bytes=sum(part.bytes for part in written),
            missing=tuple(name for name in self.expected if name not in filled),
            unexpected=tuple(move.source for move in self.moves if move.name not in self.expected),
            misshapen=tuple(
                (name, shapes[name], ours)
                for name, ours in self.expected.items()
                if name in shapes and shapes[name] != ours
            ),
            ignored=tuple(self.ignored),
            new=tuple(self.new),
            notes=tuple(self.notes),
        )

    def parts(self) -> list[TensorPart]:
        """The tensors to write, in the order of the result."""
        moves = {move.name: move for move in self.moves}
        parts = []
        for name, shape in self.expected.items():
            if name in moves:
                size = nbytes(shape, moves[name].header.dtype)
                parts.append(TensorPart(name, size, moves[name].tensor))
            elif name in self.new:
                tensor = self.new[name]
                parts.append(TensorPart(name, tensor.nbytes, partial(returned, tensor)))
        return parts


def returned(tensor: Tensor) -> Tensor:
    """The tensor itself."""
    return tensor


def skeleton(config: PagemillConfig) -> PagemillForConditionalGeneration:
    """The model without memory for its weights.

    Raises:
        CheckpointError: there is no such language model.
    """
    try:
        with torch.device("meta"):
            return PagemillForConditionalGeneration(config)
    except (ValueError, KeyError) as err:
        raise CheckpointError(f"no model can be made of the configuration: {err}") from err


def configured(folder: Path, make: Callable[[], Any]) -> Any:
    """A configuration that is made of what a folder says.

    Raises:
        CheckpointError: a field has a value that cannot be.
    """
    try:
        return make()
    except PagemillError:
        raise
    except (StrictDataclassError, KeyError, TypeError, ValueError) as err:
        raise CheckpointError(f"{folder / CONFIG} cannot be used: {err}") from err


def shapes(model: PagemillForConditionalGeneration) -> dict[str, Shape]:
    """Name and shape of every tensor that a checkpoint of the model holds; tied ones once."""
    tied = model.all_tied_weights_keys
    return {
        name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if name not in tied
    }


def afresh(
    model: PagemillForConditionalGeneration, names: Sequence[str], seed: int, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Starting values of the connector or the router, the same for the same seed.

    The state of torch's random numbers is as before.

    Args:
        model: a skeleton.
        names: `connector`, `router`; what the model does not have is left out.
        seed: of the random numbers.
        dtype: of the result.
    """
    config = model.config
    tensors: dict[str, Tensor] = {}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for name in names:
            if getattr(model, name) is None:
                continue
            module: nn.Module = (
                connectors.build(config)
                if name == "connector"
                else Router(config.vision_config.hidden_size)
            )
            module.apply(model._init_weights)
            state = module.state_dict()
            tensors.update({f"{name}.{key}": value.to(dtype) for key, value in state.items()})
    return tensors


def tied_twins(
    model: PagemillForConditionalGeneration, store: Store, prefix: str, place: str
) -> list[str]:
    """Tensors of the source that repeat another one to which ours are tied.

    Args:
        model: a skeleton.
        store: the source.
        prefix: in front of its names, in place of `place`.
        place: in front of ours.

    Raises:
        CheckpointError: the two are not equal, so that tying them would lose one.
    """
    twins = []
    for name, of in model.all_tied_weights_keys.items():
        theirs, original = (prefix + tied.removeprefix(place) for tied in (name, of))
        if theirs not in store.headers or original not in store.headers:
            continue
        if not torch.equal(store.read(theirs), store.read(original)):
            raise CheckpointError(
                f"{store.folder}: config.json says that {theirs} and {original} are one tensor, "
                "but they differ. Set tie_word_embeddings to false there."
            )
        twins.append(theirs)
    return twins


def copied(source: Path, folder: Path, names: Sequence[str]) -> None:
    """Copy those of the files that there are."""
    for name in names:
        if (source / name).is_file():
            copyfile(source / name, folder / name)


def save_processor(
    folder: Path,
    config: PagemillConfig,
    tokenizer: PreTrainedTokenizerBase,
    *,
    image_token: str,
    settings: Mapping[str, Any],
) -> None:
    """Write the processor of a model.

    Args:
        folder: where to.
        config: of the model.
        tokenizer: knows every mark and the image token.
        image_token: stands for one visual token.
        settings: contents of a `preprocessor_config.json`, those of the released layout or of a
            transformers image processor; what is not there has its default.

    Raises:
        ConfigError: the tokenizer lacks a mark.
    """
    means = {"image_mean": settings.get("norm_mean", settings.get("image_mean"))}
    means["image_std"] = settings.get("norm_std", settings.get("image_std"))
    cut = {name: settings.get(name) for name in ("max_slice_nums", "scale_resolution")}
    given = {name: value for name, value in {**means, **cut}.items() if value is not None}
    PagemillProcessor(
        PagemillImageProcessor(patch_size=config.vision_config.patch_size, **given),
        tokenizer,
        image_token=image_token,
        connector=config.connector,
        query_num=config.query_num,
        use_image_id=bool(settings.get("use_image_id", True)),
    ).save_pretrained(folder)


def pixel_scale(settings: Mapping[str, Any]) -> dict[str, float]:
    """Mean and deviation that the tower applies to bytes, from a `preprocessor_config.json`.

    Raises:
        CheckpointError: they differ between channels, which our tower does not know.
    """
    scales = {}
    for ours, theirs in (("image_mean", "norm_mean"), ("image_std", "norm_std")):
        values = settings.get(theirs, settings.get(ours))
        if values is None:
            continue
        if len(set(values)) != 1:
            raise CheckpointError(
                f"{PREPROCESSOR} has {ours} {values}; our tower knows one value for all channels"
            )
        scales[ours] = float(values[0])
    return scales
