"""A processor with a tokenizer of made-up syllables, and a small model."""

from __future__ import annotations

import pytest
from pagemill.model import (
    PagemillForConditionalGeneration,
    PagemillImageProcessor,
    PagemillProcessor,
    vocabulary,
)
from support.model import built
from support.processor import (
    TEXTS,
)
from transformers import PreTrainedTokenizerFast


@pytest.fixture(scope="session")
def words() -> PreTrainedTokenizerFast:
    """A tokenizer of 700 tokens, trained on made sentences."""
    return vocabulary.wrap(vocabulary.train(TEXTS, size=700))


@pytest.fixture
def make(words):
    """A processor with small slices; bytes as pixels, so that a grey can be read off."""

    def build(*, images: dict | None = None, **settings) -> PagemillProcessor:
        small = {"scale_resolution": 56, "patch_size": 14, "do_normalize": False}
        return PagemillProcessor(
            PagemillImageProcessor(**{**small, **(images or {})}), words, **settings
        )

    return build


@pytest.fixture
def processor(make) -> PagemillProcessor:
    return make()


@pytest.fixture(scope="module")
def model() -> PagemillForConditionalGeneration:
    """A small model with random weights."""
    return built()
