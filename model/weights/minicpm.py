"""MiniCPM-V 4.5 as released: `llm.`, `vpm.`, `resampler.`, and one flat configuration.

Source: the released config.json, index and code of openbmb/MiniCPM-V-4_5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ...engine.errors import CheckpointError
from ..config import PagemillConfig
from .conversion import (
    CONFIG,
    GENERATION,
    NO_PROCESSOR,
    PREPROCESSOR,
    TOKENIZER,
    Conversion,
    Move,
    afresh,
    configured,
    copied,
    save_processor,
    shapes,
    skeleton,
    tied_twins,
)
from .minicpm_config import (
    IMAGE_TOKEN,
    NAME,
    Settings,
    check_exportable,
    check_version,
    image_token,
    our_config,
    slicing_of,
    their_config,
    their_preprocessor,
    their_tokenizer,
)
from .store import Store, read_json, write_json

PREFIXES = {"llm.": "language_model.", "vpm.": "vision.", "resampler.": "connector."}
"""Names in the released layout to ours."""

IGNORED = (
    "resampler.pos_embed",
    "resampler.temporal_pos_embed",
    "vpm.embeddings.position_ids",
    "llm.model.rotary_emb.inv_freq",
)
"""Fixed tables that old files hold; they are computed."""
NOT_RELEASED = "router."
"""Of ours; the released layout has no router."""

TOKENIZER_FILES = (
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)


def importing(source: Sequence[Path], *, seed: int, changes: Settings) -> Conversion:
    """From the released layout to ours.

    Args:
        source: one folder.
        seed: of what is initialised afresh, if a router is asked for.
        changes: fields of `PagemillConfig` to set otherwise.

    Raises:
        CheckpointError: the folder is not of this layout, or incomplete.
    """
    if len(source) != 1:
        raise CheckpointError(f"the layout {NAME} is one folder; {len(source)} were given")
    folder = source[0]
    theirs = read_json(folder / CONFIG)
    check_version(folder, theirs)
    settings = read_json(folder / PREPROCESSOR) if (folder / PREPROCESSOR).is_file() else {}
    settings = {**theirs.get("slice_config", {}), **settings}
    tokenizer = tokenizer_of(folder)
    config: PagemillConfig = configured(
        folder, lambda: our_config(theirs, settings, tokenizer, changes)
    )
    store, model = Store(folder), skeleton(config)
    ignored = [*(name for name in IGNORED if name in store.headers)]
    ignored += tied_twins(model, store, "llm.", "language_model.")
    dtype = config.dtype or torch.float32
    note = NO_PROCESSOR.format(config.image_token_id)
    return Conversion(
        layout=NAME,
        source=(folder,),
        expected=shapes(model),
        moves=[
            Move(store, name, renamed(name, PREFIXES))
            for name in store.headers
            if name not in ignored
        ],
        ignored=ignored,
        new=afresh(model, ["router"], seed, dtype),
        notes=[note] if tokenizer is None else [],
        write_files=partial(write_ours, folder, config, tokenizer, theirs, settings),
    )


def exporting(source: Path) -> Conversion:
    """From ours to the released layout.

    Args:
        source: a folder that `save_pretrained` or an import wrote.

    Raises:
        CheckpointError: the folder is incomplete, or the model is one that the released layout
            cannot hold.
    """
    kind = read_json(source / CONFIG).get("model_type")
    if kind != PagemillConfig.model_type:
        raise CheckpointError(
            f"{source} has model_type {kind!r}; export takes {PagemillConfig.model_type!r}"
        )
    config: PagemillConfig = configured(source, lambda: PagemillConfig.from_pretrained(source))
    check_exportable(config)
    store, model = Store(source), skeleton(config)
    back = {ours: theirs for theirs, ours in PREFIXES.items()}
    ignored = [name for name in store.headers if name.startswith(NOT_RELEASED)]
    ignored += tied_twins(model, store, "", "")
    return Conversion(
        layout=NAME,
        source=(source,),
        expected={
            renamed(name, back): shape
            for name, shape in shapes(model).items()
            if not name.startswith(NOT_RELEASED)
        },
        moves=[
            Move(store, name, renamed(name, back)) for name in store.headers if name not in ignored
        ],
        ignored=ignored,
        write_files=partial(write_theirs, source, config),
    )


def renamed(name: str, prefixes: Mapping[str, str]) -> str:
    """A name with another prefix; empty where there is none for it."""
    for old, new in prefixes.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return ""


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase | None:
    """The tokenizer, without the code that the released files name; None where there is none."""
    if not (folder / TOKENIZER).is_file():
        return None
    tokenizer: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.init_kwargs.pop("auto_map", None)
    return tokenizer


def write_ours(
    source: Path,
    config: PagemillConfig,
    tokenizer: PreTrainedTokenizerBase | None,
    theirs: Settings,
    settings: Settings,
    folder: Path,
) -> None:
    """Write our configuration, tokenizer and processor."""
    copied(source, folder, [GENERATION])
    config.save_pretrained(folder)
    if tokenizer is not None:
        copied(source, folder, TOKENIZER_FILES)
        token = image_token(theirs, tokenizer)
        save_processor(folder, config, tokenizer, image_token=token, settings=settings)


def write_theirs(source: Path, config: PagemillConfig, folder: Path) -> None:
    """Write the released configuration, and the tokenizer and image processor beside it."""
    copied(source, folder, [GENERATION, *TOKENIZER_FILES])
    cut = slicing_of(source, config)
    write_json(folder / CONFIG, their_config(config, cut))
    unit = IMAGE_TOKEN
    if (folder / TOKENIZER).is_file():
        ours: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(source)
        unit = str(ours.convert_ids_to_tokens(config.image_token_id))
        write_json(folder / "tokenizer_config.json", their_tokenizer(source))
    write_json(folder / PREPROCESSOR, their_preprocessor(config, cut, unit))
