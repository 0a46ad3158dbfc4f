"""The stream: the same batches for any ranks, workers and restarts; faults stay in their place."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from pagemill.corruption import CorruptionConfig, Mixture, Schedule
from pagemill.corruption.region import RegionConfig
from pagemill.engine.errors import CheckpointError, ConfigError, ShardError, TrainingError
from pagemill.engine.store.place import Place
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.prompt.tokenizer import without_special_tokens
from pagemill.train.stream.collate import Batch
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.sample import IGNORED, SampleConfig
from pagemill.train.stream.stream import PageStream
from transformers import Trainer, TrainingArguments

HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parents[1] / "support"
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


@pytest.fixture(scope="module")
def expected(corpora, processor) -> list[list[str]]:
    return walk(stream(corpora, processor), STEPS)


@pytest.mark.parametrize("ranks", [3, 8])
def test_any_number_of_ranks_gives_the_same_batches(corpora, processor, expected, ranks):
    assert walk(stream(corpora, processor), STEPS, ranks=ranks) == expected


@pytest.mark.parametrize(("ranks", "workers"), [(1, 2)])
def test_any_number_of_workers_gives_the_same_batches(corpora, processor, expected, ranks, workers):
    assert walk(stream(corpora, processor), STEPS, ranks=ranks, workers=workers) == expected


@pytest.mark.slow
def test_restarts_with_other_ranks_change_nothing(corpora, processor, expected):
    rng = random.Random(1)
    stops = [*sorted(rng.sample(range(1, STEPS), 3)), STEPS]
    state = json.dumps(stream(corpora, processor).state_dict())
    taken: list[list[str]] = []
    for stop in stops:
        made = stream(corpora, processor)
        made.load_state_dict(json.loads(state))
        ranks = rng.choice([1, 2, 3, 4, 6, 8])
        taken += walk(made, stop - len(taken), ranks=ranks)
        state = json.dumps(made.state_dict())
        assert len(state) < 4096
    assert taken == expected


LONG = StreamConfig(
    pack=PackConfig(budget_tokens=224, budget_slices=24, global_packs=24),
    sample=SampleConfig(most_answer_tokens=64),
    window_samples=160,
)
LONG_STEPS = 500


@pytest.fixture(scope="module")
def long_walk(corpora, processor) -> list[list[str]]:
    return walk(stream(corpora, processor, config=LONG), LONG_STEPS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("ranks", "workers"),
    [(2, 0), (3, 0), (4, 0), (6, 0), (8, 0), (1, 1), (1, 3), (2, 3), (3, 1)],
)
def test_five_hundred_steps_are_the_same(corpora, processor, long_walk, ranks, workers):
    made = stream(corpora, processor, config=LONG)
    assert walk(made, LONG_STEPS, ranks=ranks, workers=workers) == long_walk


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_restarts_with_other_ranks_change_nothing(corpora, processor, long_walk):
    rng = random.Random(2)
    stops = [*sorted(rng.sample(range(1, LONG_STEPS), 20)), LONG_STEPS]
    state, taken = stream(corpora, processor, config=LONG).state_dict(), []
    for stop in stops:
        made = stream(corpora, processor, config=LONG)
        made.load_state_dict(json.loads(json.dumps(state)))
        taken += walk(made, stop - len(taken), ranks=rng.choice([1, 2, 3, 4, 6, 8]))
        state = made.state_dict()
    assert taken == long_walk


def test_each_page_comes_once_an_epoch_and_sources_by_weight(corpora, processor):
    made = stream(corpora, processor)
    counts: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    for batch, _ in zip(made.batches(), range(12), strict=False):
        counts.update(key for pack in batch.keys for key in pack)
        tasks.update(task for pack in batch.tasks_of_packs for task in pack)
    assert set(tasks) == {"read", "restore"}
    scans, forms = (set(source.keys.tolist()) for source in made.sources)
    assert set(counts) == scans | forms
    for keys in (scans, forms):
        seen = [counts[key] for key in keys]
        assert max(seen) - min(seen) <= 3
    share = sum(counts[key] for key in scans) / sum(counts.values())
    assert abs(share - 2 / 3) < 0.05


def test_a_read_page_is_its_text_and_its_length_is_known(corpora, processor):
    made = stream(corpora, processor, config=CONFIG)
    text = without_special_tokens(processor.tokenizer.backend_tokenizer)
    seen = 0
    for batch, _ in zip(made.batches(), range(3), strict=False):
        starts = batch.cu_seqlens.tolist()
        budget, at = CONFIG.pack.budget_tokens, 0
        for number, (keys, tasks) in enumerate(zip(batch.keys, batch.tasks_of_packs, strict=True)):
            for key, task in zip(keys, tasks, strict=True):
                start, stop = starts[at] - number * budget, starts[at + 1] - number * budget
                at += 1
                assert batch.position_ids[number, start:stop].tolist() == list(range(stop - start))
                answer = batch.labels[number, start:stop]
                ids = answer[answer != IGNORED].tolist()
                page = page_of(made, key)
                if task == "read":
                    seen += 1
                    assert text.decode(ids).startswith(page.layer.text[:40])
                    whole = [*text.encode(page.layer.text).ids, *made.builder.writer.turn_end]
                    assert ids == whole[: len(ids)]
                    assert len(ids) == min(len(whole), 96)
                else:
                    said = text.decode(ids, skip_special_tokens=False)
                    words = said.removesuffix("<|im_end|>").split()
                    assert all(word in page.layer.text for word in words)
            if at + 1 < len(starts) and starts[at] < (number + 1) * budget:
                at += 1
    assert seen > 20


def page_of(made: PageStream, key: str):
    for source in made.sources:
        found = np.flatnonzero(source.keys == key)
        if len(found):
            return source.page(int(found[0]))
    raise AssertionError(key)


def test_the_picture_takes_the_room_that_the_processor_gives_it(corpora, processor):
    """The stream writes numbers where the processor writes text."""
    made = stream(corpora, processor)
    batch = next(made.batches())
    for source in made.sources:
        for row in range(0, len(source), 7):
            image = source.image(row)
            wanted = processor(image, processor.image_token)["input_ids"][0]
            cut = processor.image_processor.plan(image.shape[1], image.shape[0])
            assert made.builder.writer.picture(cut, 0) == wanted
            assert made.sample_lengths[made.sources.index(source)].pictures[row] == len(wanted)
    places = (batch.input_ids == processor.image_token_id).sum()
    assert int(places) == 8 * len(batch.tgt_sizes)


def test_levels_stand_where_text_was_corrupted(corpora, processor):
    heavy = Schedule(
        config=CorruptionConfig(
            region=RegionConfig(min_length=2.0, share=1.0),
            mixture=Mixture(clean=0.0, light=0.0, moderate=0.0, heavy=1.0),
        )
    )
    made = PageStream(corpora[0], processor, seed=1, schedule=heavy, config=CONFIG)
    batch = next(made.batches())
    learned = batch.labels != IGNORED
    assert set(batch.levels[~learned].tolist()) == {-1}
    levels = batch.levels[learned]
    assert set(levels.tolist()) <= {0, 2, 3}  # what nobody could guess is never hidden wholly
    assert 0.2 < (levels == 3).float().mean() < 1


def test_weights_are_those_of_the_answer(corpora, processor):
    batch = next(stream(corpora, processor).batches())
    weights = batch.loss_weights[0][batch.labels[0] != IGNORED]
    lengths = 1 / weights.square()
    values, counts = lengths.round().unique(return_counts=True)
    assert all(int(count) % int(value) == 0 for value, count in zip(values, counts, strict=True))
    assert not batch.loss_weights[batch.labels == IGNORED][1:].sum() < 0


def test_a_model_learns_from_a_batch(corpora, processor):
    config = preset("nano", query_num=8)
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(config).train()
    own = stream(corpora, processor).batches(ranks=8)
    losses = []
    batch = next(own)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(4):
        loss = model(**batch.inputs).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.5


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


def cut(source) -> set[str]:
    """The last shard loses its second half."""
    path = Path(source.place.local_path(source.tars[-1]))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size // 2])
    ends = source.columns["json_offset"] + source.columns["json_bytes"]
    ends = np.maximum(ends, source.columns["image_offset"] + source.columns["image_bytes"])
    lost = (source.shards == len(source.tars) - 1) & (ends > size // 2)
    return set(source.keys[lost].tolist())


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


def test_a_state_of_another_stream_is_refused(corpora, processor):
    state = stream(corpora, processor).state_dict()
    with pytest.raises(CheckpointError, match="seed changed"):
        stream(corpora, processor, seed=4).load_state_dict(state)
    other = StreamConfig(pack=CONFIG.pack, sample=CONFIG.sample, window_samples=161)
    with pytest.raises(CheckpointError, match="config changed"):
        stream(corpora, processor, config=other).load_state_dict(state)
    with pytest.raises(CheckpointError, match="corpora changed"):
        PageStream(corpora[0], processor, seed=3, schedule=SCHEDULE, config=CONFIG).load_state_dict(
            state
        )


def test_settings_that_cannot_be_are_refused(corpora, processor, tmp_path):
    made = stream(corpora, processor)
    with pytest.raises(ConfigError, match="5 ranks cannot share 24 packs"):
        next(made.batches(ranks=5))
    with pytest.raises(ConfigError, match="no split 'test'"):
        PageStream(corpora[0], processor, seed=0, config=CONFIG, split="test")
    small = StreamConfig(pack=PackConfig(budget_tokens=60), sample=CONFIG.sample)
    with pytest.raises(ConfigError, match=r"pack\.budget_tokens is 60"):
        next(stream(corpora, processor, config=small).batches())
    with pytest.raises(ConfigError, match="token, sample, square"):
        SampleConfig(weighting="none")


def test_boxes_are_framed_where_that_is_asked_for(corpora, processor):
    plain_config = StreamConfig(
        pack=CONFIG.pack, window_samples=160,
        sample=SampleConfig(most_answer_tokens=96, read_share=0.0),
    )  # fmt: skip
    marked_config = StreamConfig(
        pack=CONFIG.pack, window_samples=160,
        sample=SampleConfig(most_answer_tokens=96, read_share=0.0, marker=True),
    )  # fmt: skip
    bare, marked = (
        next(stream(corpora, processor, config=one).batches())
        for one in (plain_config, marked_config)
    )
    assert torch.equal(bare.input_ids, marked.input_ids)
    assert not torch.equal(bare.pixel_values, marked.pixel_values)


def test_the_trainer_of_transformers_takes_it(corpora, processor, tmp_path):
    class StreamTrainer(Trainer):
        def get_train_dataloader(self):
            return (batch.inputs for batch in made.batches(ranks=4))

    made = stream(corpora, processor)
    model = PagemillForConditionalGeneration(preset("nano", query_num=8))
    trainer = StreamTrainer(
        model,
        TrainingArguments(
            str(tmp_path), max_steps=3, logging_steps=1, report_to=[], use_cpu=True,
            save_strategy="no", disable_tqdm=True,
        ),
    )  # fmt: skip
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert made.cursor.step >= 3


@pytest.mark.slow
def test_a_killed_run_goes_on_and_leaves_no_workers(corpora, expected, tmp_path):
    found: dict[int, list[str]] = {}
    for least in (2, 4):
        with (tmp_path / "out").open("w") as out:
            run = subprocess.Popen(
                [sys.executable, SUPPORT / "killed.py", tmp_path, *corpora],
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SUPPORT.parent, HERE)))},
            )  # fmt: skip
        lines: list[dict] = []
        deadline = time.monotonic() + 90
        while not lines or lines[-1]["step"] < least:
            assert run.poll() is None, (tmp_path / "out").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
            if (tmp_path / "log").exists():
                text = (tmp_path / "log").read_text()
                lines = [json.loads(one) for one in text.splitlines(keepends=True) if "\n" in one]
        run.kill()
        run.wait()
        for line in lines:
            assert found.setdefault(line["step"], line["digests"]) == line["digests"]
        workers = lines[-1]["workers"]
        assert len(workers) == 2
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < deadline, "workers outlive the run"
            time.sleep(0.1)
    assert sorted(found) == list(range(1, max(found) + 1))
    for step, digests in found.items():
        assert step > len(expected) or digests == expected[step - 1]
