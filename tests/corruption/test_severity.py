"""Curves and their inversion; the table that ships."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from pagemill.corruption import CorruptionConfig, Schedule
from pagemill.corruption.level import BANDS, Level
from pagemill.corruption.operator import OPERATORS
from pagemill.corruption.severity import (
    TURN,
    SeverityLookup,
    SeverityTable,
    load_table,
    share_of,
    strength_of,
    write_table,
)
from pagemill.engine.errors import ConfigError

SEVERITIES = (0.0, 0.1, TURN, 0.6, 1.0)


def table(**curves) -> SeverityTable:
    return SeverityTable(
        severities=SEVERITIES,
        x_heights=(8.0, 16.0),
        engines=("a", "b"),
        curves={name: np.array(curve, float) for name, curve in curves.items()},
        header={"command": "made up"},
    )


STEADY = [[[0, 0.02, 0.04, 0.5, 1.0]] * 2, [[0, 0.0, 0.0, 0.5, 1.0]] * 2]
STEEP = [
    [[0, 0.01, 0.02, 0.8, 1.0], [0, 0.01, 0.02, 0.4, 1.0]],
    [[0, 0.01, 0.02, 0.8, 1.0], [0, 0.01, 0.02, 0.4, 1.0]],
]


def test_light_holds_for_the_engine_that_suffers_most():
    limits = table(noise=STEADY).limits("noise", Level.LIGHT)
    assert np.allclose(limits[:, 1], 0.1)
    assert np.allclose(limits[:, 0], limits[:, 1] / 2)


def test_bands_are_inverted_and_found_again():
    lookup = SeverityLookup(table(noise=STEEP), ["noise"])
    low, high = BANDS[Level.MODERATE]
    for x_height in (8.0, 16.0):
        for part, error in ((0.0, low), (1.0, high)):
            severity = lookup.severity("noise", Level.MODERATE, x_height, part)
            assert lookup.error("noise", severity, x_height) == pytest.approx(error, abs=2e-3)
    small, middle, large = (
        lookup.severity("noise", Level.MODERATE, size, 0.5) for size in (8.0, 11.3, 16.0)
    )
    assert small < middle < large
    assert lookup.severity("noise", Level.MODERATE, 2.0, 0.5) == small
    assert lookup.severity("noise", Level.MODERATE, 200.0, 0.5) == large


def test_severity_is_strength_first_and_share_then():
    assert [strength_of(s) for s in (0, TURN / 2, TURN, 1)] == [0, 0.5, 1, 1]
    assert [share_of(s) for s in (0, TURN, 0.6, 1)] == pytest.approx([0, 0, 0.5, 1])


def test_tables_are_written_and_read_and_checked(tmp_path):
    path = tmp_path / "new" / "severity.json"
    write_table(path, table(noise=STEEP))
    again = load_table(path)
    assert np.allclose(again.curves["noise"], STEEP)
    assert again.header["command"] == "made up"
    assert len(again.digest) == 16
    tree = orjson.loads(path.read_bytes())
    for change, message in (
        ({"schema": "pagemill.severity.0"}, r"severity\.0.*severity\.1"),
        ({"curves": 3}, "not a severity table"),
        ({"severities": [0.0]}, "instead of"),
    ):
        path.write_bytes(orjson.dumps({**tree, **change}))
        with pytest.raises(ConfigError, match=message):
            load_table(path)
    with pytest.raises(ConfigError, match="cannot read"):
        load_table(tmp_path / "none.json")


def test_an_operator_that_the_table_lacks_is_named(tmp_path):
    write_table(tmp_path / "t.json", table(noise=STEEP))
    schedule = Schedule(config=CorruptionConfig(severity=str(tmp_path / "t.json")))
    with pytest.raises(ConfigError, match="does not know gaussian_blur"):
        _ = schedule.severity_lookup


def test_the_table_that_ships_covers_every_operator_and_says_where_it_is_from():
    shipped = load_table()
    assert set(shipped.curves) == set(OPERATORS)
    assert shipped.header["command"].startswith("pagemill calibrate ")
    assert shipped.header["readings"] > 10_000
    assert set(shipped.header["versions"]) == set(shipped.engines)
    for curve in shipped.curves.values():
        assert (np.diff(curve, axis=2) >= 0).all()
        assert (curve[..., 0] == 0).all()
        assert curve.mean(axis=(0, 1))[-1] > 0.8


def test_the_table_is_part_of_the_fingerprint(tmp_path):
    shipped = load_table()
    write_table(tmp_path / "t.json", shipped)
    shipped, other = (
        Schedule(),
        Schedule(config=CorruptionConfig(severity=str(tmp_path / "t.json"))),
    )
    assert shipped.fingerprint == Schedule().fingerprint
    assert shipped.fingerprint != other.fingerprint
