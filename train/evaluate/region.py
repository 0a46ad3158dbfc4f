"""The regions of a page that are asked for, and how many of them one prompt asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import TypeVar

from tokenizers import Tokenizer

from ...corruption import CorruptionPlan, Level
from ...engine.geometry import Box, union
from ...engine.page import Page
from ...model.prompt.box import box_text
from ..stream.box import box_candidates
from .config import EvalConfig

LEVEL_NAMES = tuple(str(level) for level in Level)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class AskedRegion:
    """One region that is asked for."""

    first_word: int
    """Its number on the page."""
    box: Box
    """px of the corrupted page."""
    box_text: str
    """The same in thousandths of the page, as prompts write it."""
    line_boxes: tuple[Box, ...]
    """Around its words on each line, px of the corrupted page."""
    target: str
    """In one line, as training asks for it."""
    level: str
    kind: str
    tokens: int
    """Of the target."""


def ask_regions(
    page: Page, plan: CorruptionPlan, config: EvalConfig, tokenizer: Tokenizer
) -> tuple[AskedRegion, ...]:
    """Regions of a page, the levels in turn, in reading order."""
    by_first_word = {region.words[0]: region for region in plan.regions}
    line_stops = {line.words[0]: line.words[1] for line in page.layer.lines}
    by_level: list[list[AskedRegion]] = [[] for _ in LEVEL_NAMES]
    for first_word, box, target, level in box_candidates(page, plan, config.seed):
        tokens = len(tokenizer.encode(target).ids)
        if 0 < tokens < config.most_new_tokens:
            region = by_first_word.get(first_word)
            stop = region.words[1] if region else line_stops[first_word]
            by_level[level].append(
                AskedRegion(
                    first_word=first_word,
                    box=as_box(box),
                    box_text=box_text(box, page.width, page.height),
                    line_boxes=line_boxes(page, plan, first_word, stop),
                    target=target,
                    level=LEVEL_NAMES[level],
                    kind=str(region.kind) if region else "line",
                    tokens=tokens,
                )
            )
    picked = list(round_robin(by_level))[: config.regions]
    return tuple(sorted(picked, key=lambda region: region.first_word))


def line_boxes(page: Page, plan: CorruptionPlan, start: int, stop: int) -> tuple[Box, ...]:
    """Boxes around words on each line, where they lie on the corrupted page."""
    words = page.layer.words[start:stop]
    boxes = [
        union([word.box for word in row]) for _, row in groupby(words, key=lambda word: word.line)
    ]
    return tuple(plan.move_boxes(boxes))


def as_box(box: Sequence[float]) -> Box:
    """A box as a tuple."""
    x0, y0, x1, y1 = box
    return float(x0), float(y0), float(x1), float(y1)


def round_robin(groups: Sequence[Sequence[Item]]) -> Iterator[Item]:
    """The first item of each group, then the second of each, until all are taken."""
    for row in zip_longest(*groups):
        yield from (item for item in row if item is not None)


def group_regions(
    regions: Sequence[AskedRegion], box_tokens: Sequence[int], room: int, answer_room: int
) -> Iterator[tuple[int, ...]]:
    """Numbers of regions for one prompt each, as many as training asks for at once.

    Args:
        regions: of a page.
        box_tokens: that each one's box takes in the prompt.
        room: tokens that boxes and answers of a prompt may take together.
        answer_room: tokens that its answers may take.
    """
    group: list[int] = []
    total = answer = 0
    for number, (region, in_prompt) in enumerate(zip(regions, box_tokens, strict=True)):
        in_answer = region.tokens + 1
        over = total + in_answer + in_prompt > room or answer + in_answer > answer_room
        if group and over:
            yield tuple(group)
            group, total, answer = [], 0, 0
        group.append(number)
        total += in_answer + in_prompt
        answer += in_answer
    if group:
        yield tuple(group)
