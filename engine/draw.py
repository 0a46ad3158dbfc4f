"""Random numbers by name: Philox 4x32-10 for many regions at once, integers and exact fractions.

NumPy promises the raw bits of its generators but not the distributions made of them, and making a
generator a region costs more than drawing from it. So the counter function itself stands here,
over arrays: a draw is a pure function of (key, region, slot), whatever else is drawn.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 3.3.
"""

from __future__ import annotations

import numpy as np

_FACTORS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 10
_STEPS = np.arange(_ROUNDS, dtype=np.uint64)[:, None, None] * np.array(
    [[0x9E3779B9], [0xBB67AE85]], np.uint64
)
LANES = 4
"""32-bit numbers that one counter gives."""


def philox(key: int, counters: np.ndarray) -> np.ndarray:
    """Four 32-bit numbers for each counter, uint32 [n, 4].

    Args:
        key: 64 bits.
        counters: uint32 [n, 4], any integer type.
    """
    wide = counters.astype(np.uint64)
    even, odd = wide[:, ::2].T.copy(), wide[:, 1::2].T
    start = np.array([[key & 0xFFFFFFFF], [key >> 32]], np.uint64)
    for round_key in (start + _STEPS) & _MASK:
        product = (even * _FACTORS)[::-1]
        even = (product >> _HALF) ^ odd ^ round_key
        odd = product & _MASK
    out = np.empty((len(wide), LANES), np.uint32)
    out[:, ::2], out[:, 1::2] = even.T, odd.T
    return out


def draws(key: int, ids: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Numbers in (0, 1), float64 [n, 4], for n pairs of a region and a slot.

    They are odd multiples of 2**-33: exact, and neither 0 nor 1.

    Args:
        key: names the page, the epoch and the purpose; see `engine.key.keyed_hash`.
        ids: int64 [n], region ids.
        slots: int64 [n] below 2**32, what is drawn for the region.
    """
    counters = np.empty((len(ids), LANES), np.uint64)
    wide = ids.astype(np.uint64)
    counters[:, 0] = slots
    counters[:, 1] = wide & _MASK
    counters[:, 2] = wide >> _HALF
    counters[:, 3] = 0
    return (philox(key, counters) + 0.5) * 2.0**-32
