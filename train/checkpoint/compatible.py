"""Whether a run may go on from a checkpoint: what of its recipe must be the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.config import to_tree, upgraded
from ...engine.errors import CheckpointError
from ..recipe import Recipe
from .format import Checkpoint

FREE = ("log", "eval", "checkpoint", "guard", "parallel", "data")
"""Sections that a resumed run may have otherwise; `BOUND` of their keys not."""
BOUND = ("data.corpora", "data.weights", "data.names", "data.split", "data.pages", "parallel.dtype")


def check_same_run(checkpoint: Checkpoint, recipe: Recipe, initial_weights: str) -> None:
    """Refuse a checkpoint of another run.

    Args:
        checkpoint: to go on from.
        recipe: of this run.
        initial_weights: fingerprint of the weights that this run begins with.

    Raises:
        CheckpointError: it is of another recipe or began with other weights.
    """
    changed = changed_settings(upgraded(Recipe, checkpoint.state["recipe"]), to_tree(recipe))
    if changed:
        raise CheckpointError(
            f"{checkpoint.path} is of a run with another recipe: {'; '.join(changed)}. Put it "
            "back, or begin a new run with model.start at its model/ folder"
        )
    if checkpoint.state["start"] != initial_weights:
        raise CheckpointError(
            f"{checkpoint.path} is of a run that began with other weights than those that "
            "model.start names now"
        )


def changed_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two recipes and may not: `key (was a, is b)`."""
    return [
        change
        for change in differences(before, now)
        if change.partition(".")[0] not in FREE or change.partition(" ")[0] in BOUND
    ]


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """`key (was a, is b)` of every value that differs between two trees."""
    changes: list[str] = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changes += differences(old, new, f"{prefix}{name}.")
        elif old != new:
            changes.append(f"{prefix}{name} (was {old!r}, is {new!r})")
    return changes
