"""Put the report of a run together; from the run's folder alone, at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ..kit.page import render_page, write_page
from ..kit.view import NavigationLink
from .checkpoints import Checkpoints, checkpoints
from .curves import step_axis
from .data import RunData, read_stages
from .evaluation import EvaluationView, evaluation
from .incidents import Incidents, incidents
from .learning import LearningChart, learning
from .rates import ADAPTATION_COLUMNS, AdaptationRow, adaptations, rates
from .samples import SampleSection, samples
from .summary import RunSummary, summarize_run

FILE = "report.html"
SECTIONS = {
    "learning": "Learning",
    "evaluation": "Evaluation",
    "rates": "Rates",
    "samples": "Samples",
    "incidents": "What went wrong",
    "checkpoints": "Checkpoints",
    "recipe": "Recipe",
}
"""Field of `StageView` to the title of its section."""


@dataclass(frozen=True, slots=True)
class StageView:
    """Everything about one run, or about one stage."""

    number: int
    summary: RunSummary
    resumed: bool
    learning: Sequence[LearningChart]
    evaluation: EvaluationView | None
    rates: Sequence[Markup]
    adaptations: Sequence[AdaptationRow]
    adaptations_count: int
    samples: SampleSection | None
    incidents: Incidents | None
    checkpoints: Checkpoints | None
    recipe: str

    @property
    def sections(self) -> list[NavigationLink]:
        """Those that have something to show."""
        return [
            NavigationLink(f"{name}-{self.number}", title)
            for name, title in SECTIONS.items()
            if getattr(self, name)
        ]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What the template draws from."""

    name: str
    stages: Sequence[StageView]

    @property
    def alone(self) -> bool:
        """Whether it is one run without stages."""
        return len(self.stages) == 1

    @property
    def links(self) -> list[NavigationLink]:
        """To the sections, or to the stages where there are several."""
        if self.alone:
            return self.stages[0].sections
        return [
            NavigationLink(f"stage-{stage.number}", stage.summary.name) for stage in self.stages
        ]

    @property
    def adaptation_columns(self) -> tuple[str, ...]:
        """Headings of the table of adaptations."""
        return ADAPTATION_COLUMNS


def write_run_report(run: Path, out: Path | None = None) -> Path:
    """Write the report of a run; it can be written while the run goes on.

    Args:
        run: folder of a run, or of one with a sub-folder for each stage.
        out: the file; `report.html` in the run's folder if not given.

    Returns:
        Where it was written.

    Raises:
        ConfigError: it is no folder of a run, or the file cannot be written.
        DataError: a log is broken before its last line.
    """
    target = run / FILE if out is None else out
    stages = [_view(number, data) for number, data in enumerate(read_stages(run), 1)]
    name = stages[0].summary.name if len(stages) == 1 else run.resolve().name
    html = render_page(
        "run/run.html.jinja",
        RunReport(name, stages),
        title=f"{name} · Pagemill training",
        styles=("run/run.css",),
    )
    write_page(html, target)
    return target


def _view(number: int, data: RunData) -> StageView:
    axis = step_axis(data)
    has_steps = bool(data.steps["step"].size)
    return StageView(
        number=number,
        summary=summarize_run(data),
        resumed=bool(data.resumes),
        learning=learning(data, axis) if has_steps else (),
        evaluation=evaluation(data, axis),
        rates=rates(data, axis) if has_steps else (),
        adaptations=adaptations(data) if has_steps else (),
        adaptations_count=len(data.adaptations),
        samples=samples(data.samples),
        incidents=incidents(data) if has_steps or data.starts else None,
        checkpoints=checkpoints(data),
        recipe=data.recipe,
    )
