"""Weights from and to other layouts, tensor by tensor.

    print(import_checkpoint(Path("MiniCPM-V-4_5"), Path("out"), layout="minicpm-v-4.5").text())
    import_checkpoint([tower, language_model], Path("out"), layout="siglip+qwen3")
    export_checkpoint(Path("out"), Path("back"))

Headers are compared before anything is copied; the result appears under its name when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...engine.errors import CheckpointError, ConfigError
from . import minicpm, minicpm_config, siglip
from .conversion import Conversion
from .report import Report
from .store import building, refuse_full, write_shards

IMPORTS = {
    minicpm_config.NAME: minicpm.importing,
    siglip.NAME: siglip.importing,
}
EXPORTS = {minicpm_config.NAME: minicpm.exporting}

SHARD_BYTES = 4 * 2**30

CHANGEABLE = ("connector", "query_num", "connector_heads", "router", "router_threshold")
"""Fields of `PagemillConfig` that an import may set otherwise."""


def import_checkpoint(
    source: Path | Sequence[Path],
    out: Path,
    *,
    layout: str,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[int, int], None] | None = None,
    seed: int = 0,
    **changes: Any,
) -> Report:
    """A folder that `AutoModelForImageTextToText.from_pretrained` and `AutoProcessor` read.

    Values are copied bit by bit; at most one shard is in memory. Equal sources and an equal seed
    give equal files.

    Args:
        source: the folder of the checkpoint; for `siglip+qwen3` that of the tower and that of the
            language model.
        out: a folder that does not exist yet, or is empty.
        layout: `minicpm-v-4.5` or `siglip+qwen3`.
        shard_bytes: most bytes in one file of weights.
        progress: called with the bytes done and the bytes in all, after every tensor.
        seed: of what the source does not have: connector, router, embeddings of new tokens.
        **changes: fields of `PagemillConfig` to set otherwise: `connector`, `query_num`,
            `connector_heads`, `router`, `router_threshold`.

    Raises:
        ConfigError: there is no such layout, or a field cannot be.
        CheckpointError: the source is incomplete, damaged or of another layout, or `out` holds
            something already. Nothing is written then.
    """
    if layout not in IMPORTS:
        raise ConfigError(f"there is no layout {layout!r} to import: {', '.join(IMPORTS)}")
    unknown = changes.keys() - set(CHANGEABLE)
    if unknown:
        raise ConfigError(f"{min(unknown)} cannot be set here; there are: {', '.join(CHANGEABLE)}")
    folders = [source] if isinstance(source, (str, Path)) else source
    refuse_full(Path(out))
    conversion = IMPORTS[layout]([Path(folder) for folder in folders], seed=seed, changes=changes)
    return converted(conversion, Path(out), shard_bytes, progress)


def export_checkpoint(
    source: Path,
    out: Path,
    *,
    layout: str = minicpm_config.NAME,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """The way back: a folder in another layout, its tensors equal bit by bit.

    Args:
        source: a folder of ours.
        out: a folder that does not exist yet, or is empty.
        layout: `minicpm-v-4.5`.
        shard_bytes: most bytes in one file of weights.
        progress: called with the bytes done and the bytes in all, after every tensor.

    Raises:
        ConfigError: there is no such layout.
        CheckpointError: the source is incomplete or damaged, the layout cannot hold this model, or
            `out` holds something already. Nothing is written then.
    """
    if layout not in EXPORTS:
        raise ConfigError(f"there is no layout {layout!r} to export: {', '.join(EXPORTS)}")
    refuse_full(Path(out))
    return converted(EXPORTS[layout](Path(source)), Path(out), shard_bytes, progress)


def converted(
    conversion: Conversion, out: Path, shard_bytes: int, progress: Callable[[int, int], None] | None
) -> Report:
    """Carry out a conversion.

    Raises:
        CheckpointError: its tensors do not fit; the message is the report.
    """
    report = conversion.report()
    if not report.ok:
        raise CheckpointError(report.text())
    with building(out) as folder:
        conversion.write_files(folder)
        write_shards(folder, conversion.parts(), shard_bytes=shard_bytes, progress=progress)
    return report
