"""Columns of the log as curves, over the steps that all charts of a run share."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...corruption.level import LEVELS
from ..kit.chart import Curve, StepAxis
from .data import RunData, step_of
from .series import BUCKETS, Trace, bucketed

LEVEL_NAMES = tuple(str(level) for level in LEVELS)


def step_axis(data: RunData) -> StepAxis:
    """The axis that all charts of a run share."""
    events = [step_of(row) for row in (*data.evals, *data.adaptations)]
    return StepAxis(
        start=min([data.first, *data.steps["step"][:1].tolist()]),
        end=max(data.first, data.last, *events),
        resumes=data.resumes,
        adaptations=[step_of(row) for row in data.adaptations],
    )


def trace_of(data: RunData, column: str, weight: str = "") -> Trace:
    """A column in buckets; a column that is not there is a gap."""
    values = data.steps.get(column, np.full(len(data.steps["step"]), math.nan))
    return bucketed(values, data.steps.get(weight))


def smooth_curve(
    data: RunData, name: str, css: str, column: str, weight: str = "", *, geometric: bool = False
) -> Curve:
    """A column as a curve over its raw form: the values where there are few, else their range.

    Args:
        data: the run.
        name: of the curve.
        css: class of its colour.
        column: what is drawn.
        weight: column that weighs the rows in a mean.
        geometric: whether means are geometric, so that a spike weighs little.
    """
    trace = trace_of(data, column, weight)
    if geometric:
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = bucketed(np.log(data.steps[column]))
        trace = replace(trace, smooth=np.exp(logs.smooth))
    if len(data.steps["step"]) <= BUCKETS:
        return Curve(name=name, css=css, values=trace.smooth, faint=trace.mean)
    return Curve(name=name, css=css, values=trace.smooth, low=trace.low, high=trace.high)
