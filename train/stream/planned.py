"""Samples as they are planned before they are read, and what a rank takes in a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...corruption import ScheduleEntry
from .packing import SampleAddress


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """A sample with everything that was decided before it is read."""

    sample: SampleAddress
    read: bool
    """Whether the whole text is asked for, or boxes."""
    phrase: int
    room: int
    """Tokens that boxes and answer may take together."""
    tokens: int
    """In all."""


@dataclass(frozen=True, slots=True, eq=False)
class EpochPlan:
    """The same for every sample of a source in an epoch."""

    read: np.ndarray
    phrase: np.ndarray
    room: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class SampleLengths:
    """What is known of every sample of a source before it is read, int64 [samples] each."""

    pictures: np.ndarray
    """Tokens that pictures take in the prompt."""
    slices: np.ndarray
    text: np.ndarray
    """Tokens of a page's text; of a record, all its tokens."""


class StepTask(NamedTuple):
    """What one rank takes in one step."""

    packs: tuple[tuple[PlannedSample, ...], ...]
    entries: tuple[ScheduleEntry, ...]
    """Of the corruption schedule, as far as it is known when the step is planned."""
