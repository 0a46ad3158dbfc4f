"""The ablation of levels: the same recipe with each mixture, compared on the same frozen plans.

Every arm begins with the same weights and learns from the same pages in the same packs: equal
steps are equal tokens. What differs is how visible the text is left. All arms are read on one set
of plans with all levels in it, with and without the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from ..corruption import Mixture
from ..engine.errors import ConfigError
from .launch import TrainJob
from .log.run_log import OnStep
from .ranks import Ranks, single_process
from .recipe import Recipe
from .trainer import Trainer

ARMS: dict[str, Mixture] = {
    "clean": Mixture(clean=1, light=0, moderate=0, heavy=0),
    "light": Mixture(clean=0, light=1, moderate=0, heavy=0),
    "moderate": Mixture(clean=0, light=0, moderate=1, heavy=0),
    "heavy": Mixture(clean=0, light=0, moderate=0, heavy=1),
    "mixed": Mixture(),
    "adaptive": Mixture(),
}
"""Name to the shares of levels; `adaptive` begins as `mixed` and follows the losses."""
ADAPTATIONS = 10
"""That the adaptive arm makes, where the recipe says nothing else."""
FIGURES = "ablation.json"


@dataclass(frozen=True, slots=True)
class AblationArm:
    """One mixture, trained and read."""

    name: str
    steps: int
    tokens: float
    loss: float
    summary: Mapping[str, Any]
    """Of the evaluation at the end."""


@dataclass(frozen=True, slots=True)
class AblationResult:
    """What came of all arms."""

    folder: Path
    """Has a run for each arm, and the figures as JSON."""
    arms: tuple[AblationArm, ...]


def ablate(
    job: TrainJob, ranks: Ranks | None = None, on_step: OnStep | None = None
) -> AblationResult:
    """Train and read every arm; what is done already is not done again.

    Args:
        job: the recipe of one stage, and the folder for all arms.
        ranks: this process among those of the run.
        on_step: called after every step.

    Raises:
        ConfigError: the recipe has several stages.
        PagemillError: as `Trainer.train`.
    """
    stages = [stage.recipe for stage in job.read_stages() if stage.requested]
    if len(stages) != 1:
        names = ", ".join(stage.name for stage in stages)
        raise ConfigError(f"{job.recipe} has the stages {names}: name one with --stage")
    folder, arms = Path(job.out), []
    for name in ARMS:
        trainer = Trainer(
            arm_recipe(stages[0], name),
            folder / name,
            ranks or single_process(),
            on_step=labelled(on_step, name),
        )
        result = trainer.train(resume=True)
        if result.reason != "done":
            raise KeyboardInterrupt
        arms.append(AblationArm(name, result.step, result.tokens, result.loss, result.summary))
    figures = {"arms": [asdict(arm) for arm in arms]}
    (folder / FIGURES).write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return AblationResult(folder, tuple(arms))


def arm_recipe(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the mixture of an arm, read at the end."""
    every = recipe.adapt.every or max(1, recipe.steps // ADAPTATIONS)
    return replace(
        recipe,
        name=name,
        corruption=replace(recipe.corruption, mixture=ARMS[name]),
        adapt=replace(recipe.adapt, every=every if name == "adaptive" else 0),
        eval=replace(recipe.eval, every=0, at_end=True),
    )


def labelled(on_step: OnStep | None, name: str) -> OnStep | None:
    """The callback with the name of an arm in what it gets."""
    if on_step is None:
        return None
    return lambda progress: on_step(replace(progress, label=name))
