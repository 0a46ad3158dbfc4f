"""Samples that cannot be read keep their place, masked, and are named."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from pagemill.engine.errors import ShardError, TrainingError
from pagemill.engine.store.place import Place
from pagemill.train.stream.collate import Batch
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.stream import PageStream
from support.streams import CONFIG, SCHEDULE, cut, packs_of, stream


@pytest.fixture
def damaged(corpora, tmp_path) -> tuple[str, str]:
    """Copies of the corpora, to be spoiled."""
    for number, folder in enumerate(corpora):
        shutil.copytree(folder, tmp_path / str(number) / Path(folder).name)
    return tuple(str(tmp_path / str(n) / Path(folder).name) for n, folder in enumerate(corpora))


def harmed(made: PageStream, harm) -> tuple[set[str], list[Batch]]:
    """Keys that the harm hits, and the next batches."""
    hit = harm(made.sources[0])
    own = made.batches()
    return hit, [next(own) for _ in range(2)]


def flip(source) -> set[str]:
    """One byte of three images."""
    for row in (3, 17, 40):
        path = Path(source.place.local_path(source.tars[source.shards[row]]))
        data = bytearray(path.read_bytes())
        data[int(source.columns["image_offset"][row]) + 30] ^= 0x40
        path.write_bytes(data)
    return {str(source.keys[row]) for row in (3, 17, 40)}


def remove(source) -> set[str]:
    """A shard is gone."""
    Path(source.place.local_path(source.tars[2])).unlink()
    return set(source.keys[source.shards == 2].tolist())


def swap(source) -> set[str]:
    """Two shards change places."""
    first, second = (Path(source.place.local_path(source.tars[n])) for n in (0, 1))
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    return set(source.keys[source.shards <= 1].tolist())


def rewritten(source, change) -> list[str]:
    """The first shard, its members changed as a list of (name, data); the names that were there."""
    path = Path(source.place.local_path(source.tars[0]))
    with tarfile.open(path) as tar:
        members = [(one.name, tar.extractfile(one).read()) for one in tar.getmembers()]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in change(list(members)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return [name.partition(".")[0] for name, _ in members]


def cut_at_member(source) -> set[str]:
    """The shard ends after the image of its sixth sample."""
    return set(rewritten(source, lambda members: members[:11])[10:])


def interleave(source) -> set[str]:
    """The texts of two samples change places."""

    def change(members):
        members[1], members[3] = members[3], members[1]
        return members

    keys = rewritten(source, change)
    sizes = {0, 2}
    return {keys[one] for one in sizes}


def dot(source) -> set[str]:
    """A member's name gets a second dot."""

    def change(members):
        name, data = members[4]
        key, ext = name.split(".")
        members[4] = (f"{key[:-1]}.{key[-1]}.{ext}", data)
        return members

    return {rewritten(source, change)[4]}


def drop(source) -> set[str]:
    """A member is missing; everything behind it stands elsewhere."""
    return set(rewritten(source, lambda members: members[:6] + members[7:])[6:])


@pytest.mark.parametrize("name", ["duplicate", "tail"])
def test_a_shard_of_another_size_is_said_to_be_one(damaged, processor, caplog, name):
    """Damage that spoils no sample: a key twice, bytes behind the end."""
    PageStream(damaged[0], processor, seed=1)  # counts tokens, which reads every shard
    made = PageStream(damaged[0], processor, seed=1, schedule=SCHEDULE, config=CONFIG)
    if name == "duplicate":
        rewritten(made.sources[0], lambda members: [*members, *members])
    path = Path(made.sources[0].place.local_path(made.sources[0].tars[0]))
    if name == "tail":
        path.write_bytes(path.read_bytes() + b"x" * 512)
    batches = made.batches()
    failures = [next(batches).failures for _ in range(3)]
    assert not any(failures)
    assert "train-000000.tar has" in caplog.text
    assert "the manifest says" in caplog.text


def test_a_wrong_count_stops_before_anything_is_read(damaged, processor):
    path = Path(damaged[0]) / "corpus.json"
    tree = json.loads(path.read_text())
    tree["splits"]["train"][1]["samples"] += 1
    path.write_text(json.dumps(tree))
    with pytest.raises(ShardError, match="has 11 samples"):
        PageStream(damaged[0], processor, seed=1, config=CONFIG)


@pytest.mark.parametrize("harm", [flip, cut, cut_at_member, remove, swap, interleave, dot, drop])
def test_a_damaged_sample_keeps_its_place_and_is_named(damaged, corpora, processor, caplog, harm):
    config = StreamConfig(
        pack=CONFIG.pack, sample=CONFIG.sample, window_samples=160, most_failures=100
    )
    # The seed and the name of a source decide the order, so both streams go by the same names.
    weights = [{folder[0]: 2.0, folder[1]: 1.0} for folder in (damaged, corpora)]
    spoiled, sound = (
        PageStream(one, processor, seed=3, schedule=SCHEDULE, config=config,
                   names=("scans", "forms"))
        for one in weights
    )  # fmt: skip
    hit, batches = harmed(spoiled, harm)
    own = sound.batches()
    met = set()
    for batch in batches:
        twin = next(own)
        assert batch.keys == twin.keys
        for number, (spoilt, whole) in enumerate(zip(packs_of(batch), packs_of(twin), strict=True)):
            bad = set(batch.keys[number]) & hit
            met |= bad
            assert (spoilt == whole) == (not bad)
            tasks = zip(batch.keys[number], batch.tasks_of_packs[number], strict=True)
            assert {key for key, task in tasks if task == "lost"} == bad
    assert met
    told = " ".join(record.getMessage() for record in caplog.records)
    assert all(key in told for key in met)
    assert "train-" in told
    assert all(any(key in one for batch in batches for one in batch.failures) for key in met)


def test_many_failures_in_a_row_stop_the_run(damaged, processor):
    for path in Place.at(damaged[0]).list("shards"):
        Path(Place.at(damaged[0]).local_path(f"shards/{Path(path).name}")).unlink()
    made = PageStream(damaged[0], processor, seed=1, schedule=SCHEDULE, config=CONFIG)
    with pytest.raises(TrainingError, match="16 samples in a row cannot be read"):
        next(made.batches())


@pytest.mark.parametrize("fault", [MemoryError, ImportError, KeyboardInterrupt])
def test_a_fault_of_the_machine_is_never_bad_data(corpora, processor, monkeypatch, fault):
    made = stream(corpora, processor)
    monkeypatch.setattr(made.builder, "build", lambda *a, **k: (_ for _ in ()).throw(fault("x")))
    with pytest.raises(fault):
        next(made.batches())


def test_a_fault_of_ours_with_one_sample_loses_that_sample_alone(corpora, processor, monkeypatch):
    made = stream(corpora, processor)
    build, calls = made.builder.build, []

    def build_once_wrong(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise AttributeError("no such thing")
        return build(*args, **kwargs)

    monkeypatch.setattr(made.builder, "build", build_once_wrong)
    batch = next(made.batches())
    assert [task for tasks in batch.tasks_of_packs for task in tasks].count("lost") == 1
    assert len(batch.failures) == 1
    assert calls[2][0].key in batch.failures[0]
    assert "AttributeError: no such thing" in batch.failures[0]


def test_a_fault_of_ours_with_every_sample_ends_the_stream(corpora, processor, monkeypatch):
    made = stream(corpora, processor)
    monkeypatch.setattr(made.builder, "build", lambda *a, **k: (_ for _ in ()).throw(KeyError("x")))
    with pytest.raises(TrainingError, match=r"16 samples in a row .* Report the traceback"):
        next(made.batches())
