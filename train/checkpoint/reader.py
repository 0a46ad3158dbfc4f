"""Complete checkpoints read and checked, by any number of ranks; what is wrong with one is said."""

from __future__ import annotations

from pathlib import Path

import orjson
from safetensors import safe_open
from torch import Tensor

from ...engine.errors import CheckpointError
from .format import PIECES, SCHEMA, SUMMARY, Checkpoint, checksum


def read_checkpoint(path: Path, *, check: bool = False) -> Checkpoint:
    """A checkpoint, without its tensors.

    Args:
        path: its folder.
        check: whether all files are read and compared with their checksums.

    Raises:
        CheckpointError: it is not one, is half-written, or a file is missing, cut off or changed.
    """
    summary = path / SUMMARY
    if not path.is_dir():
        raise CheckpointError(f"there is no checkpoint {path}")
    if not summary.is_file():
        raise CheckpointError(
            f"{path} has no {SUMMARY}: it is half-written, or no checkpoint of a run. "
            f"Complete ones are called step-000300 and so on"
        )
    try:
        tree = orjson.loads(summary.read_bytes())
    except orjson.JSONDecodeError as err:
        raise CheckpointError(f"{summary} is not JSON: {err}") from err
    schema = tree.get("schema") if isinstance(tree, dict) else None
    if schema != SCHEMA:
        raise CheckpointError(f"{path} has the schema {schema!r}; this version reads {SCHEMA!r}")
    try:
        files = {name: (int(size), int(crc)) for name, (size, crc) in tree["files"].items()}
        checkpoint = Checkpoint(path, int(tree["step"]), dict(tree["state"]), files)
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise CheckpointError(f"{summary} is not what was written: {err!r}") from err
    for name, (size, crc) in files.items():
        check_file(path / name, size, crc if check else None)
    return checkpoint


def check_file(path: Path, size: int, crc: int | None) -> None:
    """Refuse a file that is not what was written.

    Raises:
        CheckpointError: it is not.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the checkpoint is not whole, take another one")
    present = path.stat().st_size
    if present != size:
        raise CheckpointError(f"{path} has {present} bytes, {size} were written: take another one")
    if crc is not None and checksum(path) != crc:
        raise CheckpointError(f"{path} has another checksum than written: take another one")


def read_pieces(checkpoint: Checkpoint) -> dict[tuple[str, str], Tensor]:
    """All pieces of a checkpoint by (name, kind), float32 on the CPU."""
    pieces: dict[tuple[str, str], Tensor] = {}
    for file_name in checkpoint.files:
        if not file_name.startswith(PIECES):
            continue
        with safe_open(checkpoint.path / file_name, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - not a mapping
                kind, _, name = key.partition(":")
                pieces[name, kind] = file.get_tensor(key)
    return pieces
