"""Files of this machine: written whole or not at all, locked between processes, cached.

- `atomic_writer`, `write_atomic`, `rename_durably`: a name holds the old file or the whole new one.
- `lock`, `try_lock`: one process at a time, by filelock.
- `cache_dir`, `private_temp_dir`: where the user's own files lie, by platformdirs.

filelock takes its locks with `fcntl.flock`: the kernel lets go of them when the process ends,
however it ends, and a forked child does not keep them. Its fall-back to files that mean "locked"
by being there, and so outlive a process that is killed, is switched off. Places beyond this
machine (object stores) have `engine.store.place`.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .errors import ConfigError

if TYPE_CHECKING:
    from filelock import FileLock

TEMPORARY = ".part-"
"""How names of files begin that are being written, or whose writer was killed."""


@contextmanager
def atomic_writer(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file when the block ends well, and vanish otherwise.

    Args:
        path: created or replaced; its folder is made.
        durable: the file outlasts a power loss; without, only a kill.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as stream:
            yield stream
        if durable:
            rename_durably(temporary, path)
        else:
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, data: bytes) -> None:
    """Create or replace a file, whole or not at all, for good."""
    with atomic_writer(path) as stream:
        stream.write(data)


def temporary_beside(path: Path) -> Path:
    """A name in the same folder that nobody else uses."""
    return path.with_name(TEMPORARY + uuid.uuid4().hex)


def rename_durably(source: Path, target: Path) -> None:
    """Rename; after a power loss the target holds the old file or the whole new one."""
    if source.stat().st_dev == target.parent.stat().st_dev:
        sync(source)
    source.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as err:
        # network file systems refuse fsync on folders; their rename is durable by itself
        if not (err.errno in (errno.EINVAL, errno.ENOTSUP) and path.is_dir()):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Wait until no other process or thread holds the lock of this file, and hold it.

    Raises:
        ConfigError: the file cannot be made, or its file system has no locks.
    """
    held = _acquired(path, timeout_s=-1)
    assert held is not None
    try:
        yield
    finally:
        held.release()


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of this file if nobody else does; yields whether it is held.

    Raises:
        ConfigError: as `lock`.
    """
    held = _acquired(path, timeout_s=0)
    try:
        yield held is not None
    finally:
        if held is not None:
            held.release()


def cache_dir(name: str) -> Path:
    """The user's cache folder for one kind of file; it may not exist yet.

    `PAGEMILL_CACHE` names the folder above it; without, it is the platform's: `XDG_CACHE_HOME`
    or `~/.cache/pagemill` on Linux, `~/Library/Caches/pagemill` on macOS (older versions used
    `~/.cache` there, too; what they kept can be made again).
    """
    from platformdirs import user_cache_path

    folder = os.environ.get("PAGEMILL_CACHE")
    return (Path(folder) if folder else user_cache_path("pagemill", appauthor=False)) / name


def private_temp_dir(name: str) -> Path:
    """A folder under the system's temporary one that nobody else can read, made if need be.

    Raises:
        ConfigError: another user has made it.
    """
    folder = temp_path(name)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to another user: set TMPDIR to a folder of yours")
    return folder


def temp_path(name: str) -> Path:
    """Where `private_temp_dir` makes its folder."""
    return Path(tempfile.gettempdir()) / f"pagemill-{os.getuid()}-{name}"


def _acquired(path: Path, timeout_s: float) -> FileLock | None:
    """The lock, held; None where another has it and there is no waiting."""
    from filelock import FileLock, Timeout  # 80 ms, and few commands need it

    file_lock = FileLock(path, timeout=timeout_s, fallback_to_soft=False)
    try:
        file_lock.acquire()
    except Timeout:
        return None
    except OSError as err:
        raise ConfigError(
            f"cannot lock {path}: {err.strerror}. Use a folder that you may write, on a file "
            "system that has locks."
        ) from err
    return file_lock
