"""Pages go to shards by content alone, spread out, and shards have the size asked for."""

from __future__ import annotations

import hashlib
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.curate.select import (
    ShardCandidate,
    ShardConfig,
    SplitConfig,
    cut,
    document_order,
    interleave,
    split_of,
)
from pagemill.engine.errors import ConfigError


def document(number: int, sizes: list[int]) -> list[ShardCandidate]:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return [ShardCandidate(number, sha256, index, size) for index, size in enumerate(sizes)]


def corpus(pages: list[int], seed: int = 1) -> list[ShardCandidate]:
    draw = random.Random(seed)
    return [
        page
        for number, count in enumerate(pages)
        for page in document(number, [512 * draw.randint(40, 600) for _ in range(count)])
    ]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20), st.randoms())
def test_order_does_not_depend_on_arrival(pages: list[int], shuffler: random.Random) -> None:
    window = corpus(pages)
    shuffled = list(window)
    shuffler.shuffle(shuffled)
    assert interleave(shuffled, 5) == interleave(window, 5)
    assert sorted(p.key for p in interleave(window, 5)) == sorted(p.key for p in window)


def test_pages_of_a_document_are_spread_evenly() -> None:
    window = corpus([10] * 100)
    order = interleave(window, 0)
    places = [index for index, page in enumerate(order) if page.document == 42]
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert len(places) == 10
    assert min(gaps) > 50, "a full shuffle puts some pages of a document next to each other"


def test_another_seed_gives_another_order() -> None:
    window = corpus([5] * 20)
    assert interleave(window, 0) != interleave(window, 1)
    assert document_order("a.pdf", "", 0) != document_order("a.pdf", "", 1)


@given(
    sizes=st.lists(st.integers(2, 2000), max_size=300),
    target=st.integers(200_000, 5_000_000),
    last=st.booleans(),
)
def test_each_page_is_in_one_shard_or_left(sizes: list[int], target: int, last: bool) -> None:
    pages = document(0, [512 * size for size in sizes])
    shards, left = cut(pages, target, last=last)
    in_shards = [page for shard in shards for page in shard]
    assert sorted(p.key for p in [*in_shards, *left]) == sorted(p.key for p in pages)
    assert not (last and left)
    assert all(shards)


def test_shards_are_within_five_percent_of_the_target() -> None:
    pages = interleave(corpus([7] * 500), 0)
    target = 8_000_000
    shards, _ = cut(pages, target, last=False)
    assert len(shards) > 20
    for shard in shards:
        assert sum(page.tar_bytes for page in shard) == pytest.approx(target, rel=0.05)


def test_small_shards_of_uneven_pages_are_still_near_the_target() -> None:
    pages = interleave(corpus([7] * 200), 0)
    shards, _ = cut(pages, 1_000_000, last=False)
    near = [abs(sum(p.tar_bytes for p in s) / 1_000_000 - 1) <= 0.05 for s in shards]
    assert sum(near) / len(near) > 0.95


def test_splits_have_the_shares_asked_for_and_never_change() -> None:
    config = SplitConfig(val=0.1, test=0.05)
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(4000)]
    splits = [split_of(sha256, config) for sha256 in hashes]
    assert splits.count("val") / 4000 == pytest.approx(0.10, abs=0.02)
    assert splits.count("test") / 4000 == pytest.approx(0.05, abs=0.02)
    assert split_of(hashes[0], config) == splits[0]


@pytest.mark.parametrize("bad", [{"val": -0.1}, {"val": 0.6, "test": 0.4}])
def test_splits_that_leave_nothing_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"split\.val"):
        SplitConfig(**bad)


def test_tiny_shards_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"shard\.bytes"):
        ShardConfig(bytes=10)
