"""Streams over two small corpora, and what is compared of their batches."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from pagemill.corruption import CorruptionConfig, Schedule
from pagemill.corruption.region import RegionConfig
from pagemill.train.stream.collate import Batch
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.sample import SampleConfig
from pagemill.train.stream.stream import PageStream

CONFIG = StreamConfig(
    pack=PackConfig(budget_tokens=512, budget_slices=24, global_packs=24),
    sample=SampleConfig(most_answer_tokens=96),
    window_samples=160,
)

SCHEDULE = Schedule(config=CorruptionConfig(region=RegionConfig(min_length=2.0, share=1.0)))

STEPS = 5


def stream(corpora, processor, *, config: StreamConfig = CONFIG, seed: int = 3) -> PageStream:
    weights = {corpora[0]: 2.0, corpora[1]: 1.0}
    return PageStream(
        weights, processor, seed=seed, schedule=SCHEDULE, config=config, names=("scans", "forms")
    )


def packs_of(batch: Batch) -> list[str]:
    """A digest of ids, labels, weights and pixels of every pack of one rank's batch."""
    digests, sample, slice_ = [], 0, 0
    tiles = batch.num_tiles.tolist()
    for number, keys in enumerate(batch.keys):
        digest = hashlib.sha256()
        for part in (batch.input_ids, batch.labels, batch.position_ids, batch.loss_weights):
            digest.update(part[number].numpy().tobytes())
        for _ in keys:
            for _ in range(tiles[sample]):
                height, width = batch.tgt_sizes[slice_].tolist()
                digest.update(batch.pixel_values[slice_, : height * width].numpy().tobytes())
                slice_ += 1
            sample += 1
        digests.append(digest.hexdigest())
    return digests


def walk(made: PageStream, steps: int, *, ranks: int = 1, workers: int = 0) -> list[list[str]]:
    """Digests of the global batches of the next steps, put together from all ranks."""
    start, ends, parts = made.state_dict(), [], []
    for rank in range(ranks):
        made.load_state_dict(start)
        own = made.batches(rank=rank, ranks=ranks, workers=workers)
        parts.append([packs_of(next(own)) for _ in range(steps)])
        ends.append(made.state_dict())
        own.close()
    assert all(end == ends[0] for end in ends)
    return [
        [part[step][number] for number in range(24 // ranks) for part in parts]
        for step in range(steps)
    ]


def cut(source) -> set[str]:
    """The last shard loses its second half."""
    path = Path(source.place.local_path(source.tars[-1]))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size // 2])
    ends = source.columns["json_offset"] + source.columns["json_bytes"]
    ends = np.maximum(ends, source.columns["image_offset"] + source.columns["image_bytes"])
    lost = (source.shards == len(source.tars) - 1) & (ends > size // 2)
    return set(source.keys[lost].tolist())
