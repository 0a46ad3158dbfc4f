"""What a mask may give away, and how to find out: ink beside it, pixels that depend on the text.

`leaks` puts other ink under every mask of a page and draws the plan again: what comes out must be
the same to the last pixel. `widths` says how well the width of masks tells the length of the text.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ..engine.page import Page
from .apply import corrupt
from .level import Level
from .operator import bank
from .operator.tone import is_light, paper_of
from .plan import CorruptionPlan, PlannedRegion
from .region import RegionKind
from .relevance import normal, word_counts

_INK = 64
"""Grey levels from the paper's own, from which a pixel is ink."""
_RULE_PX = 3
"""Rows that an underline is high at most."""


def leaks(image: np.ndarray, page: Page, plan: CorruptionPlan) -> list[str]:
    """What is wrong with the masks of a page, one line each; nothing is good.

    Args:
        image: of the page, as it was before.
        page: the page.
        plan: of this page.
    """
    heavy = [region for region in plan.regions if region.level is Level.HEAVY]
    if not heavy:
        return []
    out = corrupt(image, plan)
    faults = []
    other = corrupt(scrambled(image, heavy), plan)
    if not np.array_equal(out, other):
        rows = np.flatnonzero((out != other).reshape(len(out), -1).any(axis=1))
        faults.append(
            f"{page.key}: rows {rows[0]} to {rows[-1]} change with the text under the masks"
        )
    for region in heavy:
        left = residual_ink(image, page, region)
        if left:
            faults.append(
                f"{page.key}: {left} px of the ink of {region.target[:40]!r} lie beside its mask"
            )
    return faults


def scrambled(image: np.ndarray, regions: Iterable[PlannedRegion]) -> np.ndarray:
    """The image with noise in place of what lies in the boxes of the regions."""
    out = image.copy()
    for region in regions:
        x0, y0 = (max(0, int(value)) for value in region.box[:2])
        x1, y1 = int(np.ceil(region.box[2])), int(np.ceil(region.box[3]))
        under = out[y0:y1, x0:x1]
        if under.size:
            tile = bank.window(bank.even_tile(), under.shape, region.id)
            under[...] = bank.like(tile, under)
    return out


def residual_ink(image: np.ndarray, page: Page, region: PlannedRegion) -> int:
    """px of ink outside the mask that hang together with ink in the region's boxes.

    Ink that reaches into the box of another word is theirs, what is thin or goes on and on is a
    rule, and what lies mostly outside the words' boxes is a drawing.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    x0, y0, x1, y1 = region.cover
    reach = max(8, y1 - y0)
    top, left = max(0, y0 - reach), max(0, x0 - reach)
    part = grey[top : y1 + reach, left : x1 + reach]
    paper = paper_of(part)[0]
    ink = (cv2.absdiff(part, np.full_like(part, paper)) > _INK).astype(np.uint8)
    if not is_light((paper,)) and ink.mean() > 0.5:
        return 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    words = [page.layer.words[index].box for index in range(*region.words)]
    pieces = _labels_in(labels, words, left, top, inset=1)
    others = [
        word.box
        for index, word in enumerate(page.layer.words)
        if not region.words[0] <= index < region.words[1]
        and word.box[2] > left
        and word.box[0] < x1 + reach
        and word.box[3] > top
        and word.box[1] < y1 + reach
    ]
    pieces -= _labels_in(labels, others, left, top, inset=2)
    inside, outside = np.zeros_like(ink, bool), np.ones_like(ink, bool)
    for box in words:
        inside[_span(box[1], box[3], top), _span(box[0], box[2], left)] = True
    outside[y0 - top : y1 - top, x0 - left : x1 - left] = False
    total = 0
    for label in pieces:
        piece = labels == label
        beside = piece & outside
        rows = np.flatnonzero(beside.any(axis=1))
        if not len(rows) or np.ptp(rows) < _RULE_PX or _at_edge(piece):
            continue
        if 2 * np.count_nonzero(piece & inside) > stats[label, cv2.CC_STAT_AREA]:
            total += int(np.count_nonzero(beside))
    return total


def _at_edge(piece: np.ndarray) -> bool:
    return bool(piece[0].any() or piece[-1].any() or piece[:, 0].any() or piece[:, -1].any())


def _span(low: float, high: float, start: int) -> slice:
    return slice(max(0, int(low) - start), max(0, int(np.ceil(high)) - start))


def widths(plans: Iterable[CorruptionPlan]) -> tuple[float, int]:
    """R² of the number of characters on the width of line and block masks; how many masks."""
    masks = [
        (region.cover[2] - region.cover[0], len(region.target))
        for plan in plans
        for region in plan.regions
        if region.level is Level.HEAVY and region.kind in (RegionKind.LINE, RegionKind.BLOCK)
    ]
    if len(masks) < 3:
        return 0.0, len(masks)
    width, chars = np.array(masks, np.float64).T
    if not width.std() or not chars.std():
        return 0.0, len(masks)
    return float(np.corrcoef(width, chars)[0, 1] ** 2), len(masks)


def stands_elsewhere(page: Page, plan: CorruptionPlan) -> float:
    """Share of the masked words that also stand in clear somewhere on the page; 0 without masks."""
    counts = word_counts(page)
    masked = [
        normal(page.layer.words[index].text)
        for region in plan.regions
        if region.level is Level.HEAVY
        for index in range(*region.words)
    ]
    for word in masked:
        counts[word] -= 1
    return sum(counts[word] > 0 for word in masked) / len(masked) if masked else 0.0


def _labels_in(
    labels: np.ndarray,
    boxes: Iterable[tuple[float, float, float, float]],
    left: int,
    top: int,
    inset: int,
) -> set[int]:
    """Components that have a pixel in one of the boxes, the background left out."""
    touched: set[int] = set()
    for x0, y0, x1, y1 in boxes:
        rows = slice(max(0, int(y0) - top + inset), max(0, int(y1) - top - inset))
        columns = slice(max(0, int(x0) - left + inset), max(0, int(x1) - left - inset))
        touched |= set(np.unique(labels[rows, columns]).tolist())
    return touched - {0}
