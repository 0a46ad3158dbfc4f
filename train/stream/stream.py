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

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Sampler

from ...corruption import Level, Schedule, ScheduleEntry, adapt
from ...engine.config import fingerprint
from ...engine.errors import ConfigError
from ...engine.key import keyed_hash
from ...engine.progress import Progress
from .collate import Batch
from .config import StreamConfig
from .conversation import SUFFIXES, ConversationSource, open_conversations, record_lengths
from .corpus import PageSource, open_page_source
from .dataset import PackDataset
from .order import Order, SourceSize, Window
from .packing import (
    PackPlanner,
    SampleAddress,
    StreamCursor,
    from_state,
    packs_of_rank,
    to_state,
)
from .planned import EpochPlan, PlannedSample, SampleLengths, StepTask
from .sample import LengthPlanner, SampleBuilder
from .shard_cache import ShardCache
from .token_count import text_tokens, tokenizer_fingerprint
from .worker import start_worker, worker_context

KEPT_EPOCHS = 4


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
            else open_page_source(path, name=name, split=split, cache=cache, pages=pages, seed=seed)
            for path, name in zip(weights, names or tuple(weights), strict=True)
        )
        self.planner = LengthPlanner(processor, self.config.sample, seed)
        self.builder = SampleBuilder(self.planner, self.schedule, do_normalize=do_normalize)
        self.sample_lengths = tuple(self.count_lengths(source, progress) for source in self.sources)
        order = Order(
            [
                SourceSize(source.name, source.shards, weight)
                for source, weight in zip(self.sources, weights.values(), strict=True)
            ],
            seed=seed,
            window_samples=self.config.window_samples,
            shuffle_shards=self.config.shuffle_shards,
        )
        self.pack_planner = PackPlanner(order, self.lengths, self.config.pack)
        self.cursor = StreamCursor()
        self.planned_window = 0
        self._epoch_plans: OrderedDict[tuple[int, int], EpochPlan] = OrderedDict()

    def count_lengths(
        self, source: PageSource | ConversationSource, progress: Progress | None
    ) -> SampleLengths:
        """What is known of every sample of a source before it is read."""
        if isinstance(source, ConversationSource):
            prints = self.fingerprints_of_processor()
            name = "-".join(prints.values())
            tokens, slices = record_lengths(source, self.builder.measure, name, progress=progress)
            return SampleLengths(tokens, slices, tokens)
        text = text_tokens(source, self.builder.writer.text_tokenizer, progress=progress)
        return SampleLengths(*self.planner.pictures(source.sizes), text)

    def lengths(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """(tokens, slices) of the samples of a window."""
        tokens, slices = np.zeros((2, len(window.row)), dtype=np.int64)
        for number in range(len(self.sources)):
            for epoch in np.unique(window.epoch[window.source == number]).tolist():
                here = (window.source == number) & (window.epoch == epoch)
                rows = window.row[here]
                tokens[here] = self.epoch_plan(number, epoch).tokens[rows]
                slices[here] = self.sample_lengths[number].slices[rows]
        return tokens, slices

    def epoch_plan(self, number: int, epoch: int) -> EpochPlan:
        """What is asked of every page of a source in an epoch."""
        plan = self._epoch_plans.get((number, epoch))
        if plan is None:
            plan = self._epoch_plans[number, epoch] = self.draw_epoch_plan(number, epoch)
            while len(self._epoch_plans) > max(KEPT_EPOCHS, 2 * len(self.sources)):
                self._epoch_plans.popitem(last=False)
        self._epoch_plans.move_to_end((number, epoch))
        return plan

    def draw_epoch_plan(self, number: int, epoch: int) -> EpochPlan:
        """The same, not from memory."""
        lengths, source = self.sample_lengths[number], self.sources[number]
        if isinstance(source, ConversationSource):
            nothing = np.zeros(len(source), dtype=np.int64)
            return EpochPlan(nothing.astype(bool), nothing, nothing, lengths.text)
        read, phrase = self.planner.draw_tasks(source.name, epoch, lengths.text)
        room = self.planner.answer_room(lengths.text, read)
        tokens = self.planner.sample_tokens(lengths.pictures, read, phrase, room)
        return EpochPlan(read, phrase, room, tokens)

    def planned(self, sample: SampleAddress) -> PlannedSample:
        """A sample with what was decided about it."""
        plan, row = self.epoch_plan(sample.source, sample.epoch), sample.row
        return PlannedSample(
            sample,
            bool(plan.read[row]),
            int(plan.phrase[row]),
            int(plan.room[row]),
            int(plan.tokens[row]),
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
            PackDataset(self.sources, self.builder, self.config),
            sampler=steps,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=prefetch if workers else None,
            pin_memory=pin_memory,
            multiprocessing_context=worker_context() if workers else None,
            worker_init_fn=start_worker if workers else None,
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
        start = max([self.cursor.window + lead, *(entry_start + 1 for entry_start in fed)])
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
        self.builder.schedule = schedule

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is, as plain JSON; the same on every rank."""
        fed = [entry for entry in self.schedule.to_dict()["entries"] if entry["losses"]]
        return {**to_state(self.cursor, self.fingerprints()), "fed": fed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            CheckpointError: it is of a stream from other corpora or with other settings.
        """
        self.cursor = from_state(state, self.fingerprints())
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
        processor = self.planner.processor
        images = processor.image_processor
        shape = (
            images.max_slice_nums,
            images.scale_resolution,
            images.patch_size,
            processor.connector,
            processor.query_num,
        )
        return {
            "tokenizer": tokenizer_fingerprint(self.builder.writer.text_tokenizer),
            "processor": f"{keyed_hash('processor', *shape):016x}",
        }


class Steps(Sampler[StepTask]):
    """What one rank takes, step by step; the cursors behind each step wait in `ahead`."""

    def __init__(self, stream: PageStream, rank: int, ranks: int) -> None:
        packs_of_rank([()] * stream.config.pack.global_packs, rank, ranks)
        self.stream = stream
        self.cursor = stream.cursor
        self.rank = rank
        self.ranks = ranks
        self.ahead: deque[StreamCursor] = deque()

    def __iter__(self) -> Iterator[StepTask]:
        cursor = self.cursor
        while True:
            packs, cursor = self.stream.pack_planner.take(cursor)
            self.ahead.append(cursor)
            self.stream.planned_window = max(sample.window for pack in packs for sample in pack)
            planned = tuple(
                tuple(self.stream.planned(sample) for sample in pack)
                for pack in packs_of_rank(packs, self.rank, self.ranks)
            )
            yield StepTask(planned, self.stream.schedule.entries)
