"""How a conversation is written out, letter for letter."""

from __future__ import annotations

import pytest
from jinja2.exceptions import TemplateError
from pagemill.model.prompt.chat import chat_template
from transformers.utils.chat_template_utils import render_jinja_template

TEMPLATE = chat_template("<|image_pad|>", "<|video_pad|>")
SHORT = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
LONG = "<|im_start|>assistant\n<think>\n"
QUESTION = {"role": "user", "content": "What is this?"}
ASKED = "<|im_start|>user\nWhat is this?<|im_end|>\n"


def written(*messages: dict, **settings) -> str:
    (text,), _ = render_jinja_template([list(messages)], chat_template=TEMPLATE, **settings)
    return text


def learned(*messages: dict, **settings) -> list[str]:
    """What stands between the marks of generation."""
    (text,), (spans,) = render_jinja_template(
        [list(messages)], chat_template=TEMPLATE, return_assistant_tokens_mask=True, **settings
    )
    return [text[start:stop] for start, stop in spans]


def answer(content, **more) -> dict:
    return {"role": "assistant", "content": content, **more}


def test_short_mode_opens_with_an_empty_thinking_block():
    assert written(QUESTION, add_generation_prompt=True) == ASKED + SHORT
    assert written(QUESTION, add_generation_prompt=True, enable_thinking=False) == ASKED + SHORT
    assert written(QUESTION) == ASKED


def test_long_mode_leaves_the_block_open():
    assert written(QUESTION, add_generation_prompt=True, enable_thinking=True) == ASKED + LONG


def test_a_prompt_is_the_beginning_of_its_conversation():
    """What is learned continues exactly what generation starts from."""
    short = written(QUESTION, answer("A page."))
    assert short == written(QUESTION, add_generation_prompt=True) + "A page.<|im_end|>\n"
    long = written(QUESTION, answer("A page.", reasoning_content="White, with text."))
    prompt = written(QUESTION, add_generation_prompt=True, enable_thinking=True)
    assert long == prompt + "White, with text.\n</think>\n\nA page.<|im_end|>\n"


def test_only_answers_are_learned():
    system = {"role": "system", "content": "Be brief."}
    turns = [system, QUESTION, answer("A page."), QUESTION, answer("Still a page.")]
    assert learned(*turns) == ["A page.<|im_end|>", "Still a page.<|im_end|>"]
    assert learned(*turns[:2], answer("B", reasoning_content="Hm.")) == [
        "Hm.\n</think>\n\nB<|im_end|>"
    ]


def test_thoughts_of_earlier_turns_are_left_out():
    turns = [QUESTION, answer("A", reasoning_content="Hm."), QUESTION]
    assert "Hm." not in written(*turns)
    assert written(*turns) == ASKED + SHORT + "A<|im_end|>\n" + ASKED
    last = answer("B", reasoning_content="Oh.")
    text = written(*turns, last)
    assert "Hm." not in text
    assert text.endswith(LONG + "Oh.\n</think>\n\nB<|im_end|>\n")


@pytest.mark.parametrize("head", ["", "<think>\n"])
def test_thoughts_may_stand_before_the_answer_as_the_model_wrote_them(head):
    """In long mode the prompt opens the block, so what is generated starts inside it."""
    raw = answer(f"{head}Hm.\n</think>\n\nA")
    parted = answer("A", reasoning_content="Hm.")
    assert written(QUESTION, raw) == written(QUESTION, parted)
    assert written(QUESTION, raw, QUESTION) == written(QUESTION, parted, QUESTION)
    assert "Hm." not in written(QUESTION, raw, QUESTION)


def test_an_empty_thinking_block_before_the_answer_is_not_doubled():
    raw = answer("<think>\n\n</think>\n\nA")
    assert written(QUESTION, raw) == written(QUESTION, answer("A"))


def test_an_answer_that_only_mentions_the_block_is_kept():
    told = answer("Qwen3 closes it with </think> and goes on.")
    assert learned(QUESTION, told) == ["Qwen3 closes it with </think> and goes on.<|im_end|>"]


def test_parts_stand_on_lines_of_their_own():
    parts = [
        {"type": "text", "text": "Compare"},
        {"type": "image", "image": "a.png"},
        {"type": "video", "video": "b.mp4"},
        {"type": "image_url", "image_url": {"url": "c.png"}},
        {"type": "text", "text": "these."},
    ]
    text = written({"role": "user", "content": parts})
    lines = ["Compare", "<|image_pad|>", "<|video_pad|>", "<|image_pad|>", "these."]
    assert text == "<|im_start|>user\n" + "\n".join(lines) + "<|im_end|>\n"


def test_answers_may_come_in_parts_and_without_content():
    parts = answer([{"type": "text", "text": "A"}, {"type": "text", "text": "page."}])
    assert learned(QUESTION, parts) == ["A\npage.<|im_end|>"]
    assert learned(QUESTION, {"role": "assistant"}) == ["<|im_end|>"]


def test_what_is_not_known_is_refused():
    with pytest.raises(TemplateError, match="image, video and text, not audio"):
        written({"role": "user", "content": [{"type": "audio", "audio": "a.wav"}]})
    with pytest.raises(TemplateError, match="system, user or assistant, not tool"):
        written({"role": "tool", "content": "7"})


def test_text_is_never_read_as_a_template():
    told = {"role": "user", "content": "{{ messages }} {% if x %} IMAGE_TOKEN"}
    assert written(told) == f"<|im_start|>user\n{told['content']}<|im_end|>\n"
