"""The log of a run: `log.jsonl`, one JSON object a line, written by one rank as it goes.

Every line has a `kind` and a `step`:

    start       a process began: recipe, stage, ranks, device, parameters, versions
    step        one step of the optimizer: losses by level and task, rates, what was skipped or lost
    eval        an evaluation: its summary, and the file with its samples
    checkpoint  what was written, and how long training waited for it
    adapt       the levels of corruption got other shares
    end         the process ended: done, stopped or failed

A process can be killed at any byte. A torn last line is therefore no error, neither to readers nor
to the next process that appends; a broken line anywhere else is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson

from ...engine.errors import ConfigError, DataError
from ...engine.files import atomic_writer

Kind = Literal["start", "step", "eval", "checkpoint", "adapt", "end"]
LOG = "log.jsonl"
"""Name of the log in a run's folder."""
PROCESS_KINDS = ("start", "end")
"""Kinds that say what processes there were; a resume takes none of them away."""


class Journal:
    """A log that is appended to.

    Args:
        path: the file; made with its folder if it is not there. What a killed process left torn
            at its end is taken away.

    Raises:
        ConfigError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            truncate_torn(path)
            self._file = path.open("ab")
        except OSError as err:
            raise ConfigError(f"cannot write the log {path}: {err.strerror}") from err

    def write(self, kind: Kind, **fields: Any) -> None:
        """Append one line and flush it. Values that are not finite become null.

        Args:
            kind: of the line.
            fields: what orjson can write, NumPy and paths included.
        """
        self._file.write(encode({"kind": kind, **fields}))
        self._file.flush()

    def cut(self, step: int) -> int:
        """Drop the lines of steps after one, before they are done again.

        The file is replaced in one move. Lines of the kinds start and end stay.

        Args:
            step: the step that the run goes on from.

        Returns:
            How many lines were dropped.

        Raises:
            DataError: a line before the last is broken.
        """
        dropped = 0
        with atomic_writer(self.path) as file:
            for line, row in raw_lines(self.path):
                if row["kind"] not in PROCESS_KINDS and (row.get("step") or 0) > step:
                    dropped += 1
                else:
                    file.write(line + b"\n")
        self._file.close()
        self._file = self.path.open("ab")
        return dropped

    def close(self) -> None:
        """Nothing can be written any more."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def read(path: Path) -> list[dict[str, Any]]:
    """All lines of a log; a torn last one is left out.

    Raises:
        ConfigError: there is no such file.
        DataError: a line before the last is broken; the message names it.
    """
    return list(lines(path))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """All lines of a log one by one, for logs that are too long to hold; raises as `read`."""
    for _, row in raw_lines(path):
        yield row


def raw_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each line as it stands, and what it says."""
    try:
        file: BinaryIO = path.open("rb")
    except OSError as err:
        raise ConfigError(f"cannot read the log {path}: {err.strerror}") from err
    with file:
        broken = 0
        for number, raw in enumerate(file, 1):
            if broken:
                raise DataError(
                    f"{path}, line {broken} is not a JSON object with a kind. Only the last line "
                    "of a log may be torn: remove this one, or take the log from a copy",
                    key=path.name,
                )
            line = raw.rstrip(b"\r\n")
            row = parse(line)
            if row is not None:
                yield line, row
            elif line:
                broken = number


def parse(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is no object that names its kind."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("kind"), str) else None


def truncate_torn(path: Path) -> None:
    """End the file after its last whole line."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if parse(data[whole:]) is not None:
            file.write(b"\n")
            return
        before = data.rfind(b"\n", 0, max(whole - 1, 0)) + 1
        if data[before:whole].strip() and parse(data[before:whole].rstrip()) is None:
            whole = before
        file.truncate(whole)


def encode(row: dict[str, Any]) -> bytes:
    """The row as a line; what UTF-8 has no bytes for is spelled out."""
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(row, default=str, option=options)
    except TypeError:
        return orjson.dumps(escape_surrogates(row), default=str, option=options)


def escape_surrogates(value: Any) -> Any:
    """The value with lone surrogates, as in names of files, written as escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {escape_surrogates(name): escape_surrogates(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape_surrogates(item) for item in value]
    return value
