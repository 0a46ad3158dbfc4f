"""Windows and shards follow from the documents alone, also across a restart."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.curate.select import ShardCandidate, ShardConfig, SplitConfig
from pagemill.pipelines.build.assemble import Assembly, ShardWindow, State

SHARD = ShardConfig(bytes=200_000, window=2)
SPLIT = SplitConfig(val=0.3)
Documents = list[tuple[str, list[ShardCandidate]]]


def documents(sizes: list[list[int]]) -> Documents:
    made = []
    for position, pages in enumerate(sizes):
        sha256 = hashlib.sha256(str(position).encode()).hexdigest()
        kept = [
            ShardCandidate(position, sha256, index, 512 * size) for index, size in enumerate(pages)
        ]
        made.append((sha256, kept))
    return made


def windows_of(assembly: Assembly, wanted: Documents) -> list[ShardWindow]:
    windows = []
    for sha256, pages in wanted[assembly.position :]:
        window = assembly.add(sha256, pages, 1 + len(pages))
        if window is not None:
            windows.append(window)
    last = assembly.finish()
    return [*windows, last] if last is not None else windows


SIZES = st.lists(st.lists(st.integers(2, 250), max_size=9), max_size=40)


@given(SIZES)
def test_every_page_is_in_one_shard(sizes: list[list[int]]) -> None:
    wanted = documents(sizes)
    windows = windows_of(Assembly(State(), SHARD, SPLIT), wanted)
    written = [page.key for window in windows for _, pages in window.shards for page in pages]
    assert sorted(written) == sorted(page.key for _, pages in wanted for page in pages)
    names = [name for window in windows for name, _ in window.shards]
    assert len(names) == len(set(names))
    if windows:
        assert [window.first for window in windows[1:]] == [w.last for w in windows[:-1]]
        assert (windows[0].first, windows[-1].last) == (0, len(wanted))


@settings(max_examples=40)
@given(SIZES, st.data())
def test_a_restart_after_any_window_makes_the_same_shards(
    sizes: list[list[int]], data: st.DataObject
) -> None:
    wanted = documents(sizes)
    windows = windows_of(Assembly(State(), SHARD, SPLIT), wanted)
    if not windows:
        return
    stop = data.draw(st.integers(0, len(windows) - 1))
    again = windows_of(Assembly(windows[stop].after, SHARD, SPLIT), wanted)
    assert again == windows[stop + 1 :]


def test_documents_of_one_split_stay_together() -> None:
    wanted = documents([[100] * 5] * 30)
    windows = windows_of(Assembly(State(), SHARD, SPLIT), wanted)
    splits: dict[str, set[str]] = {}
    for window in windows:
        for name, pages in window.shards:
            splits.setdefault(name.split("-")[0], set()).update(p.doc_sha256 for p in pages)
    assert set(splits) == {"train", "val"}
    assert not splits["train"] & splits["val"]


def test_windows_of_rejected_pages_end_too() -> None:
    assembly = Assembly(State(), SHARD, SPLIT, most_rows=100)
    closed = [assembly.add("", [], 30) is not None for _ in range(8)]
    assert closed == [False, False, False, True, False, False, False, True]


def test_numbers_go_on_from_the_shards_that_are_there() -> None:
    first = State(shards={"train": 7, "val": 2, "test": 0})
    (window,) = windows_of(Assembly(first, SHARD, SplitConfig()), documents([[10]]))
    assert [name for name, _ in window.shards] == ["train-000007"]
