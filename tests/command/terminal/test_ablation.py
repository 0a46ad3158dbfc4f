"""The table of an ablation."""

from __future__ import annotations

from pagemill.command.terminal.ablation import ablation_table
from pagemill.train.ablation import AblationArm


def test_an_arm_is_a_line_and_what_was_not_measured_a_dash():
    figure = {"value": 0.125, "low": 0.1, "high": 0.15, "n": 8}
    levels = {"clean": {"cer": figure}, "heavy": {"cer": figure, "exact": figure}}
    arms = [AblationArm("light", 4, 12_345.0, 2.5, {"levels": levels})]
    heading, rule, line = ablation_table(arms)
    cells = [[part.strip() for part in row.strip("|").split("|")] for row in (heading, line)]
    measured = "12.5% (10.0%–15.0%)"
    assert dict(zip(*cells, strict=True)) == {
        "trained on": "light",
        "tokens": "12,345",
        "CER clean": measured,
        "CER light": "–",
        "CER moderate": "–",
        "CER heavy": measured,
        "heavy exact": measured,
        "heavy exact, no picture": "–",
    }
    assert rule.count("|") == heading.count("|")
