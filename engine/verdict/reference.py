"""What characters look like: shipped tables of small pictures, measured from free fonts.

`make_reference.py` says how they were made. A character has one picture per style in which it
looks different (upright, italic, Arabic forms by position). A picture is the share of ink in
the cells of a grid over the advance width and a span of height around the baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

_FILE = "reference.npz"
WIDE = 0x2E80
"""Code points from here to U+FAFF and U+FF01 to U+FF60 fill a square: East Asian ones."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How a glyph is cut into cells."""

    name: str
    rows: int
    columns: int
    top: float
    """em above the baseline."""
    bottom: float
    bits: int
    """of ink per cell in the shipped table."""
    smooth: bool
    """Blur by (1, 2, 1) both ways before comparing, so that half a cell's offset costs little."""

    @property
    def cells(self) -> int:
        """Cells of one picture."""
        return self.rows * self.columns


ALPHABETIC = Grid("alphabetic", 12, 6, 0.94, -0.30, bits=4, smooth=True)
EAST_ASIAN = Grid("east_asian", 8, 8, 0.90, -0.14, bits=2, smooth=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """Pictures sorted by code point; those of one character are adjacent."""

    grid: Grid
    codepoint: np.ndarray
    """int32 [n]: the characters known, ascending, each once."""
    start: np.ndarray
    """int64 [n + 1]: the pictures of character i are rows start[i] to start[i + 1]."""
    picture: np.ndarray
    """float32 [m, cells]: `normalise`d."""
    profile: np.ndarray
    """float32 [n, rows]: ink per row, mean over the character's pictures."""
    width_em: np.ndarray
    """float32 [n]: advance width, mean over the character's pictures."""

    def find(self, codepoint: np.ndarray) -> np.ndarray:
        """Index of each code point among the known ones, -1 where it is not known."""
        index = np.minimum(np.searchsorted(self.codepoint, codepoint), len(self.codepoint) - 1)
        return np.where(self.codepoint[index] == codepoint, index, -1)


@lru_cache(maxsize=2)
def reference(grid: Grid) -> Reference:
    """The shipped table of a grid, read once per process (about 30 ms, 3 MB)."""
    with (files(__package__) / _FILE).open("rb") as stream, np.load(stream) as table:
        codepoint = table[f"{grid.name}_codepoint"]
        cells = unpack_cells(table[f"{grid.name}_cells"], grid.bits)
        width = table[f"{grid.name}_width"] / np.float32(100)
    characters, start, count = np.unique(codepoint, return_index=True, return_counts=True)
    rows = cells.reshape(len(cells), grid.rows, grid.columns).mean(axis=2)
    share = count.astype(np.float32)
    return Reference(
        grid=grid,
        codepoint=characters,
        start=np.append(start, len(codepoint)),
        picture=normalise(cells, grid),
        profile=np.add.reduceat(rows, start, axis=0) / share[:, None],
        width_em=np.add.reduceat(width, start) / share,
    )


def expected_width(codepoint: np.ndarray) -> np.ndarray:
    """float32 [n]: usual advance width of each code point, em; NaN where it is not known."""
    width = np.full(len(codepoint), np.nan, np.float32)
    for grid in (EAST_ASIAN, ALPHABETIC):
        table = reference(grid)
        index = table.find(codepoint)
        width = np.where(index >= 0, table.width_em[index], width)
    return width


def is_wide(codepoint: np.ndarray) -> np.ndarray:
    """bool [n]: East Asian characters that fill a square."""
    return ((codepoint >= WIDE) & (codepoint < 0xFB00)) | (
        (codepoint > 0xFF00) & (codepoint <= 0xFF60)
    )


def normalise(cells: np.ndarray, grid: Grid) -> np.ndarray:
    """Pictures made comparable by a dot product, which is then their correlation.

    Args:
        cells: float32 [n, cells].
    """
    flat = cells @ _centred_blur(grid)
    norm = np.sqrt(np.einsum("ij,ij->i", flat, flat))[:, None]
    return np.asarray(flat / np.maximum(norm, 1e-4), np.float32)


@lru_cache(maxsize=2)
def _centred_blur(grid: Grid) -> np.ndarray:
    """float32 [cells, cells]: blurs a flat picture if the grid asks for it, and takes its mean."""
    blur = np.kron(_blur(grid.rows), _blur(grid.columns)) if grid.smooth else np.eye(grid.cells)
    return np.asarray(blur - blur.mean(axis=1, keepdims=True), np.float32)


def _blur(size: int) -> np.ndarray:
    """float64 [size, size]: weights (1, 2, 1) / 4 down each column, the edge repeated."""
    eye = np.pad(np.eye(size), ((1, 1), (0, 0)))
    weights = 0.25 * eye[:-2] + 0.5 * eye[1:-1] + 0.25 * eye[2:]
    weights[0, 0] += 0.25
    weights[-1, -1] += 0.25
    return weights


def unpack_cells(packed: np.ndarray, bits: int) -> np.ndarray:
    """float32 [n, cells], 0 to 1; the inverse of `make_reference.pack`."""
    share = 8 // bits
    top = (1 << bits) - 1
    cells = np.empty((len(packed), packed.shape[1] * share), np.float32)
    for index in range(share):
        cells[:, index::share] = (packed >> (8 - bits * (index + 1))) & top
    return cells / np.float32(top)
