"""How much of a page is corrupted how far, and how that changes while a model trains.

A schedule is a configuration and entries. An entry says from which position on another mixture of
levels holds; positions count windows of the stream, or whatever the trainer counts. Feedback from
the losses becomes a further entry with the losses in it, so that a run replays from its schedule
alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from ..engine.config import fingerprint, from_tree, to_tree, upgraded
from ..engine.errors import ConfigError
from .effect.plan import EffectConfig
from .level import LEVELS, Level
from .operator import MASKS, OPERATORS
from .region import RegionConfig
from .severity import SeverityLookup, SeverityTable, load_table

SCHEMA = "pagemill.schedule.2"
FIRST_SCHEMA = "pagemill.schedule.1"
"""It has the effects' settings in `paper`, and nothing else differently."""


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Shares of the levels among a page's regions; they need not add up to 1."""

    clean: float = 0.15
    "Share of regions that stay as they are."
    light: float = 0.35
    "Share of regions that stay readable."
    moderate: float = 0.25
    "Share of regions of which about half can be read."
    heavy: float = 0.25
    "Share of regions that are hidden."

    def __post_init__(self) -> None:
        shares = (self.clean, self.light, self.moderate, self.heavy)
        if not all(math.isfinite(share) and share >= 0 for share in shares) or not any(shares):
            raise ConfigError(
                f"the mixture {shares} is no mixture: shares are 0 or more, and one is not 0"
            )

    @property
    def shares(self) -> tuple[float, ...]:
        """In the order of `Level`, adding up to 1."""
        weights = (self.clean, self.light, self.moderate, self.heavy)
        total = sum(weights)
        return tuple(weight / total for weight in weights)


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Which operators each level draws from, evenly."""

    light: tuple[str, ...] = tuple(OPERATORS)
    "Operators of light regions."
    moderate: tuple[str, ...] = tuple(OPERATORS)
    "Operators of moderate regions."
    heavy: tuple[str, ...] = tuple(MASKS)
    "Masks of heavy regions."

    def __post_init__(self) -> None:
        _check_names("operator.light", self.light, tuple(OPERATORS))
        _check_names("operator.moderate", self.moderate, tuple(OPERATORS))
        _check_names("operator.heavy", self.heavy, tuple(MASKS))


def _check_names(key: str, names: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed:
            raise ConfigError(f"{key} names {name!r}; there are {', '.join(allowed)}")
    if not names or len(set(names)) != len(names):
        raise ConfigError(f"{key} names at least one operator, each once")


@dataclass(frozen=True, kw_only=True)
class CorruptionConfig:
    """All settings of the corruption."""

    renamed_keys: ClassVar[Mapping[str, str]] = {"paper": "effect"}

    region: RegionConfig = field(default_factory=RegionConfig)
    mixture: Mixture = field(default_factory=Mixture)
    operator: OperatorConfig = field(default_factory=OperatorConfig)
    effect: EffectConfig = field(default_factory=EffectConfig)
    severity: str = ""
    "Path of a severity table that `pagemill calibrate` wrote; empty for the one that ships."


@dataclass(frozen=True, kw_only=True)
class ScheduleEntry:
    """From a position on, another mixture."""

    start: int
    """First position at which it counts."""
    mixture: Mixture
    ramp: int = 0
    """Positions over which the shares move there from those before, in a straight line."""
    losses: dict[str, float] = field(default_factory=dict)
    """Loss by level that led to it; empty where it was planned."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A configuration, and mixtures over training progress.

    Raises:
        ConfigError: entries that are not in the order of their starts.
    """

    config: CorruptionConfig = field(default_factory=CorruptionConfig)
    entries: tuple[ScheduleEntry, ...] = ()

    def __post_init__(self) -> None:
        starts = [entry.start for entry in self.entries]
        if starts != sorted(set(starts)) or (starts and starts[0] < 0):
            raise ConfigError(
                f"the schedule's entries start at {starts}; starts are 0 or more and rise"
            )
        if any(entry.ramp < 0 for entry in self.entries):
            raise ConfigError("a ramp of the schedule is negative; it is a number of positions")

    def shares(self, position: int) -> tuple[float, ...]:
        """Shares of the levels at a position, in the order of `Level`, adding up to 1."""
        now = self.config.mixture.shares
        for entry in self.entries:
            if entry.start > position:
                break
            part = min(1.0, (position - entry.start + 1) / (entry.ramp + 1))
            now = tuple(
                old + (new - old) * part for old, new in zip(now, entry.mixture.shares, strict=True)
            )
        return now

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change with everything that can change a plan.

        Kept, because it stands in every plan and takes longer than one.
        """
        # by the words of the first schema, so that runs begun under it go on
        tree = self.to_dict()
        config = {("paper" if key == "effect" else key): x for key, x in tree["config"].items()}
        first = {**tree, "schema": FIRST_SCHEMA, "config": config}
        return fingerprint(_FingerprintParts(tree=repr(first), table=self.table.digest))

    @property
    def table(self) -> SeverityTable:
        """The severity table of the configuration."""
        return _table(self.config.severity)

    @property
    def severity_lookup(self) -> SeverityLookup:
        """Severities by band, for the operators of the configuration."""
        operator = self.config.operator
        return _lookup(self.config.severity, (*operator.light, *operator.moderate))

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        entries = [
            {
                "start": entry.start,
                "mixture": {name: float(x) for name, x in asdict(entry.mixture).items()},
                "ramp": entry.ramp,
                "losses": dict(entry.losses),
            }
            for entry in self.entries
        ]
        return {"schema": SCHEMA, "config": to_tree(self.config), "entries": entries}

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> Schedule:
        """The schedule that `to_dict` wrote.

        Raises:
            ConfigError: another schema, an unknown key, a value out of range.
        """
        if tree.get("schema") not in (SCHEMA, FIRST_SCHEMA):
            raise ConfigError(
                f"the schedule has the schema {tree.get('schema')!r}; this version reads {SCHEMA!r}"
            )
        entries = tuple(
            ScheduleEntry(
                start=int(entry["start"]),
                mixture=from_tree(Mixture, entry["mixture"], "mixture."),
                ramp=int(entry.get("ramp", 0)),
                losses=dict(entry.get("losses", {})),
            )
            for entry in tree.get("entries", ())
        )
        config = upgraded(CorruptionConfig, tree["config"])
        return Schedule(config=from_tree(CorruptionConfig, config), entries=entries)


DEFAULT = Schedule()
"""All settings at their defaults, and the same mixture at every position."""


def adapt(
    schedule: Schedule,
    *,
    start: int,
    losses: Mapping[Level, float],
    gain: float = 0.5,
    least: float = 0.05,
    most_step: float = 0.1,
) -> Schedule:
    """A schedule with one more entry, which gives more to the levels that have learned less.

    A level's share grows with its loss relative to the loss that the first entry with losses
    recorded for it: what is learned gets less room, what lags gets more. The first feedback
    only records where each level started from.

    Args:
        schedule: the schedule so far.
        start: position from which the entry counts, after all others.
        losses: mean loss of each level since the last feedback; levels without are left alone.
        gain: power of the relative loss; 0 changes nothing.
        least: share that no level with a share falls below.
        most_step: the most that a share changes at once.

    Raises:
        ConfigError: a loss that is not a finite positive number, or a start that has passed.
    """
    for level, loss in losses.items():
        if not math.isfinite(loss) or loss < 0:
            raise ConfigError(
                f"the loss of {level} is {loss}; it has to be finite and not negative"
            )
    first = next((entry.losses for entry in schedule.entries if entry.losses), {})
    now = schedule.shares(start)
    shares = []
    for level, share, base in zip(LEVELS, now, schedule.config.mixture.shares, strict=True):
        reference = first.get(level)
        if reference is None:
            shares.append(base)
        elif level not in losses or not reference:
            shares.append(share)
        else:
            shares.append(base * (losses[level] / reference) ** gain)
    goal = _floored(shares, [share > 0 for share in now], least)
    farthest = max(abs(new - old) for old, new in zip(now, goal, strict=True))
    part = min(1.0, most_step / farthest) if farthest else 0.0
    moved = [old + (new - old) * part for old, new in zip(now, goal, strict=True)]
    mixture = Mixture(**{level: round(x, 6) for level, x in zip(LEVELS, moved, strict=True)})
    entry = ScheduleEntry(
        start=start, mixture=mixture, losses={str(k): float(v) for k, v in losses.items()}
    )
    return replace(schedule, entries=(*schedule.entries, entry))


def _floored(shares: list[float], used: list[bool], least: float) -> list[float]:
    """Shares that add up to 1, those in use at about the least or more."""
    total = sum(shares) or 1.0
    floored = [
        max(least, share / total) if alive else 0.0
        for share, alive in zip(shares, used, strict=True)
    ]
    total = sum(floored)
    return [share / total for share in floored]


@functools.lru_cache(maxsize=64)
def _table(path: str) -> SeverityTable:
    return load_table(Path(path) if path else None)


@functools.lru_cache(maxsize=64)
def _lookup(path: str, operators: tuple[str, ...]) -> SeverityLookup:
    return SeverityLookup(_table(path), tuple(dict.fromkeys(operators)))


@dataclass(frozen=True)
class _FingerprintParts:
    tree: str
    table: str
