"""Cases read by a reader: one plain record for every region and every whole page."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...engine.geometry import Box
from ...engine.image import ImageConfig, encode
from ...engine.progress import Progress
from .case import AskedRegion, Case
from .config import EvalConfig
from .question import BLIND, SEEN, Picture, Posed, Reader, Reply, count, posed

REGION, PAGE = "region", "page"
BATCHES = 4
"""Whose questions are put together before they are sorted by the length of their answers."""
CONTEXT_PX = 12
"""Around a region in its picture."""
LARGEST_CROP_PX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was read of one region, or of one page as a whole."""

    key: str
    document: str
    task: str
    """`region` or `page`."""
    level: str
    """Of a region; of a page `clean`, `corrupted`, or the level of all that is corrupted on it."""
    kind: str
    """What the region is a piece of; `page`."""
    box: Box
    """px; the whole page for a page."""
    target: str
    read: str
    blind: str | None = None
    """What was read on a white page; None where that was not asked."""
    truncated: bool = False
    """Whether the limit of tokens cut the answer off."""
    seconds: float = 0.0
    """Its share of the time that its batches took."""
    reader: str
    reader_kind: str
    shown: bool = False
    """Whether it is kept to be looked at."""
    crop: bytes | None = None
    """PNG of the place on the corrupted page."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON carries it, without the picture."""
        tree = asdict(self)
        del tree["crop"]
        return {**tree, "box": list(self.box)}


def answer_cases(
    reader: Reader,
    cases: Sequence[Case],
    config: EvalConfig,
    progress: Progress | None = None,
) -> list[Answer]:
    """What a reader makes of the cases, in their order.

    Args:
        reader: whatever reads.
        cases: all, or those of a rank: `cases[rank::ranks]`.
        config: that the cases were opened with.
        progress: called with prompts answered and prompts in all.

    Raises:
        DataError: a page cannot be read.
    """
    total = sum(count(case, config, guesses=reader.guesses) for case in cases)
    done = 0
    found: list[Answer] = []
    for chunk in chunks(cases, config, guesses=reader.guesses):
        asked = [one for case in chunk for one in posed(case, config, guesses=reader.guesses)]
        by_case: dict[str, list[tuple[Posed, Reply, float]]] = defaultdict(list)
        asked.sort(key=lambda one: one.question.limit)
        for start in range(0, len(asked), config.batch):
            batch = asked[start : start + config.batch]
            began = time.perf_counter()
            replies = reader.answer([one.question for one in batch])
            share = (time.perf_counter() - began) / len(batch)
            for one, reply in zip(batch, replies, strict=True):
                by_case[one.case.key].append((one, reply, share))
            done += len(batch)
            if progress is not None:
                progress(done, total)
        for case in chunk:
            found += records(case, by_case[case.key], reader)
    return found


def chunks(cases: Sequence[Case], config: EvalConfig, *, guesses: bool) -> Iterator[list[Case]]:
    """Whole cases with a few batches of questions together, so that pictures are encoded once."""
    chunk: list[Case] = []
    questions = 0
    for case in cases:
        chunk.append(case)
        questions += count(case, config, guesses=guesses)
        if questions >= BATCHES * config.batch:
            yield chunk
            chunk, questions = [], 0
    if chunk:
        yield chunk


def records(
    case: Case, replies: Sequence[tuple[Posed, Reply, float]], reader: Reader
) -> Iterator[Answer]:
    """A case's regions in reading order, then its whole pages."""
    seen: dict[int, tuple[str, bool]] = {}
    blind: dict[int, tuple[str, bool]] = {}
    seconds: dict[int, float] = defaultdict(float)
    pages: dict[str, tuple[Reply, float]] = {}
    pictures: dict[int, Picture] = {}
    for one, reply, share in replies:
        if one.way in (SEEN, BLIND):
            own = seen if one.way == SEEN else blind
            own |= dict(zip(one.members, zip(reply.texts, reply.cut, strict=True), strict=True))
            for number in one.members:
                seconds[number] += share / len(one.members)
            if one.way == SEEN:
                pictures |= dict.fromkeys(one.members, one.question.picture)
        else:
            pages[one.way] = (reply, share)
    who: dict[str, Any] = {"key": case.key, "document": case.document}
    who |= {"reader": reader.name, "reader_kind": reader.kind}
    for number, region in enumerate(case.regions):
        shown = number in case.shown
        guess = blind.get(number)
        yield Answer(
            **who,
            task=REGION,
            level=region.level,
            kind=region.kind,
            box=region.box,
            target=region.target,
            read=seen[number][0],
            blind=guess[0] if guess else None,
            truncated=seen[number][1] or bool(guess and guess[1]),
            seconds=seconds[number],
            shown=shown,
            crop=crop_of(pictures[number].pixels, region) if shown else None,
        )
    for name in case.plans:
        if name in pages:
            reply, share = pages[name]
            yield Answer(
                **who,
                task=PAGE,
                level=name,
                kind=PAGE,
                box=(0.0, 0.0, float(case.width), float(case.height)),
                target=case.text,
                read=reply.texts[0],
                truncated=reply.cut[0],
                seconds=share,
            )


def crop_of(image: np.ndarray, region: AskedRegion) -> bytes | None:
    """The place of a region with a little around it, as PNG; None where it is too large."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (round(value) for value in region.box)
    top, left = max(0, y0 - CONTEXT_PX), max(0, x0 - CONTEXT_PX)
    crop = image[top : min(height, y1 + CONTEXT_PX), left : min(width, x1 + CONTEXT_PX)]
    if not 0 < crop.shape[0] * crop.shape[1] <= LARGEST_CROP_PX:
        return None
    return encode(np.ascontiguousarray(crop), ImageConfig())
