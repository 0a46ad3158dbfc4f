"""Where a corpus lies: a folder on a local disk or under any fsspec URI, with atomic writes.

A file is there whole or not at all: local writes go through a temporary file in the same
folder, fsync and rename; object stores get one put; other remote file systems (sftp, smb,
hdfs) a temporary name and a rename. A place is picklable and opens itself again in a worker.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.core import split_protocol

from ..errors import ConfigError
from ..files import (
    TEMPORARY,
    atomic_writer,
    private_temp_dir,
    rename_durably,
    temp_path,
    write_atomic,
)

_SCRATCH = ".work/tmp"
_COPY_BYTES = 8 << 20
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
ATOMIC_PUT = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "memory"}
"""Protocols whose files appear whole."""


class Place(ABC):
    """A folder; `rel` arguments are paths inside it, parts joined by `/`.

    Reading what is not there raises FileNotFoundError, in local and remote places alike.
    """

    uri: str
    """Absolute path or URI; `Place.at(place.uri)` is the same place."""

    @staticmethod
    def at(path_or_uri: str) -> Place:
        """The place at a path or an fsspec URI; the folder need not exist yet.

        Credentials and endpoints come from the environment (`AWS_*`, `FSSPEC_*`) or the
        provider's own files, so that they are never written into a corpus.

        Raises:
            ConfigError: the protocol is unknown, or its package is not installed.
        """
        protocol, _ = split_protocol(path_or_uri)
        if protocol is None or protocol in ("file", "local"):
            path = path_or_uri.partition("://")[2] if protocol else path_or_uri
            return LocalPlace(Path(path).expanduser().absolute())
        if "::" in path_or_uri:
            raise ConfigError(f"{path_or_uri}: a corpus cannot lie behind a chained URI")
        return RemotePlace(path_or_uri.rstrip("/"))

    @abstractmethod
    def child(self, name: str) -> Place:
        """The place of a folder inside this one."""

    def read_bytes(self, rel: str) -> bytes:
        """The whole file."""
        with self.open(rel) as stream:
            return stream.read()

    @abstractmethod
    def read_range(self, rel: str, start: int, size: int) -> bytes:
        """At most `size` bytes from `start` on; fewer where the file ends before."""

    @abstractmethod
    def open(self, rel: str) -> BinaryIO:
        """The file, binary and seekable, for reading; sequential reads are fetched ahead."""

    @abstractmethod
    def write_bytes(self, rel: str, data: bytes) -> None:
        """Create or replace the file, atomically and durably."""

    @abstractmethod
    def put(self, local_path: Path, rel: str) -> None:
        """Bring a local file in, atomically and durably; the source is gone afterwards."""

    @abstractmethod
    def exists(self, rel: str) -> bool:
        """Is there a file or folder of this name?"""

    @abstractmethod
    def size(self, rel: str) -> int:
        """The file's size in bytes."""

    @abstractmethod
    def list(self, rel_folder: str) -> list[str]:
        """Sorted names of the files and folders in a folder, without temporary files.

        Empty where the folder is not there.
        """

    @abstractmethod
    def remove(self, rel: str) -> None:
        """Delete the file; nothing happens where there is none."""

    @abstractmethod
    def remove_tree(self, rel: str) -> None:
        """Delete the folder and all that is in it; nothing happens where there is none."""

    @abstractmethod
    def local_path(self, rel: str) -> Path | None:
        """The file's path where the place is a local folder, else None."""

    @abstractmethod
    def scratch_dir(self) -> Path:
        """An existing local folder for files on their way to `put`.

        On the same file system where the place is local, so that `put` is a rename.
        """

    @abstractmethod
    def sweep(self) -> int:
        """Delete what killed writers left behind; returns how many files.

        To be called while nothing is writing here.
        """

    def __repr__(self) -> str:
        return f"Place.at({self.uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and other.uri == self.uri

    def __hash__(self) -> int:
        return hash(self.uri)


class LocalPlace(Place):
    """A folder on a local disk or a mounted file system."""

    def __init__(self, root: Path, scratch: Path | None = None) -> None:
        self.uri = str(root)
        self._root = root
        self._scratch = scratch if scratch is not None else root / _SCRATCH

    def child(self, name: str) -> Place:
        return LocalPlace(self._root / _checked(name), self._scratch)

    def read_range(self, rel: str, start: int, size: int) -> bytes:
        with self._path(rel).open("rb", buffering=0) as stream:
            stream.seek(start)
            return stream.read(size)

    def open(self, rel: str) -> BinaryIO:
        return self._path(rel).open("rb")

    def write_bytes(self, rel: str, data: bytes) -> None:
        write_atomic(self._path(rel), data)

    def put(self, local_path: Path, rel: str) -> None:
        path = self._path(rel)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename_durably(local_path, path)
        except OSError as err:
            if err.errno != errno.EXDEV:
                raise
            with local_path.open("rb") as reader, atomic_writer(path) as writer:
                shutil.copyfileobj(reader, writer, _COPY_BYTES)
            local_path.unlink()

    def exists(self, rel: str) -> bool:
        return self._path(rel).exists()

    def size(self, rel: str) -> int:
        return self._path(rel).stat().st_size

    def list(self, rel_folder: str) -> list[str]:
        try:
            names = [path.name for path in self._path(rel_folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if not name.startswith(TEMPORARY))

    def remove(self, rel: str) -> None:
        self._path(rel).unlink(missing_ok=True)

    def remove_tree(self, rel: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._path(rel))

    def local_path(self, rel: str) -> Path | None:
        return self._path(rel)

    def scratch_dir(self) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    def sweep(self) -> int:
        leftovers = [
            Path(folder) / name
            for folder, _, names in os.walk(self._root)
            for name in names
            if name.startswith(TEMPORARY) or Path(folder).is_relative_to(self._scratch)
        ]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def _path(self, rel: str) -> Path:
        return self._root / _checked(rel)


class RemotePlace(Place):
    """A folder under an fsspec URI, listed afresh every time."""

    def __init__(self, uri: str, corpus_uri: str = "") -> None:
        self.uri = uri
        self._corpus_uri = corpus_uri or uri
        self._protocol = uri.partition("://")[0]
        self._scratch_name = hashlib.blake2b(self._corpus_uri.encode(), digest_size=8).hexdigest()
        self._fs, self._root = _file_system(uri)

    def __reduce__(self) -> tuple[type[RemotePlace], tuple[str, str]]:
        return RemotePlace, (self.uri, self._corpus_uri)

    def child(self, name: str) -> Place:
        return RemotePlace(f"{self.uri}/{_checked(name)}", self._corpus_uri)

    def read_range(self, rel: str, start: int, size: int) -> bytes:
        end = min(start + size, self.size(rel))
        if start >= end:
            return b""
        return cast(bytes, self._fs.cat_file(self._path(rel), start=start, end=end))

    def open(self, rel: str) -> BinaryIO:
        stream = self._fs.open(
            self._path(rel), "rb", block_size=_COPY_BYTES, cache_type="readahead"
        )
        return cast(BinaryIO, stream)

    def read_bytes(self, rel: str) -> bytes:
        return cast(bytes, self._fs.cat_file(self._path(rel)))

    def write_bytes(self, rel: str, data: bytes) -> None:
        path = self._path(rel)
        self._make_folder_of(path)
        if self._protocol in ATOMIC_PUT:
            self._fs.pipe_file(path, data)
            return
        temporary = _temporary_name(path)
        self._fs.pipe_file(temporary, data)
        self._fs.mv(temporary, path)

    def put(self, local_path: Path, rel: str) -> None:
        path = self._path(rel)
        self._make_folder_of(path)
        if self._protocol in ATOMIC_PUT:
            self._fs.put_file(str(local_path), path)
        else:
            temporary = _temporary_name(path)
            self._fs.put_file(str(local_path), temporary)
            self._fs.mv(temporary, path)
        local_path.unlink()

    def exists(self, rel: str) -> bool:
        self._fs.invalidate_cache()
        return bool(self._fs.exists(self._path(rel)))

    def size(self, rel: str) -> int:
        self._fs.invalidate_cache()
        return int(self._fs.size(self._path(rel)))

    def list(self, rel_folder: str) -> list[str]:
        self._fs.invalidate_cache()
        folder = self._path(rel_folder)
        try:
            paths = self._fs.ls(folder, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        inside = {
            path.rstrip("/").rpartition("/")[2]
            for path in paths
            if path.strip("/") != folder.strip("/")
        }
        return sorted(name for name in inside if not name.startswith(TEMPORARY))

    def remove(self, rel: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(rel))

    def remove_tree(self, rel: str) -> None:
        self._fs.invalidate_cache()
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(self._path(rel), recursive=True)

    def local_path(self, rel: str) -> Path | None:
        return None

    def scratch_dir(self) -> Path:
        return private_temp_dir(self._scratch_name)

    def sweep(self) -> int:
        self._fs.invalidate_cache()
        try:
            paths = self._fs.find(self._root)
        except FileNotFoundError:
            paths = []
        leftovers = [path for path in paths if path.rpartition("/")[2].startswith(TEMPORARY)]
        for path in leftovers:
            self._fs.rm_file(path)
        if self.uri != self._corpus_uri:
            return len(leftovers)
        scratch = [path for path in temp_path(self._scratch_name).rglob("*") if path.is_file()]
        for path in scratch:
            path.unlink(missing_ok=True)
        return len(leftovers) + len(scratch)

    def _path(self, rel: str) -> str:
        rel = _checked(rel)
        return f"{self._root}/{rel}" if rel else self._root

    def _make_folder_of(self, path: str) -> None:
        if self._protocol not in ATOMIC_PUT:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)


def _file_system(uri: str) -> tuple[Any, str]:
    """The fsspec file system, which caches no listing, and the path inside it."""
    protocol = uri.partition("://")[0]
    try:
        fs, root = fsspec.url_to_fs(uri, use_listings_cache=False)
    except ImportError as err:
        extra = _EXTRAS.get(protocol)
        install = f'pip install "pagemill[{extra}]"' if extra else str(err)
        raise ConfigError(f"{uri}: the package for {protocol}:// is missing: {install}") from err
    except ValueError as err:
        raise ConfigError(f"{uri}: {err}") from err
    return fs, cast(str, root).rstrip("/")


def _checked(rel: str) -> str:
    """`rel` as it is used, refused where it would leave the place."""
    path = PurePosixPath(rel)
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"{rel!r} is not a path inside the corpus")
    return "" if str(path) == "." else str(path)


def _temporary_name(path: str) -> str:
    return f"{path.rpartition('/')[0]}/{TEMPORARY}{uuid.uuid4().hex}"
