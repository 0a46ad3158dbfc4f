"""Small checkpoints: whole ones, and the ways in which one can be damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import torch
from pagemill.train.checkpoint.writer import CheckpointWriter, Snapshot, pieces_of_rank

PIECES = {("a", "weight"): torch.arange(6.0).view(2, 3), ("a", "exp_avg"): torch.ones(2, 3)}


def write_model(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(200)))


def snapshot(step: int, write: Callable[[Path], None] = write_model) -> Snapshot:
    """Of one rank."""
    named = ((name, kind, tensor) for (name, kind), tensor in PIECES.items())
    return Snapshot(step, {"metric": None, "step": step}, pieces_of_rank(named, 0, 1), write)


def write_checkpoints(folder: Path, *steps: int) -> list[Path]:
    writer = CheckpointWriter(folder, background=False)
    for step in steps:
        writer.save(snapshot(step))
    return [folder / f"step-{step:06d}" for step in steps]


def damage(path: Path, name: str) -> None:
    pieces = path / "pieces-00-of-01.safetensors"
    if name == "summary":
        (path / "checkpoint.json").unlink()
    elif name == "torn summary":
        data = (path / "checkpoint.json").read_bytes()
        (path / "checkpoint.json").write_bytes(data[: len(data) // 2])
    elif name == "file":
        (path / "model" / "config.json").unlink()
    elif name == "cut":
        pieces.write_bytes(pieces.read_bytes()[:-9])
    elif name == "bit":
        data = bytearray(pieces.read_bytes())
        data[-3] ^= 1
        pieces.write_bytes(data)
    elif name == "schema":
        tree = orjson.loads((path / "checkpoint.json").read_bytes())
        (path / "checkpoint.json").write_bytes(orjson.dumps({**tree, "schema": "other.9"}))
    elif name == "gone":
        shutil.rmtree(path)
