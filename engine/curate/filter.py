"""Which pages are kept, by configuration: a page stays or gets one reason."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import ConfigError
from ..page import TextLayer, Verdict, VerdictName
from ..reason import Reason

_REASON_OF_VERDICT = {
    VerdictName.GARBLED: Reason.TEXT_GARBLED,
    VerdictName.MISALIGNED: Reason.TEXT_MISALIGNED,
    VerdictName.HIDDEN: Reason.TEXT_HIDDEN,
    VerdictName.PARTIAL: Reason.TEXT_PARTIAL,
    VerdictName.NONE: Reason.TEXT_NONE,
}
_DARKER_THAN_PAPER = 48


@dataclass(frozen=True, kw_only=True)
class FilterConfig:
    """Which pages go into shards. The others keep their row in the ledger and their reason."""

    verdicts: tuple[str, ...] = ("trusted",)
    "Verdicts on the text layer that are kept: trusted, garbled, misaligned, hidden, partial, none."
    languages: tuple[str, ...] = ()
    "ISO 639 codes that are kept, `und` for unknown; empty keeps all."
    min_words: int = 0
    "Fewest words on a page."
    max_words: int = 100_000
    "Most words on a page."
    min_ink: float = 0.0001
    "Share of pixels that differ from the paper, below which a page is blank."
    min_side_px: int = 64
    "Shortest side of a page image, px."
    max_side_px: int = 20_000
    "Longest side of a page image, px."
    min_document_pages: int = 1
    "Fewest pages of a document."
    max_document_pages: int = 1_000_000
    "Most pages of a document."

    def __post_init__(self) -> None:
        names = [str(name) for name in VerdictName]
        for name in self.verdicts:
            if name not in names:
                raise ConfigError(f"filter.verdicts has {name!r}; there are {', '.join(names)}")
        if self.min_words > self.max_words:
            raise ConfigError("filter.min_words is above filter.max_words: no page would be kept")
        if not 0 <= self.min_ink < 1:
            raise ConfigError(f"filter.min_ink is {self.min_ink}; it is a share from 0 to 1")


def document_reason(page_count: int, config: FilterConfig) -> Reason | None:
    """Why none of a document's pages is kept, or None."""
    if config.min_document_pages <= page_count <= config.max_document_pages:
        return None
    return Reason.DOCUMENT_PAGES


def size_reason(width: int, height: int, config: FilterConfig) -> Reason | None:
    """Why a page image of this size (px) is not kept, or None."""
    if min(width, height) < config.min_side_px or max(width, height) > config.max_side_px:
        return Reason.PAGE_SIZE
    return None


def page_reason(
    ink: float, layer: TextLayer, verdict: Verdict, language: str, config: FilterConfig
) -> Reason | None:
    """Why a page is not kept, or None: blank first, then verdict, words, language."""
    if ink < config.min_ink:
        return Reason.BLANK
    if verdict.name not in config.verdicts:
        return _REASON_OF_VERDICT[verdict.name]
    if len(layer.words) < config.min_words:
        return Reason.TOO_FEW_WORDS
    if len(layer.words) > config.max_words:
        return Reason.TOO_MANY_WORDS
    if config.languages and language not in config.languages:
        return Reason.LANGUAGE
    return None


def ink_share(image: np.ndarray) -> float:
    """Share of pixels that differ from the page's most common grey by more than 48 of 255."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    paper = int(np.bincount(grey[::8, ::8].ravel()).argmax())
    low, high = paper - _DARKER_THAN_PAPER, paper + _DARKER_THAN_PAPER
    near = cv2.countNonZero(cv2.inRange(grey, max(low, 0), min(high, 255)))
    return 1.0 - int(near) / int(grey.size)
