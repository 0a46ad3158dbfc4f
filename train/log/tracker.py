"""Figures of a run to TensorBoard and Weights & Biases, for those who watch runs there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...engine.errors import DependencyError

if TYPE_CHECKING:
    from ..recipe.config import LogConfig


class Tracker(Protocol):
    """Takes the figures of steps."""

    def write(self, step: int, figures: Mapping[str, Any]) -> None:
        """Figures of a step, nested by name."""
        ...

    def close(self) -> None:
        """After the last."""
        ...


class TensorBoard:
    """Event files in the folder of the run."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as err:
            raise DependencyError(
                "log.tensorboard needs tensorboard: pip install 'pagemill[track]'"
            ) from err
        self.writer: Any = SummaryWriter(str(folder / "tensorboard"))

    def write(self, step: int, figures: Mapping[str, Any]) -> None:
        """One scalar for each number."""
        for name, value in flat(figures):
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush."""
        self.writer.close()


class WeightsAndBiases:
    """A run of a project."""

    def __init__(self, project: str, folder: Path, name: str) -> None:
        try:
            import wandb
        except ImportError as err:
            raise DependencyError("log.wandb needs wandb: pip install 'pagemill[track]'") from err
        self.run: Any = wandb.init(
            project=project, name=name, dir=str(folder), resume="allow", id=run_id(folder)
        )

    def write(self, step: int, figures: Mapping[str, Any]) -> None:
        """One line with all numbers."""
        self.run.log(dict(flat(figures)), step=step)

    def close(self) -> None:
        """Upload what is left."""
        self.run.finish()


def open_trackers(config: LogConfig, folder: Path, name: str) -> list[Tracker]:
    """Those that the recipe asks for.

    Raises:
        DependencyError: one is not installed.
    """
    chosen: list[Tracker] = []
    if config.tensorboard:
        chosen.append(TensorBoard(folder))
    if config.wandb:
        chosen.append(WeightsAndBiases(config.wandb, folder, name))
    return chosen


def flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """(a/b/c, number) of every finite number in a tree."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}/")
        elif (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ):
            yield prefix + name, float(value)


def run_id(folder: Path) -> str:
    """The same for a run that is resumed."""
    import hashlib

    return hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
