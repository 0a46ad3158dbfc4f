"""Files are whole or not there, and locks go with the process that held them."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.files import (
    TEMPORARY,
    atomic_writer,
    cache_dir,
    lock,
    private_temp_dir,
    try_lock,
    write_atomic,
)

HOLDER = """
import os, sys, time
from pathlib import Path
from pagemill.engine.files import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""
WRITER = """
import sys, time
from pathlib import Path
from pagemill.engine.files import atomic_writer
with atomic_writer(Path(sys.argv[1])) as stream:
    stream.write(b"half of it")
    stream.flush()
    print("written", flush=True)
    time.sleep(600)
"""


def started(script: str, path: Path) -> subprocess.Popen[str]:
    """A process that has said its first word."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_atomic(path, b"old")
    with suppress(ZeroDivisionError), atomic_writer(path) as stream:
        stream.write(b"%d" % (1 // 0))
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
    with atomic_writer(path, durable=False) as stream:
        stream.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    writer = started(WRITER, path)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    assert path.read_bytes() == b"old"
    assert [p for p in tmp_path.iterdir() if not p.name.startswith(TEMPORARY)] == [path]


def test_a_lock_goes_with_the_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = started(HOLDER, path)
    with try_lock(path) as held:
        assert not held
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with try_lock(path) as held:
        assert held


def test_one_thread_at_a_time_and_nobody_is_left_out(tmp_path: Path) -> None:
    inside, most, done = [0], [0], []

    def work(number: int) -> None:
        with lock(tmp_path / "lock"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            done.append(number)
            inside[0] -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert sorted(done) == list(range(8))


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from pagemill.engine.files import lock
with lock(Path(sys.argv[1])):
    child = os.fork()
    if not child:
        time.sleep(600)
print(child, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        with try_lock(tmp_path / "lock") as held:
            assert held
    finally:
        os.kill(child, signal.SIGKILL)
        parent.kill()
        parent.communicate()


def test_a_file_system_without_locks_is_refused_not_faked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(ConfigError, match="cannot lock"), try_lock(tmp_path / "lock"):
        pass


def test_the_cache_is_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path / "mine"))
    assert cache_dir("tokens") == tmp_path / "mine" / "tokens"
    monkeypatch.delenv("PAGEMILL_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert cache_dir("tokens") == tmp_path / "xdg" / "pagemill" / "tokens"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cache_dir("tokens") == tmp_path / ".cache" / "pagemill" / "tokens"


def test_a_temporary_folder_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = private_temp_dir("corpus")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert private_temp_dir("corpus") == folder
    (tmp_path / f"pagemill-{os.getuid()}-other").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="another user"):
        private_temp_dir("other")
