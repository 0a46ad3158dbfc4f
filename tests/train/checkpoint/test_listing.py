"""Which checkpoints of a folder count, and which go."""

from __future__ import annotations

import orjson
from pagemill.train.checkpoint.listing import (
    best_checkpoints,
    complete_checkpoints,
    newest_checkpoint,
    prune,
    sweep,
)
from pagemill.train.recipe.config import CheckpointConfig
from support.checkpoints import damage, write_checkpoints


def test_half_written_ones_are_left_out_and_named(tmp_path, caplog):
    first, second, third = write_checkpoints(tmp_path, 2, 4, 6)
    damage(third, "summary")
    second.rename(tmp_path / "step-000004.part")
    (tmp_path / "notes").mkdir()
    assert newest_checkpoint(tmp_path) == first
    assert complete_checkpoints(tmp_path) == [first]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert any("step-000004.part is half-written" in one for one in said)
    assert any("step-000006 is half-written" in one for one in said)


def test_the_last_and_the_best_are_kept(tmp_path):
    paths = write_checkpoints(tmp_path, *range(1, 9))
    figures = {1: 0.5, 3: 0.1, 4: 0.3, 6: 0.1, 8: 0.9}
    for step, path in enumerate(paths, 1):
        tree = orjson.loads((path / "checkpoint.json").read_bytes())
        tree["state"]["metric"] = figures.get(step)
        (path / "checkpoint.json").write_bytes(orjson.dumps(tree))
    config = CheckpointConfig(keep_last=2, keep_best=2)
    best = best_checkpoints(paths, config)
    assert [one.name for one in best] == ["step-000003", "step-000006"]
    highest = best_checkpoints(paths, CheckpointConfig(metric="+accuracy", keep_best=1))
    assert [one.name for one in highest] == ["step-000008"]
    assert best_checkpoints(paths, CheckpointConfig(keep_best=0)) == []
    removed = prune(tmp_path, keep_last=2, best=best)
    assert [one.name for one in removed] == [f"step-00000{n}" for n in (1, 2, 4, 5)]
    assert [one.name for one in complete_checkpoints(tmp_path)] == [
        f"step-00000{n}" for n in (3, 6, 7, 8)
    ]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        f"step-00000{n}" for n in (3, 6, 7, 8)
    ]


def test_what_killed_processes_left_is_swept_away_behind_a_complete_one(tmp_path):
    first, second, third, last = write_checkpoints(tmp_path, 2, 4, 6, 8)
    first.rename(tmp_path / "step-000002.part")
    damage(second, "summary")
    (tmp_path / "step-000010.part").mkdir()  # a rank that is ahead writes here already
    (tmp_path / "notes").mkdir()
    assert [one.name for one in sweep(tmp_path, 8)] == ["step-000002.part", "step-000004"]
    assert sorted(tmp_path.iterdir()) == [
        tmp_path / "notes", third, last, tmp_path / "step-000010.part",
    ]  # fmt: skip
