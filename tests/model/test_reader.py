"""Our model as a reader: the same answers in any batch, a line for each box."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pagemill.model.prompt.box import box_text
from pagemill.model.prompt.tokenizer import without_special_tokens
from pagemill.model.question import Picture, Question
from pagemill.model.reader import ModelReader

BOXES = ((10.0, 10.0, 90.0, 40.0), (10.0, 50.0, 90.0, 80.0), (10.0, 90.0, 90.0, 120.0))


def picture(seed: int, width: int = 120, height: int = 160) -> Picture:
    return Picture(np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8))


def page(seed: int, limit_tokens: int = 8, **size: int) -> Question:
    return Question(
        picture=picture(seed, **size), limit_tokens=limit_tokens, most_tokens=limit_tokens
    )


@pytest.fixture
def boxes() -> Question:
    return Question(
        picture=picture(1), limit_tokens=256, most_tokens=256, boxes=BOXES,
        box_texts=tuple(box_text(box, 120, 160) for box in BOXES),
    )  # fmt: skip


def test_answers_do_not_depend_on_the_batch(nano_reader, boxes):
    questions = [page(1), page(2, width=300), page(3, 12), boxes]
    together = nano_reader.answer(questions)
    assert together == [nano_reader.answer([question])[0] for question in questions]
    assert len({reply.texts for reply in together}) > 1


def test_a_picture_is_encoded_once_as_long_as_it_is_kept(nano_folder, monkeypatch):
    from pagemill.model.load import load_reader

    reader, encoded = load_reader(nano_folder), []
    encode = reader.model.encode_images
    monkeypatch.setattr(
        reader.model, "encode_images", lambda *a, **k: encoded.append(1) or encode(*a, **k)
    )
    question = page(1)
    for _ in range(3):
        reader.answer([question, question])
    assert len(encoded) == 1


def test_the_model_is_left_in_the_mode_in_which_it_came(nano_reader):
    reader = ModelReader(nano_reader.model.train(), nano_reader.processor)
    reader.answer([page(1)])
    assert reader.model.training
    reader.model.eval()
    reader.answer([page(1)])
    assert not reader.model.training


def test_an_answer_that_reaches_its_limit_is_truncated(nano_reader):
    encode = without_special_tokens(nano_reader.processor.tokenizer.backend_tokenizer).encode
    ids = encode("a page of text").ids
    assert nano_reader.parse([*ids, nano_reader.end_id], page(1, 99)).truncated == (False,)
    cut = nano_reader.parse([*ids, nano_reader.end_id], page(1, 2))
    assert cut.truncated == (True,)
    assert "a page of text".startswith(cut.texts[0])


def test_an_answer_has_a_line_for_each_box(nano_reader, boxes):
    encode = without_special_tokens(nano_reader.processor.tokenizer.backend_tokenizer).encode
    count = len(boxes.boxes)
    lines = tuple(f"line {n}" for n in range(count))
    ids = encode("\n".join(lines)).ids
    assert nano_reader.parse([*ids, nano_reader.end_id], boxes).texts == lines
    short = nano_reader.parse(encode("one").ids, boxes)
    assert short.texts == ("one", *[""] * (count - 1))
    assert all(short.truncated)
    more = nano_reader.parse([*ids, *encode("\nand more").ids, nano_reader.end_id], boxes)
    assert more.texts[-1] == f"line {count - 1} and more"
    assert not any(more.truncated)


def test_a_gpu_without_room_is_an_error_of_memory(nano_reader, monkeypatch):
    def generate(**inputs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(nano_reader.model, "generate", generate)
    with pytest.raises(MemoryError, match="no room for 2 prompts at once"):
        nano_reader.answer([page(1), page(2)])
