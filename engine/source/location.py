"""Local paths and URIs: telling them apart, writing them down, and files of them that are open."""

from __future__ import annotations

import os
import re
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self
from urllib.parse import quote, unquote_to_bytes

from ..errors import DataError
from ..reason import Reason
from ..text import sanitize

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SURROGATE = re.compile("[\ud800-\udfff]")


class FoundFile(NamedTuple):
    """One file of a listing."""

    uri: str
    """Absolute path, or URI."""
    name: str
    """Relative to what was searched."""
    size: int = -1
    version: str = ""
    refusal: str = ""
    message: str = ""


class InputFile:
    """An open file: whatever goes wrong while reading it is a `DataError` `missing`."""

    def __init__(self, file: BinaryIO, uri: str, size: int, version: str) -> None:
        self._file = file
        self.uri = uri
        self.size = size
        """Bytes; -1 where the server does not say."""
        self.version = version

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than `size` only at the end."""
        try:
            return self._file.read(size)
        except OSError as err:
            raise unreadable(self.uri, err) from err

    def seek(self, position: int) -> None:
        """Continue at an absolute position."""
        try:
            self._file.seek(position)
        except (OSError, OverflowError) as err:
            raise unreadable(self.uri, err) from err

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def unreadable(uri: str, err: Exception) -> DataError:
    """The error for a file that cannot be read."""
    cause = (isinstance(err, OSError) and err.strerror) or str(err) or type(err).__name__
    return DataError(
        f"cannot read {sanitize(uri)}: {cause}. Check that it exists and may be read.",
        reason=Reason.MISSING,
    )


def version_of(status: os.stat_result) -> str:
    """A token that changes when a local file does."""
    return f"{status.st_size}-{status.st_mtime_ns}"


def is_remote(place: str) -> bool:
    """Whether this is a URI that only fsspec can read."""
    return _URI.match(place) is not None and not place.lower().startswith("file://")


def to_path(uri: str) -> str:
    """The local path of a path or `file://` URI."""
    if not uri.lower().startswith("file://"):
        return uri
    literal = uri[len("file://") :].removeprefix("localhost")
    return literal if os.path.lexists(literal) else os.fsdecode(unquote_to_bytes(literal))


def to_uri(path: str) -> str:
    """The path itself, or a `file://` URI where the path is not UTF-8 and JSON cannot carry it."""
    return "file://" + quote(os.fsencode(path)) if _SURROGATE.search(path) else path
