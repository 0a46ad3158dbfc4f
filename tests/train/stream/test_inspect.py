"""What is shown of a stream is what is in its batches; the page needs nothing from outside."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pagemill.command.main import main
from pagemill.command.terminal.stream import stream_lines
from pagemill.corruption import CorruptionConfig, Schedule, corrupt, plan_page
from pagemill.corruption.region import RegionConfig
from pagemill.engine.errors import ConfigError
from pagemill.engine.store.place import Place
from pagemill.model.image_processing import resized
from pagemill.report.stream import render_stream
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.inspect import UNLEARNED, inspect_stream
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.picture import picture_of
from pagemill.train.stream.sample import IGNORED, SampleConfig
from pagemill.train.stream.stream import PageStream
from PIL import Image

CONFIG = StreamConfig(
    pack=PackConfig(budget_tokens=512, budget_slices=24, global_packs=6),
    sample=SampleConfig(most_answer_tokens=96),
    window_samples=60,
)
SCHEDULE = Schedule(config=CorruptionConfig(region=RegionConfig(min_length=2.0, share=1.0)))


def stream(corpora, processor) -> PageStream:
    return PageStream(corpora, processor, seed=3, schedule=SCHEDULE, config=CONFIG)


@pytest.fixture(scope="module")
def shown(corpora, processor):
    return inspect_stream(stream(dict.fromkeys(corpora, 1.0), processor), steps=2)


@pytest.mark.parametrize("size", [(300, 200), (240, 320), (60, 50), (420, 90)])
@pytest.mark.parametrize("do_normalize", [False, True])
def test_a_picture_put_back_together_is_the_resized_original(processor, size, do_normalize):
    images = processor.image_processor
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    page, plan = Image.fromarray(noise), images.plan(*size)
    found = picture_of(
        images.patches([page], [plan], do_normalize=do_normalize),
        np.array(plan.tgt_sizes),
        plan.cols,
        mean=images.image_mean,
        std=images.image_std,
    )
    np.testing.assert_array_equal(found.thumbnail, resized(page, plan.whole))
    assert (found.grid is not None) == plan.sliced
    if found.grid is not None:
        np.testing.assert_array_equal(found.grid, resized(page, plan.refined))
        assert (found.cols, found.rows) == (plan.cols, plan.rows)


def test_cards_show_the_pages_of_their_keys_as_they_were_corrupted(shown, corpora, processor):
    made = stream(dict.fromkeys(corpora, 1.0), processor)
    first, cursor = made.pack_planner.take(made.cursor)
    second, _ = made.pack_planner.take(cursor)
    taken = [one for pack in [*first, *second] for one in pack]
    by_facts = dict(zip(shown.samples, taken, strict=True))
    for card in shown.details:
        sample = by_facts[card.sample]
        source = made.sources[sample.source]
        page = source.page(sample.row)
        plan = plan_page(
            page, seed=3, epoch=sample.epoch, schedule=SCHEDULE, position=sample.window
        )
        picture = Image.fromarray(corrupt(source.image(sample.row), plan, key=page.key))
        cut = processor.image_processor.plan(*picture.size)
        (found,) = card.pictures
        np.testing.assert_array_equal(found.thumbnail[:, :, 0], resized(picture, cut.whole))
        if found.grid is not None:
            np.testing.assert_array_equal(found.grid[:, :, 0], resized(picture, cut.refined))
        assert f"\n[{len(cut.tgt_sizes) * 8} image tokens]\n" in card.prompt
        said = "".join(text for text, _ in card.answer).removesuffix("<|im_end|>")
        if card.sample.task == "read":
            assert page.layer.text.startswith(said)
            assert not card.boxes
        else:
            assert len(card.boxes) == (len(said.split("\n")) if said else 0)
    assert {card.sample.task for card in shown.details} == {"read", "restore"}


def test_facts_are_those_of_the_batches(shown, corpora, processor):
    batches = stream(dict.fromkeys(corpora, 1.0), processor).batches()
    for step in shown.steps:
        batch = next(batches)
        assert tuple(tuple(one.key for one in pack.samples) for pack in step) == batch.keys
        assert [one.slices for pack in step for one in pack.samples] == batch.num_tiles.tolist()
        levels = np.array([one.levels for pack in step for one in pack.samples]).sum(0)
        known = batch.levels[batch.levels >= 0].numpy()
        assert levels.tolist() == np.bincount(known, minlength=4).tolist()
        answers = sum(one.answer_tokens for pack in step for one in pack.samples)
        assert answers == int((batch.labels != IGNORED).sum()) == levels.sum()
        for pack, positions in zip(step, batch.position_ids, strict=True):
            starts = np.flatnonzero(positions.numpy() == 0).tolist()
            lengths = np.diff([*starts, 512]).tolist()[: len(pack.samples)]
            assert [one.tokens for one in pack.samples] == lengths
            assert pack.fill == sum(lengths) / 512
    assert shown.fill + shown.padding == pytest.approx(1)
    assert sum(shown.tasks.values()) == len(shown.samples)
    assert shown.pages_per_s > 0


def test_the_text_is_aligned_and_within_100_columns(shown):
    lines = list(stream_lines(shown))
    assert max(map(len, lines)) <= 100
    assert sum("%  " in line for line in lines) == 12
    text = "\n".join(lines)
    assert "image tokens]" in text
    assert "<|image_pad|>" not in text
    assert all(card.sample.key in text for card in shown.details)


def test_the_page_is_self_contained_and_shows_every_sample(shown):
    page = render_stream(shown)
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert set(re.findall(r'src="(.{22})', page)) == {"data:image/png;base64,"}
    assert all(one.key in page for one in shown.samples)
    assert page.count('class="card"') == len(shown.details)
    assert sum(len(card.boxes) for card in shown.details) == page.count('class="mark ')
    assert {name for name in ("clean", "light", "moderate", "heavy") if f'="{name}">' in page}


def test_lost_samples_are_shown_with_their_reason(corpora, processor, tmp_path):
    shutil.copytree(corpora[0], tmp_path / "scans")
    tar = Path(Place.at(str(tmp_path / "scans")).local_path("shards/train-000002.tar"))
    tar.unlink()
    shown = inspect_stream(stream(str(tmp_path / "scans"), processor), steps=1)
    assert shown.lost
    assert shown.tasks["lost"] == len(shown.lost)
    text, page = " ".join(" ".join(stream_lines(shown)).split()), render_stream(shown)
    for one in shown.lost:
        assert one.key in one.reason
        assert f"lost {one.reason[:40]}" in text
        assert one.key in page
    lost_tokens = sum(one.tokens for one in shown.lost)
    assert shown.fill + shown.padding + lost_tokens / shown.budget == pytest.approx(1)


def test_conversations_are_shown_with_all_their_pictures_and_turns(processor, tmp_path):
    Image.new("RGB", (200, 90), "red").save(tmp_path / "a.png")
    picture = {"type": "image", "image": "a.png"}
    talk = [
        {"role": "user", "content": [picture, {"type": "text", "text": "<image> And?"}, picture]},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Sure?"},
        {"role": "assistant", "content": "Yes."},
    ]
    path = tmp_path / "talks.jsonl"
    path.write_text((json.dumps({"messages": talk}) + "\n") * 80)
    shown = inspect_stream(stream(str(path), processor), steps=1)
    card = shown.details[0]
    assert [one.largest[0, 0].tolist() for one in card.pictures] == [[255, 0, 0]] * 2
    assert card.prompt.count("image tokens]") == 2
    assert "<image> And?" in card.prompt
    assert [text for text, kind in card.answer if kind != UNLEARNED] == [
        "Two.<|im_end|>",
        "Yes.<|im_end|>",
    ]
    assert "Sure?" in render_stream(shown)
    assert sum(shown.levels.values()) == 0
    assert list(stream_lines(shown))


def test_the_command_writes_text_and_page(corpora, tmp_path, capsys):
    out = tmp_path / "stream.html"
    small = ["--set", "pack.global_packs=2", "--set", "window_samples=40", "--steps", "1"]
    assert main(["stream", corpora[0], "--html", str(out), *small]) == 0
    told_ = capsys.readouterr().out
    assert "step 1:" in told_
    assert f"page: {out}" in told_
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["config", "stream", "--set", "pack.budget_tokens=4096"]) == 0
    assert "budget_tokens = 4096" in capsys.readouterr().out
    assert main(["stream", corpora[0], "--model", str(tmp_path)]) == 2
    assert "has no processor" in capsys.readouterr().err


def test_no_steps_are_refused(corpora, processor):
    with pytest.raises(ConfigError, match="steps is 0"):
        inspect_stream(stream(corpora[0], processor), steps=0)
