"""The page about a model: its numbers, in lines that fit a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest

pytest.importorskip("torch")

from pagemill.command.terminal.console import rendered
from pagemill.command.terminal.model import model_view
from pagemill.command.terminal.number import scaled
from pagemill.model import PagemillImageProcessor
from pagemill.model.cost.summary import model_summary
from pagemill.model.preset import PRESETS, preset


def page(model: str, **changes: Any) -> str:
    return "".join(rendered(model_view(model_summary(model, **changes)), stream=io.StringIO()))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
def test_the_page_fits_100_columns_and_says_what_is_asked(name: str, connector: str) -> None:
    changes = {"connector": connector, "router": connector == "shuffle_mlp"}
    text = page(name, **changes)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert all(line == line.rstrip() for line in lines)
    assert text.isascii()
    total = model_summary(name, **changes).parameters["total"]
    assert f"{name}: {total:,} parameters" in text
    for word in (connector, "A4 144 dpi", "2 x 4", "qwen3", "cache of 1,000 tokens", "AdamW"):
        assert word in text


def test_numbers_of_the_page_are_those_of_the_summary() -> None:
    lines = page("small").splitlines()
    row = next(line for line in lines if line.startswith("A4 144 dpi")).split()
    pictures = model_summary("small").pictures
    cost = next(cost for cost in pictures if cost.name == "A4 144 dpi")
    assert row[3:] == [
        "1190", "x", "1684", "2", "x", "4", "576", "144", "600", f"{cost.patches:,}", "16.0",
        *scaled(cost.prefill_flops.total).split(),
        *scaled(cost.flops_per_answer_token).split(),
    ]  # fmt: skip


def test_a_folder_says_how_its_processor_cuts(tmp_path) -> None:
    preset("nano", router=True).save_pretrained(tmp_path)
    PagemillImageProcessor(max_slice_nums=4, scale_resolution=224).save_pretrained(tmp_path)
    text = page(str(tmp_path))
    assert "at most 4 slices of about 224 x 224 px" in text
    assert "the quarter rate from a probability of 0.5" in text
