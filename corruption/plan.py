"""What is to be done to a page, decided without its pixels: regions, levels, operators, targets.

A plan is a pure function of page, seed, epoch, schedule and position. It holds all that `corrupt`
needs, in px, so that a file of plans is a frozen evaluation set whatever the severity table
becomes later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from ..engine.errors import DataError
from ..engine.geometry import Box
from ..engine.key import keyed_hash
from ..engine.page import Page
from .assignment import Assignment, assign, assign_fixed
from .cover import Cover
from .effect.effect import EFFECTS, Effect, move_boxes, plan_effects
from .level import Level
from .operator import MASKS, OPERATORS
from .region import KINDS, Lines, Region, RegionKind, draw_regions, lines_of
from .schedule import DEFAULT, Schedule
from .severity import Inverse, share_of, strength_of
from .strike import Strike, struck_spans

SCHEMA = "pagemill.plan.1"


class PlannedRegion(NamedTuple):
    """One region and what happens to it."""

    id: int
    """Names the region on its page."""
    kind: RegionKind
    words: tuple[int, int]
    """First word and one past the last."""
    box: Box
    """Around the words on the clean page, px."""
    cover: Cover
    """Pixels that may change: x0, y0, x1, y1."""
    level: Level
    operator: str
    """Empty for clean."""
    severity: float
    """0 to 1; 1 for heavy."""
    error_rate: float
    """What OCR engines are expected to get wrong, 0 to 1."""
    parameters: dict[str, Any]
    """Of the operator, in px relative to the cover."""
    target: str
    """The text that stands there."""
    moved: Box
    """Around the words after the geometric effects on the page, px."""


@dataclass(frozen=True, slots=True)
class CorruptionPlan:
    """What happens to one page in one epoch."""

    key: str
    width: int
    height: int
    """px of the image it fits."""
    seed: int
    epoch: int
    position: int
    schedule: str
    """Fingerprint of the schedule, the severity table included."""
    regions: tuple[PlannedRegion, ...] = ()
    """In the order of the page's words."""
    paper: tuple[Effect, ...] = field(default=())
    """Effects on the whole page, after the regions."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        names = ("key", "width", "height", "seed", "epoch", "position", "schedule")
        return {
            "schema": SCHEMA,
            **{name: getattr(self, name) for name in names},
            "regions": [region._asdict() for region in self.regions],
            "paper": [
                {"name": effect.name, "parameters": effect.parameters} for effect in self.paper
            ],
        }

    def to_json(self) -> bytes:
        """`to_dict` as UTF-8 JSON."""
        return orjson.dumps(self.to_dict())

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> CorruptionPlan:
        """The plan that `to_dict` wrote.

        Raises:
            DataError: another schema, or not a plan.
        """
        if tree.get("schema") != SCHEMA:
            raise DataError(
                f"the plan has the schema {tree.get('schema')!r}; this version reads {SCHEMA!r}: "
                "make it again with `plan_page`",
                key=str(tree.get("key", "")),
                reason="schema",
            )
        try:
            return CorruptionPlan(
                key=tree["key"],
                width=tree["width"],
                height=tree["height"],
                seed=tree["seed"],
                epoch=tree["epoch"],
                position=tree["position"],
                schedule=tree["schedule"],
                regions=tuple(_region(region) for region in tree["regions"]),
                paper=tuple(_effect(one) for one in tree["paper"]),
            )
        except (KeyError, TypeError, ValueError) as err:
            raise DataError(
                f"the plan of {tree.get('key')!r} is damaged: {err!r}",
                key=str(tree.get("key", "")),
                reason="broken",
            ) from err

    @staticmethod
    def from_json(data: bytes | str) -> CorruptionPlan:
        """The plan that `to_json` wrote.

        Raises:
            DataError: not JSON, or as `from_dict`.
        """
        try:
            tree = orjson.loads(data)
        except orjson.JSONDecodeError as err:
            raise DataError(f"the plan is not JSON: {err}", reason="broken") from err
        if not isinstance(tree, dict):
            raise DataError(f"the plan is a JSON {type(tree).__name__}", reason="broken")
        return CorruptionPlan.from_dict(tree)

    def move_boxes(self, boxes: Sequence[Sequence[float]]) -> list[Box]:
        """Boxes of the clean page where they lie on the corrupted one, px."""
        return move_boxes(boxes, self.paper, self.width, self.height)


def plan_page(
    page: Page, *, seed: int, epoch: int, schedule: Schedule = DEFAULT, position: int = 0
) -> CorruptionPlan:
    """The plan of a page: a pure function of its arguments.

    Regions are drawn by their own names, so that another region or operator changes no other one.

    Args:
        page: as the shard carries it.
        seed: of the run.
        epoch: 0-based.
        schedule: configuration and mixture over progress.
        position: progress at which the mixture is taken, in the schedule's unit.
    """
    key = keyed_hash("corruption", seed, page.key, epoch)
    lines = lines_of(page)
    regions = draw_regions(page, lines, key, schedule.config.region)
    effects = plan_effects(page, keyed_hash("paper", seed, page.key, epoch), schedule.config.paper)
    planned = _plan_regions(page, lines, regions, key, schedule, position) if regions else []
    if effects:
        planned = _moved(planned, effects, page)
    return CorruptionPlan(
        key=page.key,
        width=page.width,
        height=page.height,
        seed=seed,
        epoch=epoch,
        position=position,
        schedule=schedule.fingerprint,
        regions=tuple(planned),
        paper=effects,
    )


def plan_at(
    page: Page, region: Region, operator: str, severity: float, *, seed: int
) -> CorruptionPlan:
    """A plan with one region, one operator and a given severity: for measuring and showing.

    Args:
        page: the page.
        region: of the page.
        operator: of `OPERATORS`, or a mask of `MASKS`, for which the severity counts as 1.
        severity: 0 to 1.
        seed: of the clumps and the noise.
    """
    key = keyed_hash("severity", seed, page.key)
    lines = lines_of(page)
    one = assign_fixed(page, lines, region, key, operator, severity)
    planned = _measured_out(page, lines, [one], key, None)
    return CorruptionPlan(page.key, page.width, page.height, seed, 0, 0, "", tuple(planned))


def _plan_regions(
    page: Page,
    lines: Lines,
    regions: list[Region],
    key: int,
    schedule: Schedule,
    position: int,
) -> list[PlannedRegion]:
    regions = sorted(regions, key=lambda region: region.start)
    chosen = assign(page, lines, regions, key, schedule, position)
    return _measured_out(page, lines, chosen, key, schedule.inverse)


def _measured_out(
    page: Page, lines: Lines, chosen: list[Assignment], key: int, inverse: Inverse | None
) -> list[PlannedRegion]:
    """The regions with their parameters; without a table no error rate is expected."""
    moderate = [one for one in chosen if one.level is Level.MODERATE]
    hits = iter(
        struck_spans(
            page, lines, [Strike(c.region, share_of(c.severity), c.clump) for c in moderate], key
        )
    )
    planned = []
    for one in chosen:
        error, parameters = 0.0, {}
        if one.level is Level.HEAVY:
            error, parameters = 1.0, {"seed": one.seed}
        elif one.level is not Level.CLEAN:
            if inverse is not None:
                error = inverse.error(one.operator, one.severity, one.x_height)
            struck = next(hits) if one.level is Level.MODERATE else []
            parameters = _parameters(page, lines, one, struck)
        planned.append(
            PlannedRegion(
                one.region.id,
                one.region.kind,
                (one.region.start, one.region.stop),
                one.outline.box,
                one.outline.cover,
                one.level,
                one.operator,
                one.severity,
                error,
                parameters,
                _target(page, one.region),
                one.outline.box,
            )
        )
    return planned


def _parameters(page: Page, lines: Lines, one: Assignment, struck: list[Box]) -> dict[str, Any]:
    """What the operator is given, relative to the cover."""
    operator = OPERATORS[one.operator]
    left, top, right, bottom = one.outline.cover
    words = page.layer.words
    first, last = words[one.region.start].line, words[one.region.stop - 1].line
    rows = [
        [max(0, round(y0) - top), min(bottom - top, round(y1) - top)]
        for _, y0, _, y1 in lines.rows[first : last + 1]
    ]
    gentle = operator.gentle * strength_of(one.severity)
    parameters: dict[str, Any] = {
        "seed": one.seed,
        "lines": rows,
        "all": operator.amount(gentle, one.x_height),
    }
    if one.level is Level.MODERATE:
        parameters["struck"] = operator.amount(1.0, one.x_height)
        parameters["spans"] = [
            [
                max(0, round(x0) - left),
                max(0, round(y0) - top - 1),
                min(right - left, round(x1) - left),
                min(bottom - top, round(y1) - top + 1),
            ]
            for x0, y0, x1, y1 in struck
        ]
    return parameters


def _target(page: Page, region: Region) -> str:
    """The words joined by spaces, lines by newlines."""
    words = page.layer.words[region.start : region.stop]
    if words[0].line == words[-1].line:
        return " ".join([word.text for word in words])
    parts = [words[0].text]
    for before, word in pairwise(words):
        parts.append(" " if word.line == before.line else "\n")
        parts.append(word.text)
    return "".join(parts)


def _moved(
    planned: list[PlannedRegion], effects: tuple[Effect, ...], page: Page
) -> list[PlannedRegion]:
    boxes = move_boxes([region.box for region in planned], effects, page.width, page.height)
    return [region._replace(moved=box) for region, box in zip(planned, boxes, strict=True)]


def _effect(tree: Mapping[str, Any]) -> Effect:
    if tree["name"] not in EFFECTS:
        raise ValueError(f"there is no effect {tree['name']!r}")
    return Effect(tree["name"], tree["parameters"])


def _region(tree: Mapping[str, Any]) -> PlannedRegion:
    kind, level = RegionKind(tree["kind"]), Level(tree["level"])
    if kind not in KINDS or set(tree) != set(PlannedRegion._fields):
        raise ValueError(f"region {tree.get('id')} has other fields than this version writes")
    known = MASKS if level is Level.HEAVY else OPERATORS
    if level is not Level.CLEAN and tree["operator"] not in known:
        raise ValueError(f"there is no operator {tree['operator']!r} for {level}")
    values = {**tree, "kind": kind, "level": level}
    for name in ("words", "box", "cover", "moved"):
        values[name] = tuple(values[name])
    return PlannedRegion(**values)
