"""Run a program with a deadline and a bound on what it may print."""

from __future__ import annotations

import selectors
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ...errors import DependencyError

_CHUNK_BYTES = 1 << 18
_ERROR_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    status: int
    output: bytes
    errors: str
    """The start of what it wrote to standard error, at most 64 KiB."""
    late: bool = False
    """It was killed at its deadline."""
    cut: bool = False
    """It was killed because it printed more than it may."""


def require(program: str, package: str) -> None:
    """Refuse to go on without a program.

    Raises:
        DependencyError: it is not on the path; the message names the Debian package.
    """
    if shutil.which(program) is None:
        raise DependencyError(f"the program {program} is missing: apt install {package}")


def run(command: Sequence[str], *, deadline_s: float, limit_bytes: int) -> Ended:
    """Run a program until it ends, is late, or has printed `limit_bytes`; then kill it.

    It stays in our process group, so whoever kills that kills it too.
    """
    end = time.monotonic() + deadline_s
    with (
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        ) as process,
        selectors.DefaultSelector() as selector,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        parts: dict[int, bytearray] = {}
        for pipe in (process.stdout, process.stderr):
            parts[pipe.fileno()] = bytearray()
            selector.register(pipe, selectors.EVENT_READ)
        output, errors = parts.values()
        late = cut = False
        try:
            while selector.get_map() and not (late or cut):
                for key, _ in selector.select(max(0.0, end - time.monotonic())):
                    chunk = key.fileobj.read(_CHUNK_BYTES)  # type: ignore[union-attr]
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif parts[key.fd] is output or len(errors) < _ERROR_BYTES:
                        parts[key.fd].extend(chunk)
                cut = len(output) > limit_bytes
                late = time.monotonic() > end
            if not (late or cut):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, end - time.monotonic()))
                late = process.returncode is None
        finally:
            if process.poll() is None:
                process.kill()
    message = bytes(errors[:_ERROR_BYTES]).decode("utf-8", "replace")
    return Ended(process.returncode, bytes(output[:limit_bytes]), message, late, cut)
