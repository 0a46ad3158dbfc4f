"""How much pictures of glyphs look like characters: laid over the reference and compared."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .reference import ALPHABETIC, EAST_ASIAN, Grid, Reference, normalise

_TOP, _BOTTOM = 1.16, -0.50
"""em around the baseline that is cut out; more than the grids span, for fonts of other scales."""
_STEP = 0.06
"""em between sampled rows."""
_ACROSS = 10
"""Samples across the advance width."""
_SCALES = (1.0, 0.65, 0.8, 0.9, 1.12, 1.25, 1.5)
"""Letter sizes relative to the font size that are tried for each font."""
_SHIFTS = (0.0, -0.06, 0.06, -0.12, 0.12)
"""em; baselines tried."""
_MARGIN = 0.02
"""Another character must fit better by this much to count against a claim."""
_POOL = 8
"""Fonts with fewer different characters than this are aligned together."""
_OTHERS = {
    ALPHABETIC.name: np.arange(0x21, 0x7F),
    EAST_ASIAN.name: np.arange(0x3041, 0xD7A4, 97),
}
"""Characters that every glyph might be instead of the claimed one, beside the page's own."""

ACROSS = (np.arange(_ACROSS, dtype=np.float32) + 0.5) / _ACROSS
"""Where pictures are sampled along the advance width, 0 to 1."""
ABOVE = np.arange(_TOP, _BOTTOM, -_STEP, dtype=np.float32)
"""Where pictures are sampled above the baseline, em, top down."""


def compare(
    ink: np.ndarray, codepoint: np.ndarray, font: np.ndarray, table: Reference
) -> np.ndarray:
    """Float32 [3, n]: correlation with the claim, its rank, best correlation; NaN if unknown."""
    grid = table.grid
    claimed = table.find(codepoint)
    candidates = table.find(np.unique(np.append(_OTHERS[grid.name], codepoint)))
    candidates = candidates[candidates >= 0]
    profile = ink @ np.full(_ACROSS, 1 / _ACROSS, np.float32)
    variant = _align(profile, claimed, font, table)
    cells = np.matmul(_row_operators(grid)[variant], ink @ _column_operator(grid))
    picture = normalise(cells.reshape(len(ink), -1), grid)
    count = table.start[candidates + 1] - table.start[candidates]
    offset = np.cumsum(count) - count
    rows = np.repeat(table.start[candidates] - offset, count) + np.arange(count.sum())
    fit = reduce_groups(np.maximum, table.picture[rows] @ picture.T, offset)
    row_of_claim = np.searchsorted(candidates, np.maximum(claimed, candidates[0]))
    claim = np.where(claimed >= 0, fit[row_of_claim, np.arange(len(picture))], np.nan)
    better = (fit > claim + _MARGIN).sum(axis=0)
    rank = np.where(claimed >= 0, better / max(1, len(candidates) - 1), np.nan)
    return np.stack([claim, rank, fit.max(axis=0)]).astype(np.float32)


def reduce_groups(ufunc: np.ufunc, rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """As `ufunc.reduceat(rows, starts)`, but fast: for many groups of a few long rows."""
    count = np.diff(np.append(starts, len(rows)))
    result: np.ndarray = rows[starts]
    for step in range(1, int(count.max())):
        more = np.flatnonzero(count > step)
        result[more] = ufunc(result[more], rows[starts[more] + step])
    return result


def _align(
    profile: np.ndarray, claimed: np.ndarray, font: np.ndarray, table: Reference
) -> np.ndarray:
    """Int64 [n]: for each glyph its font's scale and baseline, as an index of the operators.

    The ink per row of a font's glyphs, all taken together, is laid against what the claimed
    characters would give together. A permutation of characters hardly changes either, so the
    choice does not help a false claim.
    """
    in_table = claimed >= 0
    _, index = np.unique(font, return_inverse=True)
    different = np.bincount(index, in_table)
    index = np.where(different[index] >= _POOL, index, index.max() + 1)
    groups = int(index.max()) + 1
    operators = _row_operators(table.grid)
    member = ((index == np.arange(groups)[:, None]) & in_table).astype(np.float32)
    seen, expected = member @ profile, member @ table.profile[claimed]
    rows = _centred((operators @ seen.T).transpose(2, 0, 1))
    fit = (rows @ _centred(expected)[:, :, None])[:, :, 0]
    fit[:, 0] += 0.02
    return np.asarray(fit.argmax(axis=1)[index])


def _centred(rows: np.ndarray) -> np.ndarray:
    rows = rows - rows.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(norm, 1e-6))


@lru_cache(maxsize=2)
def _row_operators(grid: Grid) -> np.ndarray:
    """float32 [variants, grid.rows, sampled rows]: the grid's rows for each scale and shift."""
    edges = grid.top - (grid.top - grid.bottom) / grid.rows * np.arange(grid.rows + 1)
    edges = np.stack([edges * scale + shift for scale in _SCALES for shift in _SHIFTS])
    upper, lower = edges[:, :-1, None], edges[:, 1:, None]
    overlap = np.minimum(upper, ABOVE + _STEP / 2) - np.maximum(lower, ABOVE - _STEP / 2)
    overlap = np.maximum(overlap, 0)
    return np.asarray(overlap / np.maximum(overlap.sum(-1, keepdims=True), 1e-6), np.float32)


@lru_cache(maxsize=2)
def _column_operator(grid: Grid) -> np.ndarray:
    """float32 [_ACROSS, grid.columns]: means of the samples that fall into each column."""
    left = np.arange(_ACROSS)[:, None] / _ACROSS
    edge = np.arange(grid.columns)[None] / grid.columns
    overlap = np.minimum(left + 1 / _ACROSS, edge + 1 / grid.columns) - np.maximum(left, edge)
    overlap = np.maximum(overlap, 0)
    return np.asarray(overlap / overlap.sum(axis=0), np.float32)
