"""What a checkpoint is on disk: its names, its checksums, and what a complete one says.

    checkpoints/step-000300/
      checkpoint.json        written last: step, state, and every file with its size and checksum
      model/                 what `from_pretrained` reads, the processor included
      pieces-00-of-02.safetensors   float32 weights and moments of what learns, by name

A folder under its own name is complete, one that ends in `.part` is not. Weights and moments carry
their names, not their place in a shared-out buffer, so that another number of ranks or another
ZeRO stage reads them as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c

SCHEMA = "pagemill.checkpoint.1"
FOLDER = "checkpoints"
"""In the folder of a run."""
SUMMARY = "checkpoint.json"
MODEL = "model"
PIECES = "pieces-"
STEP_FOLDER = re.compile(r"step-(\d{6,})")
PART = ".part"
"""After the name of a folder that is being written."""
DAMAGED = ".damaged"
"""After the name of a checkpoint that is set aside."""
BLOCK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint, without its tensors."""

    path: Path
    step: int
    state: dict[str, Any]
    """Everything that is neither weight nor moment."""
    files: dict[str, tuple[int, int]]
    """(bytes, crc32c) of every file, by its path in the folder."""

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(size for size, _ in self.files.values())


def folder_name(step: int) -> str:
    """The name of a checkpoint's folder."""
    return f"step-{step:06d}"


def step_of(path: Path) -> int:
    """The step in the name of a complete checkpoint's folder."""
    match = STEP_FOLDER.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def pieces_name(rank: int, ranks: int) -> str:
    """The file with the pieces that a rank writes."""
    return f"{PIECES}{rank:02d}-of-{ranks:02d}.safetensors"


def checksum(path: Path) -> int:
    """crc32c of a file."""
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            value = google_crc32c.extend(value, block)
    return value
