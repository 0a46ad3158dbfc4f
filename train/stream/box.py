"""Boxes on a page that can be asked for, their text, and the levels of characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ...corruption import CorruptionPlan, Level
from ...engine.key import keyed_hash
from ...engine.page import Page
from .order import permutation

UNKNOWN = "\ufffd"
"""Stands for a character that the PDF does not name: nothing to learn from."""


LEVELS = {level: number for number, level in enumerate(Level)}


FRAME, FRAME_GAP = 128, 2
"""Grey value of a drawn frame, and its distance from the box in px."""


class BoxTarget(NamedTuple):
    """A box that is asked for."""

    first_word: int
    """Its number on the page."""
    box: Sequence[float]
    """px."""
    box_ids: list[int]
    """Token ids of the box."""
    text_ids: list[int]
    """Token ids of its text."""
    level: int
    cut: bool = False
    """Whether the text goes on: then no end is learned."""


def draw_frames(image: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """The image with a thin grey frame around every box."""
    drawn = image.copy()
    colour = (FRAME,) * 3 if image.ndim == 3 else FRAME
    for x0, y0, x1, y1 in boxes:
        corner = (int(x0) - FRAME_GAP, int(y0) - FRAME_GAP)
        cv2.rectangle(drawn, corner, (int(x1) + FRAME_GAP, int(y1) + FRAME_GAP), colour, 1)
    return drawn


def box_candidates(
    page: Page, plan: CorruptionPlan, seed: int
) -> list[tuple[int, Sequence[float], str, int]]:
    """(first word, box, text, level): corrupted regions in a keyed order, then clean lines."""
    words = page.layer.words
    taken = np.zeros(len(words) + 1, dtype=bool)
    regions: list[tuple[int, Sequence[float], str, int]] = []
    for region in plan.regions:
        taken[region.words[0] : region.words[1]] = True
        text = " ".join(region.target.split("\n"))
        if UNKNOWN not in text:
            regions.append((region.words[0], region.moved, text, LEVELS[region.level]))
    free = [
        line
        for line in page.layer.lines
        if line.text and UNKNOWN not in line.text and not taken[slice(*line.words)].any()
    ]
    moved = plan.move_boxes([line.box for line in free])
    lines = [(line.words[0], box, line.text, 0) for line, box in zip(free, moved, strict=True)]
    key = keyed_hash("sample.regions", seed, page.key, plan.epoch)
    order = permutation(key, len(regions)).tolist()
    rest = permutation(key ^ 1, len(lines)).tolist()
    return [regions[number] for number in order] + [lines[number] for number in rest]


def line_levels(page: Page, plan: CorruptionPlan) -> dict[int, np.ndarray]:
    """Level of every character of the lines that regions touch, by line number."""
    levels: dict[int, np.ndarray] = {}
    words = page.layer.words
    for region in plan.regions:
        level = LEVELS[region.level]
        for number in range(*region.words):
            line = page.layer.lines[words[number].line]
            line_number = words[number].line
            if line_number not in levels:
                levels[line_number] = np.zeros(len(line.text) + 1, dtype=np.int8)
            start = word_start(page, line_number, number)
            if start >= 0:
                levels[line_number][start : start + len(words[number].text)] = level
    return levels


def word_start(page: Page, line_number: int, word_number: int) -> int:
    """Where a word begins in its line's text; -1 where it is not found."""
    line, at = page.layer.lines[line_number], 0
    for number in range(line.words[0], word_number):
        start = line.text.find(page.layer.words[number].text, at)
        at = start + len(page.layer.words[number].text) if start >= 0 else at
    return line.text.find(page.layer.words[word_number].text, at)
