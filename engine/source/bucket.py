"""Object stores and web servers, through fsspec: listing, matching, reading."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from ..errors import ConfigError, DataError, DependencyError
from ..reason import Reason
from ..text import sanitize
from .location import FoundFile, InputFile, unreadable
from .sniff import HEAD_BYTES

TRIES = 3
PAUSE_S = 0.5
"""Before the second try; doubled before each further one."""

_AHEAD_BYTES = 4 << 20
_BATCH = 256
_TAGS = (
    *("ETag", "etag", "md5Hash", "Content-MD5", "Digest"),
    *("LastModified", "Last-Modified", "last_modified", "updated", "mtime", "modified", "created"),
)
_PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_log = logging.getLogger(__name__)
Result = TypeVar("Result")


def look(uri: str) -> FoundFile | list[FoundFile]:
    """The file at a URI, or all files below it, names relative to it; [] if there is nothing.

    Raises:
        DataError: `missing`: the store cannot be reached or refuses.
        ConfigError: a protocol that fsspec does not know.
        DependencyError: the protocol needs a package that is not installed.
    """
    fs, path = _filesystem(uri)
    if _is_web(uri):
        name = urlsplit(uri).path.rstrip("/").rpartition("/")[2] or urlsplit(uri).netloc
        info = _retried(uri, lambda: _info(fs, path))
        return [] if info is None else _entry(fs, path, name, info)._replace(uri=uri)
    if not uri.endswith("/"):
        info = _retried(uri, lambda: _info(fs, path))
        if info is not None and info["type"] == "file":
            return _entry(fs, path, path.rpartition("/")[2], info)
    below = _retried(uri, lambda: fs.find(path, detail=True))
    return list(_files(fs, below, path))


def match(pattern: str) -> list[FoundFile]:
    """The files that a pattern with `*`, `**`, `?` or `[…]` matches, as `look`."""
    fs, path = _filesystem(pattern)
    if _is_web(pattern):
        raise ConfigError(f"{pattern}: a web server cannot be searched; list the files in @list")
    matches = _retried(pattern, lambda: fs.glob(path, detail=True))
    fixed = path[: min(path.find(sign) for sign in "*?[" if sign in path)].rpartition("/")[0]
    return list(_files(fs, matches, fixed))


def heads(files: Sequence[FoundFile]) -> Iterator[tuple[FoundFile, bytes | DataError]]:
    """The first bytes of each file, many requests at a time."""
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        fs, _ = _filesystem(batch[0].uri)
        paths = [fs._strip_protocol(file.uri) for file in batch]
        ends = [min(HEAD_BYTES, file.size) if file.size >= 0 else HEAD_BYTES for file in batch]
        wanted = [index for index, end in enumerate(ends) if end]
        got = fs.cat_ranges(
            [paths[index] for index in wanted],
            [0] * len(wanted),
            [ends[index] for index in wanted],
            on_error="return",
        )
        answers: dict[int, Any] = dict(zip(wanted, got, strict=True))
        for index, file in enumerate(batch):
            answer = answers.get(index, b"")
            failed = isinstance(answer, Exception)
            yield file, unreadable(file.uri, answer) if failed else answer


def siblings(uri: str) -> list[str]:
    """URIs beside this one, for a suggestion; [] where that cannot be had."""
    fs, path = _filesystem(uri)
    with suppress(Exception):  # only a courtesy: the error about the URI itself is on its way
        return [fs.unstrip_protocol(name) for name in fs.ls(fs._parent(path), detail=False)]
    return []


def open_remote(uri: str, *, ahead: bool) -> InputFile:
    """A remote file for reading; see `input.open_input`."""
    return _RemoteInput(uri, ahead=ahead)


class _RemoteInput(InputFile):
    """Reads by ranges; a failed read is tried again, on a new connection."""

    def __init__(self, uri: str, *, ahead: bool) -> None:
        self._ahead = ahead
        self._position = 0
        self.uri = uri
        self._file: Any = _retried(uri, self._open)
        self.size, self.version = self._state()

    def read(self, size: int) -> bytes:
        return _retried(self.uri, lambda: self._read(size))

    def seek(self, position: int) -> None:
        self._position = position

    def _open(self) -> Any:
        fs, path = _filesystem(self.uri)
        options = {"cache_type": "readahead" if self._ahead else "none"}
        return fs.open(path, "rb", block_size=_AHEAD_BYTES, **options)

    def _read(self, size: int) -> bytes:
        if self._file is None:
            self._file = self._open()
            if self._state() != (self.size, self.version):
                raise FileNotFoundError("it changed while it was read")
        try:
            _move(self._file, self._position)
            data = _full(self._file, size)
        except Exception:
            # Whatever the backend raised, this connection is not used again.
            broken, self._file = self._file, None
            with suppress(Exception):  # a broken connection may fail to close; nothing is lost
                broken.close()
            raise
        self._position += len(data)
        return data

    def _state(self) -> tuple[int, str]:
        details = getattr(self._file, "details", None) or {}
        size = getattr(self._file, "size", None)
        return -1 if size is None else int(size), _version(details)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _move(file: Any, position: int) -> None:
    """Seek, or read up to the position where the server cannot seek."""
    here = file.tell() if file.seekable() else getattr(file, "loc", 0)
    if here == position:
        return
    if file.seekable():
        file.seek(position)
        return
    if here > position:
        raise FileNotFoundError("the server cannot send parts of a file; fetch it first")
    while here < position and (data := file.read(min(_AHEAD_BYTES, position - here))):
        here += len(data)


def _full(file: Any, size: int) -> bytes:
    """Exactly `size` bytes, fewer only at the end: streams answer with what they have."""
    parts: list[bytes] = []
    while size > 0 and (data := file.read(size)):
        parts.append(data)
        size -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _filesystem(uri: str) -> tuple[Any, str]:
    import fsspec

    if "::" in uri:
        raise ConfigError(f"{uri}: chained URLs are not read; name the archive or file itself")
    try:
        fs, path = fsspec.core.url_to_fs(uri, use_listings_cache=False)
    except ImportError as err:
        extra = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}.get(uri.partition("://")[0])
        hint = f": pip install 'pagemill[{extra}]'" if extra else ""
        raise DependencyError(f"{uri} cannot be read: {err}{hint}") from err
    except ValueError as err:
        raise ConfigError(f"{uri}: {err}; known are s3://, gs://, https:// and file://") from err
    return fs, cast(str, path)


def _is_web(uri: str) -> bool:
    return uri.lower().startswith(("http://", "https://"))


def _info(fs: Any, path: str) -> Mapping[str, Any] | None:
    try:
        return cast("Mapping[str, Any]", fs.info(path))
    except FileNotFoundError:
        return None


def _entry(fs: Any, path: str, name: str, info: Mapping[str, Any]) -> FoundFile:
    size = info.get("size")
    size = -1 if size is None else int(size)
    uri = cast(str, fs.unstrip_protocol(path))
    if sanitize(uri) != uri:
        message = "its address is no valid text, or longer than any store allows; rename it"
        return FoundFile(sanitize(uri), name, refusal=Reason.MISSING, message=message)
    return FoundFile(uri, name, size, sanitize(_version(info)))


def _files(fs: Any, infos: Mapping[str, Mapping[str, Any]], above: str) -> Iterator[FoundFile]:
    prefix = above.rstrip("/") + "/" if above else ""
    for path, info in infos.items():
        if info.get("type") == "file" and not path.endswith("/"):
            yield _entry(fs, path, path.removeprefix(prefix), info)


def _version(info: Mapping[str, Any]) -> str:
    tag = next((str(info[tag]) for tag in _TAGS if info.get(tag)), "")
    return f"{info.get('size')}-{tag.strip(chr(34))}" if tag else ""


def _retried(uri: str, action: Callable[[], Result]) -> Result:
    """The action's result; after `TRIES` failures, or one that will not heal, a `DataError`."""
    for attempt in count(1):
        try:
            return action()
        except (DataError, ConfigError, DependencyError, ImportError, MemoryError):
            raise
        except _PERMANENT as err:
            raise unreadable(uri, err) from err
        except Exception as err:  # each backend raises its own library's errors
            if attempt == TRIES:
                raise unreadable(uri, err) from err
            _log.warning("%s: %s; trying again", uri, err)
        time.sleep(PAUSE_S * 2 ** (attempt - 1))
    raise AssertionError("counting never ends")
