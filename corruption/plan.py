"""What is to be done to a page, decided without its pixels: regions, levels, operators, targets.

A plan is a pure function of page, seed, epoch, schedule and position. It holds all that `corrupt`
needs, in px, so that a file of plans is a frozen evaluation set whatever the severity table
becomes later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from ..engine.errors import DataError
from ..engine.geometry import Box
from ..engine.key import keyed_hash
from ..engine.page import Page
from .assignment import Assignment, assign, assign_fixed
from .cover import Cover
from .effect import EFFECTS
from .effect.apply import move_boxes
from .effect.plan import Effect, plan_effects
from .level import Level
from .operator import MASKS, OPERATORS
from .region import KINDS, Lines, Region, RegionKind, draw_regions, lines_of
from .schedule import DEFAULT, Schedule
from .severity import SeverityLookup, share_of, strength_of
from .strike import Strike, struck_spans

SCHEMA = "pagemill.plan.2"
FIRST_SCHEMA = "pagemill.plan.1"
"""It says `paper` for `effects`, and nothing else differently."""


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
    effects: tuple[Effect, ...] = ()
    """Effects on the whole page, after the regions."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        names = ("key", "width", "height", "seed", "epoch", "position", "schedule")
        return {
            "schema": SCHEMA,
            **{name: getattr(self, name) for name in names},
            "regions": [region._asdict() for region in self.regions],
            "effects": [effect._asdict() for effect in self.effects],
        }

    def to_json(self) -> bytes:
        """`to_dict` as UTF-8 JSON."""
        return orjson.dumps(self.to_dict())

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> CorruptionPlan:
        """The plan that `to_dict` of this version or an earlier one wrote.

        Raises:
            DataError: another schema, or not a plan.
        """
        if tree.get("schema") not in (SCHEMA, FIRST_SCHEMA):
            raise DataError(
                f"the plan has the schema {tree.get('schema')!r}; this version reads {SCHEMA!r}: "
                "make it again with `plan_page`",
                key=str(tree.get("key", "")),
                reason="schema",
            )
        effects = "paper" if tree["schema"] == FIRST_SCHEMA else "effects"
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
                effects=tuple(_effect(effect) for effect in tree[effects]),
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
        return move_boxes(boxes, self.effects, self.width, self.height)


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
    # "paper" is what effects were called when their draws were named: another word, other pages
    page_key = keyed_hash("paper", seed, page.key, epoch)
    effects = plan_effects(page, page_key, schedule.config.effect)
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
        effects=effects,
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
    assignment = assign_fixed(page, lines, region, key, operator, severity)
    planned = _planned(page, lines, [assignment], key, None)
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
    assignments = assign(page, lines, regions, key, schedule, position)
    return _planned(page, lines, assignments, key, schedule.severity_lookup)


def _planned(
    page: Page,
    lines: Lines,
    assignments: list[Assignment],
    key: int,
    lookup: SeverityLookup | None,
) -> list[PlannedRegion]:
    """The regions with their parameters; without a table no error rate is expected."""
    strikes = [
        Strike(assignment.region, share_of(assignment.severity), assignment.clump)
        for assignment in assignments
        if assignment.level is Level.MODERATE
    ]
    spans = iter(struck_spans(page, lines, strikes, key))
    planned = []
    for region, outline, level, operator, x_height, severity, _, seed in assignments:
        error = 0.0
        parameters: dict[str, Any] = {}
        if level is Level.HEAVY:
            error, parameters = 1.0, {"seed": seed}
        elif level is not Level.CLEAN:
            if lookup is not None:
                error = lookup.error(operator, severity, x_height)
            rows = _rows(page, lines, region, outline.cover)
            amount = OPERATORS[operator].amount
            gentle = OPERATORS[operator].gentle * strength_of(severity)
            parameters = {"seed": seed, "lines": rows, "all": amount(gentle, x_height)}
            if level is Level.MODERATE:
                parameters["struck"] = amount(1.0, x_height)
                parameters["spans"] = _spans(next(spans), outline.cover)
        planned.append(
            PlannedRegion(
                region.id,
                region.kind,
                (region.start, region.stop),
                outline.box,
                outline.cover,
                level,
                operator,
                severity,
                error,
                parameters,
                _target(page, region),
                outline.box,
            )
        )
    return planned


def _rows(page: Page, lines: Lines, region: Region, cover: Cover) -> list[list[int]]:
    """Top and bottom of the region's lines, px relative to the cover."""
    _, top, _, bottom = cover
    words = page.layer.words
    first, last = words[region.start].line, words[region.stop - 1].line
    return [
        [max(0, round(y0) - top), min(bottom - top, round(y1) - top)]
        for _, y0, _, y1 in lines.rows[first : last + 1]
    ]


def _spans(boxes: list[Box], cover: Cover) -> list[list[int]]:
    """Boxes of struck characters, whole px relative to the cover."""
    left, top, right, bottom = cover
    return [
        [
            max(0, round(x0) - left),
            max(0, round(y0) - top - 1),
            min(right - left, round(x1) - left),
            min(bottom - top, round(y1) - top + 1),
        ]
        for x0, y0, x1, y1 in boxes
    ]


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
    operators = MASKS if level is Level.HEAVY else OPERATORS
    if level is not Level.CLEAN and tree["operator"] not in operators:
        raise ValueError(f"there is no operator {tree['operator']!r} for {level}")
    values = {**tree, "kind": kind, "level": level}
    for name in ("words", "box", "cover", "moved"):
        values[name] = tuple(values[name])
    return PlannedRegion(**values)
