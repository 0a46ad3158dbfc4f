"""The ablation of levels: the same recipe with each mixture, compared on the same frozen plans.

Every arm begins with the same weights and learns from the same pages in the same packs: equal
steps are equal tokens. What differs is how visible the text is left. All arms are read on one set
of plans with all levels in it, with and without the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from ..corruption import Mixture
from ..engine.errors import ConfigError
from .launch import TrainJob
from .log.run_log import OnStep, StepProgress
from .micro_batch import LEVELS
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
ADAPTIONS = 10
"""That the adaptive arm makes, where the recipe says nothing else."""
TABLE, FIGURES = "ablation.md", "ablation.json"


@dataclass(frozen=True, slots=True)
class AblationResult:
    """What came of all arms."""

    path: Path
    """The table as Markdown; figures lie beside it as JSON."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """One mixture, trained and read."""

    name: str
    steps: int
    tokens: float
    loss: float
    summary: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {name: getattr(self, name) for name in self.__slots__}


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
    out, arms = Path(job.out), []
    for name in ARMS:
        trainer = Trainer(
            arm_recipe(stages[0], name),
            out / name,
            ranks or single_process(),
            on_step=note_arm(on_step, name),
        )
        result = trainer.train(resume=True)
        if result.reason != "done":
            raise KeyboardInterrupt
        arms.append(Arm(name, result.step, result.tokens, result.loss, result.summary))
    lines = tuple(table(arms))
    path = out / TABLE
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures = {"arms": [arm.to_dict() for arm in arms]}
    (out / FIGURES).write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return AblationResult(path, lines)


def arm_recipe(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the mixture of an arm, read at the end."""
    every = recipe.adapt.every or max(1, recipe.steps // ADAPTIONS)
    return replace(
        recipe,
        name=name,
        corruption=replace(recipe.corruption, mixture=ARMS[name]),
        adapt=replace(recipe.adapt, every=every if name == "adaptive" else 0),
        eval=replace(recipe.eval, every=0, at_end=True),
    )


def note_arm(on_step: OnStep | None, name: str) -> OnStep | None:
    """The callback with the name of the arm beside its steps."""
    if on_step is None:
        return None
    return lambda progress: on_step(replace(progress, note=f"{name}: {step_text(progress)}"))


def step_text(progress: StepProgress) -> str:
    """A step in words."""
    return progress.note or f"loss {progress.loss:.3f}  {progress.tokens_per_s:,.0f} tokens/s"


def table(arms: list[Arm]) -> list[str]:
    """Markdown: an arm a line, with CER by level and what was restored with and without picture."""
    heads = ["trained on", "tokens", *(f"CER {level}" for level in LEVELS)]
    heads += ["heavy exact", "heavy exact, no picture"]
    lines = [
        f"| {' | '.join(heads)} |",
        f"|---|{'---:|' * (len(heads) - 1)}",
    ]
    for arm in arms:
        levels = arm.summary.get("levels", {})
        cells = [arm.name, f"{arm.tokens:,.0f}"]
        cells += [cell(levels, level, "cer") for level in LEVELS]
        cells += [cell(levels, "heavy", name) for name in ("exact", "blind_exact")]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def cell(levels: Mapping[str, Any], level: str, name: str) -> str:
    """A figure in percent with its interval."""
    figure = levels.get(level, {}).get(name)
    if figure is None:
        return "–"
    return f"{figure['value']:.1%} ({figure['low']:.1%}–{figure['high']:.1%})"
