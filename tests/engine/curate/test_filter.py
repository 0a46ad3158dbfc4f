"""A page stays or gets one reason, and the reason is the one that applies first."""

from __future__ import annotations

import numpy as np
import pytest
from pagemill.engine.curate.filter import (
    FilterConfig,
    document_reason,
    ink_share,
    page_reason,
    size_reason,
)
from pagemill.engine.curate.language import language_of
from pagemill.engine.errors import ConfigError
from pagemill.engine.page import TextLayer, Verdict, VerdictName, Word

TRUSTED = Verdict(VerdictName.TRUSTED, 0.9)


def layer(words: int) -> TextLayer:
    return TextLayer(words=tuple(Word("w", (0, 0, 1, 1), 0) for _ in range(words)))


@pytest.mark.parametrize(
    ("ink", "words", "verdict", "language", "config", "reason"),
    [
        (0.1, 5, "trusted", "en", FilterConfig(), None),
        (0.0, 5, "trusted", "en", FilterConfig(), "blank"),
        (0.1, 5, "garbled", "en", FilterConfig(), "text_garbled"),
        (0.1, 0, "none", "und", FilterConfig(), "text_none"),
        (0.1, 0, "none", "und", FilterConfig(verdicts=("none",)), None),
        (0.1, 5, "trusted", "en", FilterConfig(min_words=6), "too_few_words"),
        (0.1, 5, "trusted", "en", FilterConfig(max_words=4), "too_many_words"),
        (0.1, 5, "trusted", "en", FilterConfig(languages=("de",)), "language"),
        (0.1, 5, "trusted", "de", FilterConfig(languages=("de", "en")), None),
    ],
)
def test_reasons(
    ink: float, words: int, verdict: str, language: str, config: FilterConfig, reason: str | None
) -> None:
    judged = Verdict(VerdictName(verdict), 0.5)
    assert page_reason(ink, layer(words), judged, language, config) == reason


def test_sizes_and_page_counts() -> None:
    config = FilterConfig(min_side_px=100, max_side_px=2000, min_document_pages=2)
    assert size_reason(99, 500, config) == "page_size"
    assert size_reason(500, 2001, config) == "page_size"
    assert size_reason(500, 500, config) is None
    assert document_reason(1, config) == "document_pages"
    assert document_reason(2, config) is None


def test_ink_is_what_differs_from_the_paper_of_any_colour() -> None:
    white = np.full((200, 100), 250, np.uint8)
    assert ink_share(white) == 0
    white[20:40] = 0
    assert ink_share(white) == pytest.approx(0.1)
    assert ink_share(255 - white) == pytest.approx(0.1)
    assert ink_share(np.dstack([white] * 3)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "bad", [{"verdicts": ("true",)}, {"min_words": 5, "max_words": 4}, {"min_ink": 1.5}]
)
def test_filters_that_cannot_be_meant_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"filter\."):
        FilterConfig(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The river ran quietly past the old mill and nobody spoke for a long while.", "en"),
        ("Der Fluss lief leise an der alten Mühle vorbei, und niemand sprach lange.", "de"),
        ("Река тихо текла мимо старой мельницы, и долго никто не говорил ни слова.", "ru"),
        ("川は古い水車小屋のそばを静かに流れ、長い間だれも話さなかったのである。", "ja"),
        ("12 345,67  2024-01-31  +49 30 1234", "und"),
        ("", "und"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language
