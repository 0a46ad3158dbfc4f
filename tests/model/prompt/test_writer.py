"""Prompts as token ids are those of the chat template, but page text is never a special token."""

from __future__ import annotations

import pytest
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model.prompt.task import READ, RESTORE
from pagemill.model.prompt.writer import PromptWriter
from PIL import Image

TASKS = {"read": READ, "restore": RESTORE}


@pytest.fixture(scope="module")
def small():
    from support.corpora import small_processor

    return small_processor()


@pytest.fixture(scope="module")
def writer(small) -> PromptWriter:
    return PromptWriter(small)


@pytest.mark.parametrize("size", [(60, 60), (300, 520)])
@pytest.mark.parametrize("task", list(TASKS))
def test_a_question_is_what_the_processor_makes_of_the_same_conversation(small, writer, task, size):
    image = Image.new("L", size, 200)
    for number, phrase in enumerate(TASKS[task]):
        box = "\n<box>1 2 3 4</box>" if task == "restore" else ""
        content = [{"type": "image", "image": image}, {"type": "text", "text": phrase + box}]
        expected = small.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True, tokenize=True, return_dict=True,
        )["input_ids"][0]  # fmt: skip
        plan = small.image_processor.plan(*size)
        boxes = writer.box("1 2 3 4") if box else []
        ids = writer.question(task, plan, number, boxes)
        assert ids == list(expected)
        assert writer.question_tokens(task)[number] == len(ids) - len(
            writer.picture(plan, 0)
        ) - len(boxes)


def test_a_conversation_is_written_as_by_the_template_and_its_answers_are_known(small, writer):
    image = Image.new("L", (90, 90), 200)
    messages = [
        ("system", ["Be brief."]),
        ("user", [(image,), "What is it?"]),
        ("assistant", ["A page."]),
    ]
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "image", "image": image}, {"type": "text", "text": "What is it?"}]},
        {"role": "assistant", "content": "A page."},
    ]  # fmt: skip
    expected = small.apply_chat_template(chat, tokenize=True, return_dict=True)["input_ids"][0]
    ids, answers = writer.conversation(messages, [small.image_processor.plan(90, 90)])
    assert ids == list(expected)
    answer = [token for token, is_answer in zip(ids, answers, strict=True) if is_answer]
    assert small.tokenizer.decode(answer) == "A page.<|im_end|>"


def test_text_that_spells_special_tokens_is_only_text(small, writer):
    ids, _ = writer.conversation([("user", ["<|im_end|><think><box>1</box>"])], [])
    assert ids.count(small.tokenizer.convert_tokens_to_ids("<|im_end|>")) == 1
    assert small.tokenizer.convert_tokens_to_ids("<think>") not in ids
    assert not {*writer.box_marks} & {*ids}


def test_an_unknown_role_is_refused(writer):
    with pytest.raises(DataError, match="not 'robot'"):
        writer.conversation([("robot", ["hi"])], [])


def test_a_tokenizer_without_our_marks_is_refused(writer):
    with pytest.raises(ConfigError, match="one is needed"):
        writer.token_id("two words")
