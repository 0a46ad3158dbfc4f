"""`corpus.json`: what a corpus is, what it was built from and with, and its shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from ..errors import ConfigError, ShardError
from .place import Place

SCHEMA = "pagemill.corpus.1"
FILE = "corpus.json"
SHARD_FOLDER = "shards"
INDEX_FOLDER = "index"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardEntry:
    """A finished shard."""

    name: str
    """`train-000000`: the tar is `shards/NAME.tar`, its index `index/NAME.parquet`."""
    bytes: int
    samples: int
    sha256: str

    @property
    def tar(self) -> str:
        """Path of the tar inside the corpus."""
        return f"{SHARD_FOLDER}/{self.name}.tar"

    @property
    def index(self) -> str:
        """Path of the sidecar inside the corpus."""
        return f"{INDEX_FOLDER}/{self.name}.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One build, addition or retry."""

    number: int
    inputs: tuple[str, ...]
    """As they were given on the command line."""
    documents: int
    config_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusInfo:
    """The content of `corpus.json`."""

    status: Literal["building", "complete"]
    created: str
    """ISO date."""
    config: dict[str, Any]
    """The resolved configuration, as `engine.config.to_tree` gives it."""
    config_hash: str
    image_ext: str
    """`png`, `jpg` or `webp`: the same for every sample."""
    splits: dict[str, tuple[ShardEntry, ...]] = field(default_factory=dict)
    generations: tuple[Generation, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    """Of Pagemill, Python and every library that touches pixels or text."""
    totals: dict[str, Any] = field(default_factory=dict)
    """`engine.store.ledger.LedgerSummary.to_dict`, once complete."""

    @property
    def shards(self) -> tuple[ShardEntry, ...]:
        """The shards of all splits."""
        return tuple(entry for entries in self.splits.values() for entry in entries)

    def save(self, place: Place) -> None:
        """Write `corpus.json`, atomically."""
        tree = {"schema": SCHEMA, **asdict(self)}
        place.write_bytes(FILE, orjson.dumps(tree, option=orjson.OPT_INDENT_2) + b"\n")

    @staticmethod
    def load(place: Place) -> CorpusInfo:
        """Read `corpus.json`.

        Raises:
            ConfigError: there is none, or it is of another schema.
            ShardError: it is damaged.
        """
        try:
            data = place.read_bytes(FILE)
        except (FileNotFoundError, NotADirectoryError) as err:
            message = f"{place.uri} is not a corpus: there is no {FILE} in it"
            raise ConfigError(message) from err
        try:
            tree = orjson.loads(data)
            schema = tree.pop("schema", None)
            if schema == SCHEMA:
                return _from_tree(tree)
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as err:
            raise ShardError(f"{place.uri}/{FILE} is damaged: {err}", key=FILE) from err
        raise ConfigError(
            f"{place.uri}/{FILE} has the schema {schema!r}; this version reads {SCHEMA!r}"
        )


def exists(place: Place) -> bool:
    """Is there a corpus, finished or not?"""
    return place.exists(FILE)


def _from_tree(tree: dict[str, Any]) -> CorpusInfo:
    splits: Mapping[str, list[dict[str, Any]]] = tree.pop("splits")
    generations: list[dict[str, Any]] = tree.pop("generations")
    return CorpusInfo(
        splits={
            name: tuple(ShardEntry(**entry) for entry in entries)
            for name, entries in splits.items()
        },
        generations=tuple(
            Generation(**{**entry, "inputs": tuple(entry["inputs"])}) for entry in generations
        ),
        **tree,
    )
