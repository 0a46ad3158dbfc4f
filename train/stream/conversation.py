"""Instruction data: conversations with or without pictures, from JSONL or Parquet.

A record has `messages` as chat templates take them: a role, and a text or a list of parts
(`{"type": "text", "text": …}`, `{"type": "image", "image": "path"}`); paths are relative to the
file. An `images` column may hold the pictures instead, for parts that name none. `key` is optional.
What the assistant says is learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from ...engine.errors import ConfigError, DataError
from ...engine.files import cache_dir
from ...engine.key import sha256_of
from ...engine.progress import Progress
from .token_count import TOKENS, save_counts

SUFFIXES = {".jsonl": "json", ".json": "json", ".parquet": "parquet"}
BLOCK = 1000
"""Records that count as one shard: what is mixed together, and read from one place."""


@dataclass(frozen=True, slots=True, eq=False)
class ConversationSource:
    """The conversations of a file."""

    name: str
    path: Path
    table: Any
    keys: np.ndarray
    documents: np.ndarray
    shards: np.ndarray
    fingerprint: str

    def __len__(self) -> int:
        return len(self.keys)

    def place_of(self, row: int) -> str:
        """How messages name the place of a record."""
        return f"{self.path.name}: record {row}"

    def record(self, row: int) -> list[tuple[str, list[Any]]]:
        """(role, parts) of every message; a part is a text, or a picture in a tuple.

        Raises:
            DataError: it is no conversation.
        """
        record = self.table[row]
        pictures = iter(record.get("images") or ())
        messages = [
            (str(message.get("role")), list(self.parts(message, pictures)))
            for message in record.get("messages") or ()
        ]
        if not any(role == "assistant" for role, _ in messages):
            raise DataError(f"{self.place_of(row)}: nobody answers in it", key=str(self.keys[row]))
        if next(pictures, None) is not None:
            raise DataError(
                f"{self.place_of(row)}: it has more images than its messages name",
                key=str(self.keys[row]),
            )
        return messages

    def parts(self, message: Mapping[str, Any], pictures: Iterator[Any]) -> Iterator[Any]:
        """Texts, and pictures in tuples."""
        content = message.get("content")
        if isinstance(content, str):
            yield content
            return
        for part in content or ():
            kind = part.get("type")
            if kind == "text":
                yield str(part.get("text") or "")
            elif kind in ("image", "image_url"):
                named = part.get("image") or part.get("path") or part.get("url")
                yield (self.picture(named if named is not None else next(pictures, None)),)
            else:
                raise DataError(f"{self.path.name}: a part of type {kind!r}; text and image can be")

    def picture(self, picture: Any) -> Any:
        """A picture as `as_picture` takes it."""
        if isinstance(picture, Mapping):
            picture = picture.get("bytes") or picture.get("path")
        if picture is None:
            raise DataError(f"{self.path.name}: a message names a picture that is not there")
        if isinstance(picture, str) and "://" not in picture and not picture.startswith("data:"):
            return self.path.parent / picture
        return picture


def open_conversations(path: str, *, name: str = "") -> ConversationSource:
    """The conversations of a JSONL or Parquet file.

    Args:
        path: of the file.
        name: of the source; the path itself when left out.

    Raises:
        ConfigError: the file is missing, of another kind, or has no `messages`.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES or not file.is_file():
        raise ConfigError(f"{path} is no {' or '.join(SUFFIXES)} file that is there")
    try:
        table = datasets.load_dataset(SUFFIXES[file.suffix], data_files=str(file), split="train")
    except (datasets.exceptions.DatasetGenerationError, ValueError) as err:
        raise ConfigError(f"{path} cannot be read: {err.__cause__ or err}") from err
    if "messages" not in table.column_names or not len(table):
        raise ConfigError(f"{path} has no column `messages`, or no record in it")
    table = table.with_format(None)
    if "images" in table.column_names and isinstance(
        table.features["images"], (datasets.Sequence, datasets.List)
    ):
        inner = table.features["images"].feature
        if isinstance(inner, datasets.Image):
            table = table.cast_column("images", datasets.List(datasets.Image(decode=False)))
    keys = (
        [str(key) for key in table["key"]]
        if "key" in table.column_names
        else [f"{file.stem}_{row:08d}" for row in range(len(table))]
    )
    with file.open("rb") as stream:
        digest = sha256_of(stream)
    return ConversationSource(
        name=name or path,
        path=file,
        table=table,
        keys=np.array(keys),
        documents=np.arange(len(table), dtype=np.int64),
        shards=(np.arange(len(table)) // BLOCK).astype(np.int32),
        fingerprint=digest[:16],
    )


def record_lengths(
    source: ConversationSource, measure: Any, processor: str, *, progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(tokens, slices) of every record, int64 [records] each; kept in the cache.

    Args:
        source: the records.
        measure: record → (tokens, slices), reading sizes of pictures but no pixels.
        processor: names it and its tokenizer.
        progress: called with records done and records in all.
    """
    path = cache_dir(TOKENS) / f"{source.fingerprint}-{processor}-records.npy"
    if path.is_file():
        cached: np.ndarray = np.load(path).astype(np.int64)
        if cached.shape == (2, len(source)):
            return cached[0], cached[1]
    lengths = np.zeros((2, len(source)), dtype=np.int64)
    for row in range(len(source)):
        try:
            lengths[:, row] = measure(source.record(row))
        except DataError:
            lengths[:, row] = (1, 0)  # the stream meets it again, and says so with its key
        if progress is not None and row % 100 == 0:
            progress(row + 1, len(source))
    save_counts(path, lengths)
    return lengths[0], lengths[1]
