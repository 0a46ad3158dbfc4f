"""Batches as a person looks at them: how full packs are, what is asked, how fast pages come.

    view = inspect_stream(PageStream("corpus", processor, seed=7), steps=2)
    view.fill, view.tasks, view.pages_per_s

Everything is read off the batches themselves, so that it shows what a model gets. The command
makes text of it for a terminal, `report.stream` an HTML page.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ...corruption import Level
from ...engine.errors import ConfigError
from ...engine.progress import Progress
from ...model.prompt.box import parse_boxes
from ...model.prompt.token import MARKS
from ...model.prompt.writer import PromptWriter
from .collate import Batch
from .picture import PatchPicture, picture_of
from .sample import IGNORED, NO_LEVEL
from .stream import PageStream

LEVEL_NAMES = tuple(str(level) for level in Level)
DETAILS = 3
UNLEARNED = NO_LEVEL - 1
"""In place of a level: text that is not learned."""
PICTURE = re.compile("(?:nx+N)?ip+I(?:sp+S(?:l(?=s))?)*")
"""A picture in a prompt, a letter a token: its number, its thumbnail, its slices."""

Run = tuple[str, int]
"""A stretch of text and its level, `NO_LEVEL` where it has none, or `ASKED`."""


@dataclass(frozen=True, slots=True)
class SampleView:
    """One sample of a pack."""

    key: str
    task: str
    """`lost` where it could not be read; its tokens are those that were planned."""
    tokens: int
    slices: int
    answer_tokens: int
    levels: tuple[int, ...]
    """Answer tokens of each level, clean first."""
    reason: str = ""
    """Why it was lost."""


@dataclass(frozen=True, slots=True)
class PackView:
    """One pack."""

    samples: tuple[SampleView, ...]
    budget_tokens: int
    budget_slices: int

    @property
    def tokens(self) -> int:
        """Of all samples, the lost ones included."""
        return sum(sample.tokens for sample in self.samples)

    @property
    def slices(self) -> int:
        """Of all samples."""
        return sum(sample.slices for sample in self.samples)

    @property
    def fill(self) -> float:
        """Share of the budget in tokens that samples take, lost ones left out."""
        return (
            sum(sample.tokens for sample in self.samples if not sample.reason) / self.budget_tokens
        )


@dataclass(frozen=True, slots=True, eq=False)
class SampleDetail:
    """One sample in full."""

    sample: SampleView
    prompt: str
    """Decoded up to the first answer, a picture as `[640 image tokens]`."""
    answer: tuple[Run, ...]
    """From what is learned first to the end."""
    pictures: tuple[PatchPicture, ...]
    boxes: tuple[tuple[int, int, int, int], ...]
    """That the prompt asks for, in thousandths of the page; a line of the answer each."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamView:
    """Some steps of a stream."""

    corpora: tuple[str, ...]
    pages: int
    """Of all corpora."""
    seed: int
    steps: tuple[tuple[PackView, ...], ...]
    details: tuple[SampleDetail, ...]
    seconds: float
    """That the batches took, in this process alone."""

    @property
    def packs(self) -> list[PackView]:
        """Of all steps."""
        return [pack for step in self.steps for pack in step]

    @property
    def samples(self) -> list[SampleView]:
        """Of all steps."""
        return [sample for pack in self.packs for sample in pack.samples]

    @property
    def lost(self) -> list[SampleView]:
        """Samples that could not be read."""
        return [sample for sample in self.samples if sample.reason]

    @property
    def budget(self) -> int:
        """Tokens that all packs have room for."""
        return sum(pack.budget_tokens for pack in self.packs)

    @property
    def fill(self) -> float:
        """Share of that room with samples in it, lost ones left out."""
        return sum(pack.fill for pack in self.packs) / len(self.packs)

    @property
    def padding(self) -> float:
        """Share of that room without a sample."""
        return 1 - sum(pack.tokens for pack in self.packs) / self.budget

    @property
    def tasks(self) -> Counter[str]:
        """Samples by task, names in order."""
        return Counter(sorted(sample.task for sample in self.samples))

    @property
    def levels(self) -> dict[str, int]:
        """Answer tokens by level."""
        columns = zip(*(sample.levels for sample in self.samples), strict=True)
        return dict(zip(LEVEL_NAMES, map(sum, columns), strict=True))

    @property
    def pages_per_s(self) -> float:
        """Pages a second, as measured."""
        return len(self.samples) / self.seconds


def inspect_stream(
    stream: PageStream, *, steps: int = 2, details: int = DETAILS, progress: Progress | None = None
) -> StreamView:
    """The next steps of a stream, whole: rank 0 of 1, without workers. The stream moves on.

    Args:
        stream: at any place.
        steps: how many.
        details: samples of each task to show in full.
        progress: called with packs done and packs in all.

    Raises:
        ConfigError: no steps are asked for.
        TrainingError: too many samples in a row cannot be read.
    """
    if steps < 1:
        raise ConfigError(f"steps is {steps}; at least 1 can be shown")
    seconds, taken, chosen = 0.0, [], list[SampleDetail]()
    batches = stream.batches()
    for number in range(steps):
        start = time.perf_counter()
        batch = next(batches)
        seconds += time.perf_counter() - start
        taken.append(tuple(packs_of(batch, stream)))
        chosen += details_of(
            batch, taken[-1], stream, details, Counter(c.sample.task for c in chosen)
        )
        if progress is not None:
            progress((number + 1) * len(taken[-1]), steps * len(taken[-1]))
    return StreamView(
        corpora=tuple(source.name for source in stream.sources),
        pages=sum(map(len, stream.sources)),
        seed=stream.seed,
        steps=tuple(taken),
        details=tuple(sorted(chosen, key=lambda detail: detail.sample.task)),
        seconds=seconds,
    )


def packs_of(batch: Batch, stream: PageStream) -> Iterator[PackView]:
    """Facts of every pack of a batch."""
    budget = stream.config.pack
    tiles, reasons = iter(batch.num_tiles.tolist()), iter(batch.failures)
    for row, (keys, tasks) in enumerate(zip(batch.keys, batch.tasks_of_packs, strict=True)):
        samples = []
        for key, task, (start, stop) in zip(keys, tasks, spans(batch, row), strict=True):
            levels = batch.levels[row, start:stop].numpy()
            samples.append(
                SampleView(
                    key=key,
                    task=task,
                    tokens=stop - start,
                    slices=next(tiles),
                    answer_tokens=int((batch.labels[row, start:stop] != IGNORED).sum()),
                    levels=tuple(int((levels == level).sum()) for level in range(len(LEVEL_NAMES))),
                    reason=next(reasons) if task == "lost" else "",
                )
            )
        yield PackView(tuple(samples), budget.budget_tokens, budget.budget_slices)


def spans(batch: Batch, row: int) -> list[tuple[int, int]]:
    """(start, stop) of the samples of a pack."""
    budget = batch.input_ids.shape[1]
    edges = [edge - row * budget for edge in batch.cu_seqlens.tolist()]
    inner = [pair for pair in pairwise(edges) if 0 <= pair[0] < budget]
    return inner[: len(batch.keys[row])]


def details_of(
    batch: Batch, packs: Sequence[PackView], stream: PageStream, most: int, had: Counter[str]
) -> Iterator[SampleDetail]:
    """Samples of each task in full, one a pack, until there are `most` with those already had."""
    first = 0
    for row, pack in enumerate(packs):
        here = {"lost"}
        for sample, (start, stop) in zip(pack.samples, spans(batch, row), strict=True):
            if sample.task not in here and had[sample.task] < most:
                here.add(sample.task)
                had[sample.task] += 1
                yield detail_of(batch, row, slice(start, stop), first, sample, stream)
            first += sample.slices


def detail_of(
    batch: Batch, row: int, place: slice, first: int, sample: SampleView, stream: PageStream
) -> SampleDetail:
    """The sample at a place of a pack in full; `first` is the number of its first slice."""
    ids = batch.input_ids[row, place].tolist()
    kinds = kinds_of(batch.labels[row, place].tolist(), batch.levels[row, place].tolist())
    decode = stream.planner.processor.tokenizer.decode
    runs: list[Run] = []
    pictures: list[PatchPicture] = []
    done = 0
    for match in PICTURE.finditer("".join(letters(ids, stream.builder.writer))):
        cut, count = match.group(), 1 + match.group().count("s")
        runs += runs_of(ids[done : match.start()], kinds[done : match.start()], decode)
        runs.append((f"[{cut.count('p')} image tokens]", UNLEARNED))
        columns = cut.partition("l")[0].count("s")
        pictures.append(assemble_picture(batch, slice(first, first + count), columns, stream))
        first, done = first + count, match.end()
    runs += runs_of(ids[done:], kinds[done:], decode)
    answer = next((at for at, (_, kind) in enumerate(runs) if kind != UNLEARNED), len(runs))
    prompt = "".join(text for text, _ in runs[:answer])
    boxes = tuple(parse_boxes(prompt)) if sample.task == "restore" else ()
    return SampleDetail(sample, prompt, tuple(runs[answer:]), tuple(pictures), boxes)


def kinds_of(labels: list[int], levels: list[int]) -> list[int]:
    """Level of each token, `NO_LEVEL` where it is learned without one, `ASKED` where it is not."""
    return [
        UNLEARNED if label == IGNORED else level
        for label, level in zip(labels, levels, strict=True)
    ]


def runs_of(ids: list[int], kinds: list[int], decode: Callable[..., str]) -> Iterator[Run]:
    """Decoded text, in pieces of one kind."""
    for kind, run in groupby(zip(ids, kinds, strict=True), lambda pair: pair[1]):
        yield decode([token for token, _ in run]), kind


def letters(ids: list[int], writer: PromptWriter) -> list[str]:
    """A letter for each token, that `PICTURE` finds pictures by."""
    letter = {writer.marks[mark]: name for mark, name in zip(MARKS, "iIsSnN", strict=True)}
    letter |= {writer.processor.image_token_id: "p", writer.line_break: "l"}
    return [letter.get(token, "x") for token in ids]


def assemble_picture(batch: Batch, place: slice, cols: int, stream: PageStream) -> PatchPicture:
    """The picture of a few slices of a batch."""
    assert batch.pixel_values is not None
    assert batch.tgt_sizes is not None
    images = stream.planner.processor.image_processor
    return picture_of(
        batch.pixel_values[place].numpy(),
        batch.tgt_sizes[place].numpy(),
        cols,
        mean=images.image_mean,
        std=images.image_std,
    )
