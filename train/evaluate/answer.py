"""Cases read by a reader: one plain record for every region and every whole page."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from ...engine.failure import Failures, is_system_error
from ...engine.geometry import Box
from ...engine.image import ImageConfig, encode
from ...engine.progress import Progress
from ...model.question import Reader, Reply
from .case import FAILURES_IN_A_ROW, Case
from .config import EvalConfig
from .question import BLIND, SEEN, CaseQuestion, case_questions, question_count
from .region import AskedRegion

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


class CaseReply(NamedTuple):
    """A question about a case and what was answered."""

    question: CaseQuestion
    reply: Reply
    seconds: float


def answer_cases(
    reader: Reader,
    cases: Sequence[Case],
    config: EvalConfig,
    progress: Progress | None = None,
    *,
    failures: Failures | None = None,
) -> list[Answer]:
    """What a reader makes of the cases, in their order.

    Args:
        reader: whatever reads.
        cases: all, or those of a rank: `cases[rank::ranks]`.
        config: that the cases were opened with.
        progress: called with prompts answered and prompts in all.
        failures: where cases are recorded whose page cannot be read or that the reader raises on;
            they have no answers.

    Raises:
        DataError: too many cases in a row go wrong.
    """
    failures = failures or Failures(FAILURES_IN_A_ROW)
    blind = reader.answers_blind
    total = sum(question_count(case, config, blind=blind) for case in cases)
    done = 0
    answers: list[Answer] = []
    for chunk in chunks(cases, config, blind=blind):
        errors: dict[str, Exception] = {}
        replies: dict[str, list[CaseReply]] = defaultdict(list)
        questions = chunk_questions(chunk, config, errors, blind=blind)
        for start in range(0, len(questions), config.batch):
            batch = questions[start : start + config.batch]
            for reply in answer_batch(reader, batch, errors):
                replies[reply.question.case.key].append(reply)
            done += len(batch)
            if progress is not None:
                progress(done, total)
        done += sum(question_count(case, config, blind=blind) for case in chunk) - len(questions)
        for case in chunk:
            if case.key in errors:
                failures.add(case.key, errors[case.key])
            else:
                failures.success()
                answers += case_answers(case, replies[case.key], reader)
    return answers


def chunks(cases: Sequence[Case], config: EvalConfig, *, blind: bool) -> Iterator[list[Case]]:
    """Whole cases with a few batches of questions together, so that pictures are encoded once."""
    chunk: list[Case] = []
    questions = 0
    for case in cases:
        chunk.append(case)
        questions += question_count(case, config, blind=blind)
        if questions >= BATCHES * config.batch:
            yield chunk
            chunk, questions = [], 0
    if chunk:
        yield chunk


def chunk_questions(
    chunk: Sequence[Case], config: EvalConfig, errors: dict[str, Exception], *, blind: bool
) -> list[CaseQuestion]:
    """The questions about some cases, those with short answers first; `errors` takes the others."""
    questions: list[CaseQuestion] = []
    for case in chunk:
        try:
            questions += list(case_questions(case, config, blind=blind))
        except Exception as err:  # noqa: BLE001  one case's fate; system errors are raised again
            errors[case.key] = err
    return sorted(questions, key=lambda question: question.prompt.limit_tokens)


def answer_batch(
    reader: Reader, batch: Sequence[CaseQuestion], errors: dict[str, Exception]
) -> list[CaseReply]:
    """The answers to a batch; where the reader raises, each question is asked alone once more.

    Args:
        reader: whatever reads.
        batch: questions.
        errors: takes the error of every case that has no answer.
    """
    start = time.perf_counter()
    try:
        replies = reader.answer([question.prompt for question in batch])
    except Exception as err:
        if is_system_error(err):
            raise
        if len(batch) == 1:
            errors[batch[0].case.key] = err
            return []
        return [reply for question in batch for reply in answer_batch(reader, [question], errors)]
    seconds = (time.perf_counter() - start) / len(batch)
    return [
        CaseReply(question, reply, seconds) for question, reply in zip(batch, replies, strict=True)
    ]


def case_answers(case: Case, replies: Sequence[CaseReply], reader: Reader) -> Iterator[Answer]:
    """A case's regions in reading order, then its whole pages."""
    of_regions = [reply for reply in replies if reply.question.view in (SEEN, BLIND)]
    yield from region_answers(case, of_regions, reader)
    pages = {reply.question.view: reply for reply in replies if not reply.question.region_numbers}
    for name in case.plans:
        if name in pages:
            _, reply, seconds = pages[name]
            yield Answer(
                key=case.key,
                document=case.document,
                task=PAGE,
                level=name,
                kind=PAGE,
                box=(0.0, 0.0, float(case.width), float(case.height)),
                target=case.text,
                read=reply.texts[0],
                truncated=reply.truncated[0],
                seconds=seconds,
                reader=reader.name,
                reader_kind=reader.kind,
            )


def region_answers(case: Case, replies: Sequence[CaseReply], reader: Reader) -> Iterator[Answer]:
    """What was read of each region, seen and blind."""
    texts: dict[tuple[str, int], tuple[str, bool]] = {}
    seconds: dict[int, float] = defaultdict(float)
    pixels: dict[int, np.ndarray] = {}
    for question, reply, reply_seconds in replies:
        numbers = question.region_numbers
        for number, text, truncated in zip(numbers, reply.texts, reply.truncated, strict=True):
            texts[question.view, number] = (text, truncated)
            seconds[number] += reply_seconds / len(numbers)
            if question.view == SEEN:
                pixels[number] = question.prompt.picture.pixels
    for number, region in enumerate(case.regions):
        read, truncated = texts[SEEN, number]
        blind = texts.get((BLIND, number))
        shown = number in case.shown
        yield Answer(
            key=case.key,
            document=case.document,
            task=REGION,
            level=region.level,
            kind=region.kind,
            box=region.box,
            target=region.target,
            read=read,
            blind=blind[0] if blind else None,
            truncated=truncated or bool(blind and blind[1]),
            seconds=seconds[number],
            reader=reader.name,
            reader_kind=reader.kind,
            shown=shown,
            crop=crop_of(pixels[number], region) if shown else None,
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
