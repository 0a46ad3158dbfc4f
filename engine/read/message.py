"""What a supervised child and its parent say to each other: pickles with their length in front."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from .reader import ReadConfig

_HEADER = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message: what to make of pages, with which backend and how much memory."""

    backend: str
    config: ReadConfig
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Open:
    path: str
    doc_sha256: str
    passwords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Asks for a page's fate: a `PageFate`."""

    page_index: int


@dataclass(frozen=True, slots=True)
class RenderPage:
    """Asks for a page's pixels alone: a `RenderedPage`."""

    page_index: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A document is open."""

    page_count: int
    engine: str
    repaired: bool
    ms: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A document could not be opened."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The child is set up; `rss_bytes` is what it weighs empty."""

    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Unable:
    """The child cannot work at all: its backend is not installed."""

    message: str


def send(stream: BinaryIO, message: object) -> None:
    """Write one message and flush it."""
    data = pickle.dumps(message, protocol=5)
    stream.write(_HEADER.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read one message.

    Raises:
        EOFError: the other side is gone.
    """
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError("the other side is gone")
    (size,) = _HEADER.unpack(header)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other side went away inside a message")
    return pickle.loads(data)
