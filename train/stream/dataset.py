"""Planned packs made into batches; a sample that cannot be read keeps its place, masked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch.utils.data import Dataset

from ...engine.errors import DataError, TrainingError
from ...engine.failure import is_system_error
from ...engine.reason import Reason
from .collate import Batch, collate
from .config import StreamConfig
from .conversation import ConversationSource
from .corpus import PageSource, sample_error
from .planned import PlannedSample, StepTask
from .sample import IGNORED, NO_LEVEL, SampleBuilder, TrainingSample

log = logging.getLogger(__name__)

OURS = Reason.INTERNAL_ERROR
VERIFY = "Check the corpus with `pagemill verify`"


class PackDataset(Dataset[Batch]):
    """Makes the packs that it is asked for; holds nothing that changes but a count of failures.

    Args:
        sources: of the stream.
        builder: of samples; its schedule follows that of each task.
        config: of the stream.
    """

    def __init__(
        self,
        sources: Sequence[PageSource | ConversationSource],
        builder: SampleBuilder,
        config: StreamConfig,
    ) -> None:
        self.sources = sources
        self.builder = builder
        self.config = config
        self.vocabulary = len(builder.processor.tokenizer)
        self.failed_in_a_row = 0

    def __getitem__(self, task: StepTask) -> Batch:
        if task.entries != self.builder.schedule.entries:
            self.builder.schedule = replace(self.builder.schedule, entries=task.entries)
        failures: list[str] = []
        packs = [[self.build(planned, failures) for planned in pack] for pack in task.packs]
        return collate(packs, self.config.pack.budget_tokens, self.pad, tuple(failures))

    @property
    def pad(self) -> int:
        """The id that fills packs up."""
        return int(self.builder.processor.tokenizer.pad_token_id)

    def build(self, planned: PlannedSample, failures: list[str]) -> TrainingSample:
        """The sample, or its masked place: whatever goes wrong with one is that one's fate.

        Raises:
            TrainingError: too many in a row.
            MemoryError, ImportError: and whatever else `is_system_error` says no sample is to
                blame for.
        """
        address = planned.sample
        try:
            sample = self.read(planned)
            if len(sample.input_ids) > planned.tokens:
                raise DataError(f"{len(sample.input_ids)} tokens, {planned.tokens} were planned")
            self.check(sample)
        except Exception as err:
            if is_system_error(err):
                raise
            fault = sample_error(err, self.sources[address.source], address.row)
            log.warning("sample lost: %s", fault, exc_info=err if fault.reason == OURS else None)
            return self.masked(fault, planned.tokens, failures)
        self.failed_in_a_row = 0
        return sample

    def check(self, sample: TrainingSample) -> None:
        """Refuse what a model cannot compute with.

        Raises:
            DataError: a token or label out of range, or pixels that are not finite.
        """
        size = self.vocabulary
        learned = sample.labels[sample.labels != IGNORED]
        for name, ids in (("token", sample.input_ids), ("label", learned)):
            if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < size:
                wrong = ids[(ids < 0) | (ids >= size)][0]
                raise DataError(f"the {name} {wrong} is out of range: there are {size} tokens")
        pixels = sample.pixel_values
        if pixels.dtype != np.uint8 and not np.isfinite(pixels).all():
            raise DataError("its pixels are not finite numbers")

    def read(self, planned: PlannedSample) -> TrainingSample:
        """The sample, from where it lies."""
        address = planned.sample
        source, row = self.sources[address.source], address.row
        if isinstance(source, ConversationSource):
            return self.builder.build_conversation(str(source.keys[row]), source.record(row))
        return self.builder.build(
            source.page(row),
            source.image(row),
            read=planned.read,
            phrase=planned.phrase,
            room=planned.room,
            epoch=self.config.sample.plan_epoch(address.epoch),
            position=address.window,
        )

    def masked(self, err: DataError, tokens: int, failures: list[str]) -> TrainingSample:
        """A masked place of the planned length.

        Raises:
            TrainingError: too many in a row.
        """
        self.failed_in_a_row += 1
        failures.append(str(err))
        if self.failed_in_a_row >= self.config.most_failures:
            advice = "Report the traceback in the log" if err.reason == OURS else VERIFY
            raise TrainingError(
                f"{self.failed_in_a_row} samples in a row cannot be read; the last: {err}. {advice}"
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
