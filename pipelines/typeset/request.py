"""What a typeset corpus is asked to be, and which pages go into which shard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...engine.config import to_tree
from ...engine.errors import ConfigError
from ...engine.typeset.config import TypesetConfig
from ...engine.typeset.material import fingerprint_of

TRAIN, HELD_OUT = "train", "val"
JOB_PAGES = 20
"""Pages that a process makes at a time."""


@dataclass(frozen=True, kw_only=True)
class TypesetRequest:
    """What is to be made."""

    data: Path
    """Folder of texts and fonts."""
    pages: int
    held_out: int = 0
    """Pages of the split `val`, of other fonts and other texts."""
    seed: int = 0
    config: TypesetConfig

    def __post_init__(self) -> None:
        if self.pages < 1 or self.held_out < 0:
            raise ConfigError(
                f"--pages is {self.pages} and --held-out {self.held_out}; "
                "at least one page is wanted, and none or more are held out"
            )

    @property
    def total_pages(self) -> int:
        return self.pages + self.held_out

    def to_tree(self) -> dict[str, Any]:
        """All that the bytes depend on, as `corpus.json` keeps it."""
        numbers = {"seed": self.seed, "pages": self.pages, "held_out": self.held_out}
        return {**to_tree(self.config), **numbers, "material": fingerprint_of(self.data)}

    def fingerprint(self) -> str:
        """16 hex digits that change with anything in `to_tree`."""
        data = orjson.dumps(self.to_tree(), option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(data, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class PageRange:
    """Consecutive pages of one split."""

    split: str
    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first

    def jobs(self) -> Iterator[PageRange]:
        """The range in parts of at most `JOB_PAGES`."""
        for first in range(self.first, self.end, JOB_PAGES):
            yield PageRange(self.split, first, min(first + JOB_PAGES, self.end))


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A shard to be made, and the part of the ledger beside it."""

    number: int
    name: str
    pages: PageRange


def plan_shards(request: TypesetRequest) -> list[ShardPlan]:
    """The shards of a corpus, those to train on first."""
    shards: list[ShardPlan] = []
    size = request.config.shard_pages
    for split, count in ((TRAIN, request.pages), (HELD_OUT, request.held_out)):
        for number, first in enumerate(range(0, count, size)):
            pages = PageRange(split, first, min(first + size, count))
            shards.append(ShardPlan(len(shards), f"{split}-{number:06d}", pages))
    return shards
