"""What must be the same for a run to go on from a checkpoint."""

from __future__ import annotations

from pagemill.train.checkpoint.compatible import changed_settings, differences


def test_what_differs_is_named_with_both_values():
    theirs = {"optim": {"lr": 1e-3, "clip": 1.0}, "seed": 1, "old": 2}
    ours = {"optim": {"lr": 5e-4, "clip": 1.0}, "seed": 1, "new": [3]}
    assert differences(theirs, ours) == [
        "new (was None, is [3])",
        "old (was 2, is None)",
        "optim.lr (was 0.001, is 0.0005)",
    ]
    assert not differences(theirs, theirs)


def test_only_what_decides_the_weights_must_be_the_same():
    theirs = {"data": {"corpora": ["a"], "workers": 1}, "parallel": {"dtype": "float32", "zero": 0}}
    ours = {"data": {"corpora": ["a"], "workers": 4}, "parallel": {"dtype": "float32", "zero": 3}}
    assert not changed_settings(theirs, ours)
    ours["data"]["corpora"], ours["parallel"]["dtype"] = ["b"], "bfloat16"
    assert [one.partition(" ")[0] for one in changed_settings(theirs, ours)] == [
        "data.corpora", "parallel.dtype",
    ]  # fmt: skip
