"""The spellings of special tokens stand in one room: `model/prompt/`."""

from __future__ import annotations

import re
from pathlib import Path

from .test_layers import ROOT, source_files

SPELLED = re.compile(
    r"<\|(?:im_start|im_end|endoftext|image_pad|video_pad|vision_start|vision_end)\|>|</?think>"
)
ROOM = "model/prompt"


def spellings(root: Path) -> list[str]:
    """`file:line: token` of every special token that is spelled outside of its room."""
    return [
        f"{path.relative_to(root).as_posix()}:{number}: {token}"
        for path in source_files(root)
        if not path.relative_to(root).as_posix().startswith(ROOM)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for token in SPELLED.findall(line)
    ]


def test_special_tokens_are_spelled_in_model_prompt_alone():
    assert spellings(ROOT) == []


def test_a_planted_spelling_is_found(tmp_path):
    for place in ("model/prompt/token.py", "train/stream/sample.py"):
        path = tmp_path / place
        path.parent.mkdir(parents=True)
        path.write_text('END = "<|im_end|>"\n', encoding="utf-8")
    assert spellings(tmp_path) == ["train/stream/sample.py:1: <|im_end|>"]
