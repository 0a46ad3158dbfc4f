"""The log of a run survives being killed at any byte, and being taken up again."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError, DataError
from pagemill.train.log.journal import Journal, read


def log_of(path: Path, steps: int) -> Path:
    """A log with a start, steps from 1 on, a checkpoint after each fifth, and an end."""
    with Journal(path) as journal:
        journal.write("start", step=0, recipe="small")
        for step in range(1, steps + 1):
            journal.write("step", step=step, loss=1.0 / step)
            if step % 5 == 0:
                journal.write("checkpoint", step=step, path=f"checkpoints/step-{step:06d}")
        journal.write("end", step=steps, reason="stopped")
    return path


def steps_of(path: Path, kind: str = "step") -> list[int]:
    return [row["step"] for row in read(path) if row["kind"] == kind]


def test_each_line_is_on_disk_once_it_is_written(tmp_path):
    journal = Journal(tmp_path / "run" / "log.jsonl")
    for step in range(3):
        journal.write("step", step=step, loss=0.5)
        assert read(journal.path)[-1] == {"kind": "step", "step": step, "loss": 0.5}
    journal.close()


def test_numbers_that_are_not_finite_and_odd_names_can_be_written(tmp_path):
    with Journal(tmp_path / "log.jsonl") as journal:
        journal.write(
            "step",
            step=np.int64(3),
            loss=math.nan,
            grad_norm=math.inf,
            accuracy=np.float32(0.5),
            failures=["cannot read caf\udce9.pdf"],
            path=Path("checkpoints"),
        )
    (row,) = read(tmp_path / "log.jsonl")
    assert (row["loss"], row["grad_norm"], row["accuracy"], row["step"]) == (None, None, 0.5, 3)
    assert row["failures"] == ["cannot read caf\\udce9.pdf"]
    assert row["path"] == "checkpoints"


def test_a_resume_drops_what_was_told_of_later_steps(tmp_path):
    path = log_of(tmp_path / "log.jsonl", 12)
    with Journal(path) as journal:
        journal.write("start", step=10, resumed=True)
        assert journal.cut(10) == 2
        journal.write("step", step=11, loss=0.25)
    assert steps_of(path) == [*range(1, 11), 11]
    assert steps_of(path, "checkpoint") == [5, 10]
    assert steps_of(path, "start") == [0, 10]
    assert steps_of(path, "end") == [12]
    assert read(path)[-1]["loss"] == 0.25
    assert [one.name for one in tmp_path.iterdir()] == ["log.jsonl"]


@given(lost=st.integers(1, 120))
def test_wherever_a_process_is_killed_the_log_can_be_read_and_gone_on_with(tmp_path_factory, lost):
    path = log_of(tmp_path_factory.mktemp("run") / "log.jsonl", 4)
    before = read(path)
    path.write_bytes(path.read_bytes()[:-lost])
    torn = read(path)
    assert torn == before[: len(torn)]
    with Journal(path) as journal:
        journal.write("step", step=99)
    assert read(path) == [*torn, {"kind": "step", "step": 99}]


def test_a_torn_line_is_dropped_by_a_cut(tmp_path):
    path = log_of(tmp_path / "log.jsonl", 4)
    journal = Journal(path)
    with path.open("ab") as file:
        file.write(b'{"kind":"step","step":5,"lo')
    journal.cut(4)
    journal.write("step", step=5)
    journal.close()
    assert steps_of(path) == [1, 2, 3, 4, 5]


def test_zeros_that_a_crash_left_at_the_end_are_taken_away(tmp_path):
    path = log_of(tmp_path / "log.jsonl", 2)
    with path.open("ab") as file:
        file.write(bytes(64))
    assert steps_of(path) == [1, 2]
    with Journal(path) as journal:
        journal.write("step", step=3)
    assert steps_of(path) == [1, 2, 3]


@pytest.mark.parametrize("broken", [b'{"kind":"step","st', b"[1, 2]", b'{"step": 3}'])
def test_a_broken_line_in_the_middle_is_named(tmp_path, broken):
    path = log_of(tmp_path / "log.jsonl", 3)
    rows = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*rows[:2], broken, *rows[2:]]))
    with pytest.raises(DataError, match=r"log\.jsonl, line 3 is not a JSON object"):
        read(path)


def test_a_log_that_cannot_be_written_or_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the log"):
        read(tmp_path / "log.jsonl")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write the log"):
        Journal(tmp_path / "file" / "log.jsonl")
