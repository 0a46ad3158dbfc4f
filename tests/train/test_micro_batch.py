"""Micro-batches hold every answer token once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.train.micro_batch import micro_batches
from pagemill.train.stream.collate import Batch, collate
from pagemill.train.stream.sample import IGNORED, TrainingSample

SAMPLES = st.lists(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6), st.booleans()), min_size=1, max_size=4)
    .filter(lambda pack: sum(length for length, _, _ in pack) <= 20),
    min_size=1, max_size=6,
)  # fmt: skip


@given(SAMPLES, st.integers(1, 7), st.integers(0, 2**32))
@settings(max_examples=60)
def test_parts_hold_every_answer_token_once(packs, per_part, seed):
    """Packs that are full, that end in filling, with tombstones, with and without pictures."""
    batch, budget = random_batch(packs, seed), 20
    wanted, owners = [], []
    at = 0
    for pack, own in enumerate(packs):
        column = 0
        for length, _, _ in own:
            for place in range(column + 1, column + length):
                if batch.labels[pack, place] != IGNORED:
                    wanted.append((int(batch.labels[pack, place]),
                                   float(batch.loss_weights[pack, place])))  # fmt: skip
                    owners.append(at)
            column += length
            at += 1
    got, of, keys, slices, lengths = [], [], [], 0, 0
    for part in micro_batches(batch, per_part):
        got += list(zip(part.targets.tolist(), part.weights.tolist(), strict=True))
        of += (part.samples + len(keys)).tolist()
        assert part.input_ids.flatten()[part.positions + 1].tolist() == part.targets.tolist()
        assert sum(part.lengths) == part.input_ids.numel()
        keys += part.keys
        slices += 0 if part.pixel_values is None else len(part.pixel_values)
        lengths += sum(part.sample_lengths)
        assert part.input_ids.shape[1] == budget
    assert got == wanted
    assert of == owners
    assert slices == int(batch.num_tiles.sum())
    assert lengths == sum(length for pack in packs for length, _, _ in pack)


def random_batch(packs, seed: int) -> Batch:
    rng = np.random.default_rng(seed)

    def made(number: int, length: int, slices: int, lost: bool) -> TrainingSample:
        ids = rng.integers(1, 99, length)
        mask = np.zeros(length, bool) if lost else rng.random(length) < 0.5
        return TrainingSample(
            input_ids=ids, labels=np.where(mask, ids, IGNORED),
            levels=np.where(mask, rng.integers(0, 4, length), -1).astype(np.int8),
            weights=np.where(mask, rng.random(length), 0).astype(np.float32),
            pixel_values=np.full((slices, 2, 3), number, np.uint8),
            tgt_sizes=np.ones((slices, 2), np.int64), key=f"k{number}",
            task="lost" if lost else "read", plan=None,
        )  # fmt: skip

    numbers = iter(range(1000))
    return collate([[made(next(numbers), *one) for one in own] for own in packs], 20, 0, ())
