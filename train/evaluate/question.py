"""The questions about a case: which pictures a reader sees, and what it is asked of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...model.question import Picture, Question
from ..stream.box import draw_frames
from .case import CORRUPTED, Case
from .config import EvalConfig

SLACK, SLACK_TOKENS = 2, 32
"""An answer may have so many times the tokens of its target, and so many more."""
WHITE_SIZES = 8
"""White pages that are kept, by size."""
SEEN, BLIND = "seen", "blind"


class CaseQuestion(NamedTuple):
    """A question, and what of its case it is about."""

    prompt: Question
    case: Case
    view: str
    """`seen` or `blind` for regions; how the page is drawn for whole pages."""
    region_numbers: tuple[int, ...] = ()


def question_count(case: Case, config: EvalConfig, *, blind: bool) -> int:
    """How many questions there are about a case; `blind` as `case_questions` takes it."""
    region_views = 2 if blind and config.blind else 1
    return len(case.groups) * region_views + len(page_views(case))


def page_views(case: Case) -> list[str]:
    """How the page is drawn where it is read as a whole."""
    return list(case.plans) if case.text else []


def case_questions(case: Case, config: EvalConfig, *, blind: bool) -> Iterator[CaseQuestion]:
    """All questions about a case.

    Args:
        case: a page.
        config: that it was opened with.
        blind: whether regions are also asked for on a white page, where the configuration wants it.

    Raises:
        DataError: its page cannot be read.
    """
    image = case.pixels()
    pictures = {view: Picture(case.view(image, view)) for view in case.plans}
    region_pictures = [(SEEN, pictures[CORRUPTED])]
    if blind and config.blind:
        region_pictures.append((BLIND, white_page(case.width, case.height)))
    for group in case.groups:
        regions = [case.regions[number] for number in group]
        boxes = tuple(region.box for region in regions)
        limit_tokens = answer_limit(sum(region.tokens + 1 for region in regions), config)
        for view, picture in region_pictures:
            marked = Picture(draw_frames(picture.pixels, boxes)) if config.marker else picture
            question = Question(
                picture=marked,
                phrasing=case.restore_phrasing,
                limit_tokens=limit_tokens,
                most_tokens=config.most_new_tokens,
                boxes=boxes,
                box_texts=tuple(region.box_text for region in regions),
                line_boxes=tuple(region.line_boxes for region in regions),
            )
            yield CaseQuestion(question, case, view, group)
    for view in page_views(case):
        question = Question(
            picture=pictures[view],
            phrasing=case.read_phrasing,
            limit_tokens=answer_limit(case.text_tokens, config),
            most_tokens=config.most_new_tokens,
        )
        yield CaseQuestion(question, case, view)


def answer_limit(tokens: int, config: EvalConfig) -> int:
    """Tokens that an answer to a target of so many tokens may have."""
    return min(config.most_new_tokens, SLACK * tokens + SLACK_TOKENS)


@lru_cache(maxsize=WHITE_SIZES)
def white_page(width: int, height: int) -> Picture:
    """A page without anything on it."""
    return Picture(np.full((height, width), 255, np.uint8))
