"""The stream: packed batches of corrupted pages, exactly the same for any ranks and workers.

    stream = PageStream("corpus", processor, seed=7)
    for batch in stream.batches(rank=0, ranks=8, workers=4):
        loss = model(**batch.inputs).loss
        checkpoint["stream"] = stream.state_dict()

Nothing in it holds a state that cannot be derived from (corpora, configuration, seed, cursor): the
state is a few numbers, the same on every rank, and a run may go on with another number of ranks.
A sample that cannot be read keeps its place, masked; the order never moves.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from ...corruption import Level, Schedule, ScheduleEntry, adapt
from ...engine.config import fingerprint
from ...engine.errors import ConfigError, DataError, TrainingError
from ...engine.key import keyed_hash
from ...engine.progress import Progress
from .collate import Batch, collated
from .conversation import SUFFIXES, ConversationSource, open_conversations, record_lengths
from .corpus import PageSource, open_corpus, refused
from .order import Order, SourceSize, Window
from .packing import (
    PackConfig,
    PackPlanner,
    SampleAddress,
    StreamCursor,
    cursor_of,
    of_rank,
    state_of,
)
from .sample import IGNORED, NO_LEVEL, LengthPlanner, SampleBuilder, SampleConfig, TrainingSample
from .shard_cache import ShardCache
from .token_count import fingerprint_of, text_tokens

log = logging.getLogger(__name__)

KEPT_EPOCHS = 4


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """A sample with everything that was decided before it is read."""

    sample: SampleAddress
    read: bool
    """Whether the whole text is asked for, or boxes."""
    phrase: int
    room: int
    """Tokens that boxes and answer may take together."""
    tokens: int
    """In all."""


@dataclass(frozen=True, slots=True, eq=False)
class EpochPlan:
    """The same for every sample of a source in an epoch."""

    read: np.ndarray
    phrase: np.ndarray
    room: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class SampleLengths:
    """What is known of every sample of a source before it is read, int64 [samples] each."""

    pictures: np.ndarray
    """Tokens that pictures take in the prompt."""
    slices: np.ndarray
    text: np.ndarray
    """Tokens of a page's text; of a record, all its tokens."""


class StepTask(NamedTuple):
    """What one rank takes in one step."""

    packs: tuple[tuple[PlannedSample, ...], ...]
    entries: tuple[ScheduleEntry, ...]
    """Of the corruption schedule, as far as it is known when the step is planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """Everything that decides the batches, beside corpora, processor, schedule and seed."""

    pack: PackConfig = field(default_factory=PackConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    window_samples: int = 4096
    """Samples that are packed together."""
    shuffle_shards: int = 0
    """Shards within which samples are mixed; 0 mixes all."""
    most_failures: int = 16
    """Samples in a row that may be unreadable before the run stops."""

    def __post_init__(self) -> None:
        if self.window_samples < 1 or self.most_failures < 1 or self.shuffle_shards < 0:
            raise ConfigError(
                "window_samples and most_failures are at least 1, shuffle_shards at least 0: they "
                f"are {self.window_samples}, {self.most_failures} and {self.shuffle_shards}"
            )


class PageStream:
    """Batches of packed samples from one corpus or a weighted mixture.

    Args:
        corpora: a folder or URI, or {folder or URI: weight}; a JSONL or Parquet file is a source of
            conversations.
        processor: of the model; decides tokens and pixels.
        seed: of order, tasks and corruption.
        schedule: of the corruption.
        config: budgets, tasks, windows.
        do_normalize: whether pixels are floats; bytes are a quarter, and the tower normalises.
        split: of the corpora.
        cache: keeps whole shards of remote corpora on the local disk; None reads ranges.
        pages: of each corpus at most, chosen by the seed; 0 for all.
        names: of the corpora, in place of their folders: what the order is derived from, so that a
            moved corpus gives the same batches.
        progress: called while pages' tokens are counted, the first time a corpus is used.

    Raises:
        ConfigError: a corpus without text, or settings that cannot be.
    """

    def __init__(
        self,
        corpora: str | dict[str, float],
        processor: Any,
        *,
        seed: int,
        schedule: Schedule | None = None,
        config: StreamConfig | None = None,
        do_normalize: bool = False,
        split: str = "train",
        names: Sequence[str] = (),
        pages: int = 0,
        cache: ShardCache | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.config = config or StreamConfig()
        self.schedule = schedule or Schedule()
        self.seed = seed
        weights = {corpora: 1.0} if isinstance(corpora, str) else dict(corpora)
        self.sources: tuple[PageSource | ConversationSource, ...] = tuple(
            open_conversations(path, name=name)
            if Path(path).suffix in SUFFIXES
            else open_corpus(path, name=name, split=split, cache=cache, pages=pages, seed=seed)
            for path, name in zip(weights, names or tuple(weights), strict=True)
        )
        self.profile = LengthPlanner(processor, self.config.sample, seed)
        self.maker = SampleBuilder(self.profile, self.schedule, do_normalize=do_normalize)
        self.facts = tuple(self.counted(source, progress) for source in self.sources)
        order = Order(
            [
                SourceSize(source.name, source.shards, weight)
                for source, weight in zip(self.sources, weights.values(), strict=True)
            ],
            seed=seed,
            window_samples=self.config.window_samples,
            shuffle_shards=self.config.shuffle_shards,
        )
        self.plans = PackPlanner(order, self.lengths, self.config.pack)
        self.cursor = StreamCursor()
        self.planned_window = 0
        self._asked: OrderedDict[tuple[int, int], EpochPlan] = OrderedDict()

    def counted(
        self, source: PageSource | ConversationSource, progress: Progress | None
    ) -> SampleLengths:
        """What is known of every sample of a source before it is read."""
        if isinstance(source, ConversationSource):
            prints = self.fingerprints_of_processor()
            mark = "-".join(prints.values())
            tokens, slices = record_lengths(source, self.maker.measure, mark, progress=progress)
            return SampleLengths(tokens, slices, tokens)
        text = text_tokens(source, self.maker.writer.text_tokenizer, progress=progress)
        return SampleLengths(*self.profile.pictures(source.sizes), text)

    def lengths(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """(tokens, slices) of the samples of a window."""
        tokens, slices = np.zeros((2, len(window.row)), dtype=np.int64)
        for number in range(len(self.sources)):
            for epoch in np.unique(window.epoch[window.source == number]).tolist():
                own = (window.source == number) & (window.epoch == epoch)
                tokens[own] = self.asked(number, epoch).tokens[window.row[own]]
                slices[own] = self.facts[number].slices[window.row[own]]
        return tokens, slices

    def asked(self, number: int, epoch: int) -> EpochPlan:
        """What is asked of every page of a source in an epoch."""
        known = self._asked.get((number, epoch))
        if known is None:
            known = self._asked[number, epoch] = self.drawn(number, epoch)
            while len(self._asked) > max(KEPT_EPOCHS, 2 * len(self.sources)):
                self._asked.popitem(last=False)
        self._asked.move_to_end((number, epoch))
        return known

    def drawn(self, number: int, epoch: int) -> EpochPlan:
        """The same, not from memory."""
        facts, source = self.facts[number], self.sources[number]
        if isinstance(source, ConversationSource):
            nothing = np.zeros(len(source), dtype=np.int64)
            return EpochPlan(nothing.astype(bool), nothing, nothing, facts.text)
        read, phrase = self.profile.drawn(source.name, epoch, facts.text)
        room = self.profile.answers(facts.text, read)
        tokens = self.profile.lengths(facts.pictures, read, phrase, room)
        return EpochPlan(read, phrase, room, tokens)

    def ask(self, sample: SampleAddress) -> PlannedSample:
        """What is asked of one page."""
        asked, row = self.asked(sample.source, sample.epoch), sample.row
        return PlannedSample(
            sample,
            bool(asked.read[row]),
            int(asked.phrase[row]),
            int(asked.room[row]),
            int(asked.tokens[row]),
        )

    def batches(
        self, *, rank: int = 0, ranks: int = 1, workers: int = 0, prefetch: int = 2,
        pin_memory: bool = False,
    ) -> Iterator[Batch]:  # fmt: skip
        """Batches of one rank, for ever, from where the stream is.

        The cursor moves when a batch is taken; what workers have prepared beyond it is made again
        after a restart.

        Args:
            rank: which one.
            ranks: how many share a step; must divide `pack.global_packs`.
            workers: processes that read, corrupt and cut; 0 does it here.
            prefetch: batches that each worker keeps ready.
            pin_memory: for faster copies to a GPU.

        Raises:
            ConfigError: the ranks do not divide the packs of a step.
            TrainingError: too many samples in a row cannot be read.
        """
        steps = Steps(self, rank, ranks)
        loader: DataLoader[Batch] = DataLoader(
            PackDataset(self),
            sampler=steps,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=prefetch if workers else None,
            pin_memory=pin_memory,
            multiprocessing_context=worker_context() if workers else None,
            worker_init_fn=alone if workers else None,
        )
        for batch in loader:
            self.cursor = steps.ahead.popleft()
            yield batch

    def feed(
        self, losses: Mapping[Level, float], *, lead: int = 2, **settings: float
    ) -> ScheduleEntry:
        """Let losses by level change the mixture of levels; the new entry of the schedule.

        It holds from `lead` windows ahead, so that the batches do not depend on what workers have
        prepared already; and behind the entry before it, where that holds from there as well.

        Args:
            losses: mean loss of each level since the last call.
            lead: windows between now and its effect.
            **settings: of `corruption.adapt`.

        Raises:
            ConfigError: workers are already further than that.
        """
        fed = [entry.start for entry in self.schedule.entries if entry.losses]
        start = max([self.cursor.window + lead, *(one + 1 for one in fed)])
        if self.planned_window >= start:
            raise ConfigError(
                f"workers have planned up to window {self.planned_window}, and the losses are to "
                f"change window {start}: raise adapt.lead or stream.window_samples, or lower "
                "data.workers or data.prefetch"
            )
        self.change(adapt(self.schedule, start=start, losses=losses, **settings))
        return self.schedule.entries[-1]

    def change(self, schedule: Schedule) -> None:
        """Corrupt by another schedule from now on."""
        self.schedule = schedule
        self.maker.schedule = schedule

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is, as plain JSON; the same on every rank."""
        fed = [one for one in self.schedule.to_dict()["entries"] if one["losses"]]
        return {**state_of(self.cursor, self.fingerprints()), "fed": fed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            CheckpointError: it is of a stream from other corpora or with other settings.
        """
        self.cursor = cursor_of(state, self.fingerprints())
        self.planned_window = 0
        fed = Schedule.from_dict(
            {**self.schedule.to_dict(), "entries": state.get("fed", [])}
        ).entries
        entries = sorted([*self.planned_entries(), *fed], key=lambda entry: entry.start)
        self.change(replace(self.schedule, entries=tuple(entries)))

    def planned_entries(self) -> tuple[ScheduleEntry, ...]:
        """Entries of the schedule that were there from the beginning."""
        return tuple(entry for entry in self.schedule.entries if not entry.losses)

    def fingerprints(self) -> dict[str, str]:
        """Names of everything that the batches are derived from."""
        sources = [part for source in self.sources for part in (source.name, source.fingerprint)]
        return {
            "corpora": f"{keyed_hash('corpora', *sources):016x}",
            "config": fingerprint(self.config),
            "schedule": replace(self.schedule, entries=self.planned_entries()).fingerprint,
            **self.fingerprints_of_processor(),
            "seed": str(self.seed),
        }

    def fingerprints_of_processor(self) -> dict[str, str]:
        """Names of what decides tokens and pixels."""
        processor = self.profile.processor
        images = processor.image_processor
        shape = (
            images.max_slice_nums,
            images.scale_resolution,
            images.patch_size,
            processor.connector,
            processor.query_num,
        )
        return {
            "tokenizer": fingerprint_of(self.maker.writer.text_tokenizer),
            "processor": f"{keyed_hash('processor', *shape):016x}",
        }


class Steps(Sampler[StepTask]):
    """What one rank takes, step by step; the cursors behind each step wait in `ahead`."""

    def __init__(self, stream: PageStream, rank: int, ranks: int) -> None:
        of_rank([()] * stream.config.pack.global_packs, rank, ranks)
        self.stream = stream
        self.cursor = stream.cursor
        self.rank = rank
        self.ranks = ranks
        self.ahead: deque[StreamCursor] = deque()

    def __iter__(self) -> Iterator[StepTask]:
        cursor = self.cursor
        while True:
            packs, cursor = self.stream.plans.take(cursor)
            self.ahead.append(cursor)
            self.stream.planned_window = max(sample.window for pack in packs for sample in pack)
            own = of_rank(packs, self.rank, self.ranks)
            asked = tuple(tuple(self.stream.ask(sample) for sample in pack) for pack in own)
            yield StepTask(asked, self.stream.schedule.entries)


class PackDataset(Dataset[Batch]):
    """Makes the packs that it is asked for; holds nothing that changes but a count of failures."""

    def __init__(self, stream: PageStream) -> None:
        self.sources = stream.sources
        self.maker = stream.maker
        self.config = stream.config
        self.vocabulary = len(stream.maker.processor.tokenizer)
        self.failed_in_a_row = 0

    def __getitem__(self, task: StepTask) -> Batch:
        if task.entries != self.maker.schedule.entries:
            self.maker.schedule = replace(self.maker.schedule, entries=task.entries)
        failures: list[str] = []
        packs = [[self.made(ask, failures) for ask in pack] for pack in task.packs]
        return collated(packs, self.config.pack.budget_tokens, self.pad, tuple(failures))

    @property
    def pad(self) -> int:
        """The id that fills packs up."""
        return int(self.maker.processor.tokenizer.pad_token_id)

    def made(self, ask: PlannedSample, failures: list[str]) -> TrainingSample:
        """The sample, or its masked place."""
        sample = ask.sample
        source = self.sources[sample.source]
        try:
            made = self.read(ask)
            if len(made.input_ids) > ask.tokens:
                raise DataError(f"{len(made.input_ids)} tokens, {ask.tokens} were planned")
            self.check(made)
        except (DataError, ValueError, KeyError, TypeError, IndexError) as err:
            return self.lost(refused(err, source, sample.row), ask.tokens, failures)
        self.failed_in_a_row = 0
        return made

    def check(self, made: TrainingSample) -> None:
        """Refuse what a model cannot compute with.

        Raises:
            DataError: a token or label out of range, or pixels that are not finite.
        """
        size = self.vocabulary
        learned = made.labels[made.labels != IGNORED]
        for name, ids in (("token", made.input_ids), ("label", learned)):
            if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < size:
                wrong = ids[(ids < 0) | (ids >= size)][0]
                raise DataError(f"the {name} {wrong} is out of range: there are {size} tokens")
        pixels = made.pixel_values
        if pixels.dtype != np.uint8 and not np.isfinite(pixels).all():
            raise DataError("its pixels are not finite numbers")

    def read(self, ask: PlannedSample) -> TrainingSample:
        """The sample, from where it lies."""
        sample = ask.sample
        source = self.sources[sample.source]
        if isinstance(source, ConversationSource):
            return self.maker.make_record(str(source.keys[sample.row]), source.record(sample.row))
        return self.maker.make(
            source.page(sample.row),
            source.image(sample.row),
            read=ask.read,
            phrase=ask.phrase,
            room=ask.room,
            epoch=self.config.sample.plan_epoch(sample.epoch),
            position=sample.window,
        )

    def lost(self, err: DataError, tokens: int, failures: list[str]) -> TrainingSample:
        """A masked place of the planned length.

        Raises:
            TrainingError: too many in a row.
        """
        self.failed_in_a_row += 1
        log.warning("sample lost: %s", err)
        failures.append(str(err))
        if self.failed_in_a_row >= self.config.most_failures:
            raise TrainingError(
                f"{self.failed_in_a_row} samples in a row cannot be read; the last: {err}. "
                "Check the corpus with `pagemill verify`"
            ) from err
        nothing = np.full(tokens, IGNORED, dtype=np.int64)
        return TrainingSample(
            input_ids=np.full(tokens, self.pad, dtype=np.int64),
            labels=nothing,
            levels=np.full(tokens, NO_LEVEL, dtype=np.int8),
            weights=np.zeros(tokens, dtype=np.float32),
            pixel_values=np.zeros((0, 0, 0), dtype=np.uint8),
            tgt_sizes=np.zeros((0, 2), dtype=np.int64),
            key=err.key,
            task="lost",
            plan=None,
        )


def follow() -> None:
    """End with the process that asked for this worker, however that one ends."""
    owner = multiprocessing.parent_process()
    if owner is not None:
        owner.join()
        os._exit(1)


def worker_context() -> Any:
    """Workers are forked from a clean process that has the imports done.

    Spawned ones would each import torch anew, and some libraries abort when such a process ends.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def alone(worker: int) -> None:
    """One thread a worker, since there is one worker a core; and none outlives the run."""
    threading.Thread(target=follow, daemon=True).start()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
