from __future__ import annotations

import numpy as np
import pytest
from pagemill.engine.draw import draws, philox


@pytest.mark.parametrize(
    ("key", "counter", "wanted"),
    [
        (0, (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            0xFFFFFFFFFFFFFFFF,
            (0xFFFFFFFF,) * 4,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            0x299F31D0A4093822,
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers_of_random123(key, counter, wanted):
    assert philox(key, np.array([counter], np.uint64))[0].tolist() == list(wanted)


def test_a_draw_depends_on_its_own_name_alone():
    ids, slots = np.array([5, 7, 1 << 58]), np.array([0, 3, 2])
    together = draws(11, ids, slots)
    for row, (one, slot) in enumerate(zip(ids, slots, strict=True)):
        alone = draws(11, np.array([one]), np.array([slot]))
        assert np.array_equal(together[row], alone[0])
    assert not np.array_equal(together, draws(12, ids, slots))


def test_draws_are_even_and_never_0_or_1():
    values = draws(3, np.arange(50_000), np.zeros(50_000, int))
    assert values.min() > 0
    assert values.max() < 1
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    assert np.abs(counts / counts.mean() - 1).max() < 0.05
    assert abs(np.corrcoef(values.T)[0, 1]) < 0.02
