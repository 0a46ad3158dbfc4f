"""Conversations: written as the chat template writes them, answers learned, lengths known."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.conversation import open_conversations
from pagemill.train.stream.dataset import PackDataset
from pagemill.train.stream.packing import PackConfig
from pagemill.train.stream.sample import IGNORED, SampleConfig
from pagemill.train.stream.stream import PageStream
from PIL import Image

CONFIG = StreamConfig(
    pack=PackConfig(budget_tokens=512, budget_slices=24, global_packs=2),
    sample=SampleConfig(most_answer_tokens=96),
    window_samples=40,
)
TALKS = [
    [{"role": "user", "content": "What is paper made of?"},
     {"role": "assistant", "content": "Fibres, <|image_pad|> and water."}],
    [{"role": "system", "content": "Be brief."},
     {"role": "user", "content": [{"type": "image", "image": "a.png"},
                                  {"type": "text", "text": "And this?"},
                                  {"type": "image", "image": "b.png"}]},
     {"role": "assistant", "content": [{"type": "text", "text": "Two sheets."}]},
     {"role": "user", "content": "Sure?"},
     {"role": "assistant", "content": "Yes."}],
]  # fmt: skip


@pytest.fixture
def talks(tmp_path) -> str:
    Image.new("L", (200, 90), 240).save(tmp_path / "a.png")
    Image.new("RGB", (60, 160), "white").save(tmp_path / "b.png")
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in TALKS * 12))
    return str(path)


def test_a_conversation_is_what_the_chat_template_writes(talks, processor, tmp_path):
    stream = PageStream(talks, processor, seed=0, config=CONFIG)
    dataset = PackDataset(stream.sources, stream.builder, stream.config)
    for batch, _ in zip(stream.batches(), range(3), strict=False):
        assert not batch.failures
    source = stream.sources[0]
    for row in range(2):
        made = stream.builder.build_conversation("k", source.record(row))
        talk = json.loads(json.dumps(TALKS[row]))
        for message in talk:
            for part in message["content"] if isinstance(message["content"], list) else ():
                if "image" in part:
                    part["image"] = str(tmp_path / part["image"])
        wanted = processor.apply_chat_template(
            talk, tokenize=True, return_dict=True, sanitize_control_tokens=True,
        )  # fmt: skip
        assert made.input_ids.tolist() == list(wanted["input_ids"][0])
        learned = made.labels[made.labels != IGNORED].tolist()
        said = processor.tokenizer.decode(learned)
        answers = [one for one in talk if one["role"] == "assistant"]
        texts = [
            one["content"] if isinstance(one["content"], str) else one["content"][0]["text"]
            for one in answers
        ]
        assert said == "".join(f"{text}<|im_end|>" for text in texts)
        assert stream.sample_lengths[0].pictures[row] == len(made.input_ids)
        assert stream.sample_lengths[0].slices[row] == len(made.tgt_sizes)
    assert dataset.pad == 0


def test_pages_and_conversations_share_packs(talks, corpora, processor):
    stream = PageStream({corpora[0]: 1.0, talks: 1.0}, processor, seed=2, config=CONFIG)
    tasks = set()
    for batch, _ in zip(stream.batches(), range(8), strict=False):
        tasks |= {task for pack in batch.tasks_of_packs for task in pack}
        assert int(batch.num_tiles.sum()) == len(batch.tgt_sizes)
    assert {"record", "read"} <= tasks


def test_parquet_with_pictures_inside(tmp_path, processor):
    file = tmp_path / "b.png"
    Image.fromarray(np.full((50, 70), 200, np.uint8)).save(file)
    row = {
        "messages": [
            {"role": "user", "content": [{"type": "image", "text": None},
                                         {"type": "text", "text": "What?"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Nothing."}]},
        ],
        "images": [{"bytes": file.read_bytes(), "path": "b.png"}],
    }  # fmt: skip
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([row] * 6), path)
    stream = PageStream(str(path), processor, seed=0, config=CONFIG)
    batch = next(stream.batches())
    assert not batch.failures
    assert set(batch.num_tiles.tolist()) == {1}


def test_a_broken_record_keeps_its_place_and_is_named(talks, tmp_path, processor):
    (tmp_path / "b.png").write_bytes(b"no picture")
    stream = PageStream(talks, processor, seed=0, config=CONFIG)
    batch = next(stream.batches())
    lost = [task for pack in batch.tasks_of_packs for task in pack].count("lost")
    assert lost == len(batch.failures) > 0
    assert all("b.png" in failure for failure in batch.failures)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.jsonl", None, "no .jsonl"),
        ("text.csv", "a,b", "no .jsonl"),
        ("broken.jsonl", '{"messages": [\n', "cannot be read"),
        ("other.jsonl", '{"text": "x"}\n', "no column `messages`"),
    ],
)
def test_files_that_hold_no_conversations_are_refused(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=words):
        open_conversations(str(tmp_path / name))
