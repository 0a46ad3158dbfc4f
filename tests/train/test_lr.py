"""The learning rate over the steps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.train.lr import lr_factor
from pagemill.train.recipe.config import LrScheduleConfig

SCHEDULES = st.builds(
    lambda kind, warmup, decay, final: LrScheduleConfig(
        kind=kind, warmup=warmup, decay=(1 - warmup) * decay, final=final
    ),
    st.sampled_from(["wsd", "cosine", "constant"]),
    *[st.floats(0, 1)] * 3,
)


@given(SCHEDULES, st.integers(1, 3000))
def test_the_learning_rate_is_a_share_that_rises_then_falls(schedule, steps):
    shares = [lr_factor(step, steps, schedule) for step in range(steps)]
    assert all(0 <= share <= 1 for share in shares)
    top = shares.index(max(shares))
    assert all(a <= b + 1e-9 for a, b in pairwise(shares[: top + 1]))
    assert all(a >= b - 1e-9 for a, b in pairwise(shares[top:]))


@given(SCHEDULES, st.integers(10, 3000))
def test_it_ends_at_the_final_share(schedule, steps):
    last = lr_factor(steps - 1, steps, schedule)
    if schedule.warmup * steps > steps - 1:
        return  # it never gets that far
    if schedule.kind == "cosine" or (schedule.kind == "wsd" and schedule.decay * steps >= 1):
        assert last == pytest.approx(schedule.final, abs=1e-9)
    elif schedule.kind == "constant":
        assert last == 1


def test_shapes():
    wsd = LrScheduleConfig(kind="wsd", warmup=0.1, decay=0.5, final=0.2)
    shares = [lr_factor(step, 100, wsd) for step in range(100)]
    assert shares[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert shares[10:50] == [1.0] * 40
    assert shares[50:] == pytest.approx([1 - 0.8 * (step + 1) / 50 for step in range(50)])
    cosine = LrScheduleConfig(kind="cosine", warmup=0.0, final=0.0)
    assert lr_factor(49, 100, cosine) == pytest.approx(0.5)
    assert lr_factor(24, 100, cosine) == pytest.approx((1 + 0.5**0.5) / 2)
    constant = LrScheduleConfig(kind="constant", warmup=0.02)
    assert [lr_factor(step, 100, constant) for step in (0, 1, 2, 99)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 1]
    )
