"""What is known of a page without its pixels and words: made once, carried to the ledger.

`PageFacts` are counts, sizes and the verdict; a `PageRecord` adds the page's fate. The reader
makes the record, a parcel keeps it on disk, the index takes the facts and the ledger all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from .page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """Counts, sizes and the verdict of a page, as the index and the ledger carry them.

    Of a page that was refused before it was rendered only `width` and `height` are known.
    """

    width: int = 0
    height: int = 0
    words: int = 0
    lines: int = 0
    blocks: int = 0
    figures: int = 0
    chars: int = 0
    """Characters of all lines together."""
    region_chars: tuple[int, ...] = ()
    """Characters of each line."""
    x_height: float = 0.0
    """Median height of a lower-case x, px."""
    language: str = ""
    verdict: str = ""
    score: float = 0.0
    evidence: str = ""
    """The verdict's evidence as JSON."""

    @classmethod
    def from_page(cls, page: Page) -> PageFacts:
        """The facts of a page, rounded as its `{key}.json` rounds them."""
        layer = page.layer
        region_chars = tuple(len(line.text) for line in layer.lines)
        return cls(
            width=page.width,
            height=page.height,
            words=len(layer.words),
            lines=len(layer.lines),
            blocks=len(layer.blocks),
            figures=len(layer.figures),
            chars=sum(region_chars),
            region_chars=region_chars,
            x_height=round(page.x_height, 1),
            language=page.language,
            verdict=str(page.verdict.name),
            score=round(page.verdict.score, 4),
            evidence=orjson.dumps(page.verdict.evidence).decode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTiming:
    """Milliseconds spent on one page."""

    open: float = 0.0
    render: float = 0.0
    text: float = 0.0
    judge: float = 0.0
    encode: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """What became of one page, and what is known of it."""

    page_index: int
    kept: bool = False
    failed: bool = False
    """The page could not be read, as opposed to being filtered out."""
    stage: str = ""
    """Where the fate was decided: `open`, `render`, `text`, `judge`, `filter`, `write`."""
    reason: str = ""
    """One word of `engine.reason.Reason`; empty for a page that is kept."""
    message: str = ""
    attempts: int = 1
    engine: str = ""
    warnings: str = ""
    facts: PageFacts = field(default_factory=PageFacts)
    timing: PageTiming = field(default_factory=PageTiming)
