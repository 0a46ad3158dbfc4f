"""A page: pixels of known size, the words that its text layer claims, and the verdict on them.

`TextLayer` is what a backend reads, `Page` is what a shard carries. Boxes are pixels of the
shipped image, `[x0, y0, x1, y1]`, origin top left. Text is in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Any

import numpy as np
import orjson

from .geometry import Box

SCHEMA = "pagemill.page.1"


class WordFlag(IntFlag):
    """What is known of a word's look, where the backend says it."""

    BOLD = 1
    ITALIC = 2
    MONO = 4
    SERIF = 8
    SUPERSCRIPT = 16
    VERTICAL = 32
    RIGHT_TO_LEFT = 64
    INVISIBLE = 128
    """Render mode 3, opacity 0 or outside the clip: the backend was told not to paint it."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    box: Box
    line: int
    """Index into the page's lines."""
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    box: Box
    words: tuple[int, int]
    """First word and one past the last, as indices into the page's words."""
    block: int


@dataclass(frozen=True, slots=True)
class Block:
    box: Box
    lines: tuple[int, int]
    """First line and one past the last."""


@dataclass(frozen=True, slots=True)
class Figure:
    box: Box
    kind: str
    """`image`, `drawing` or `table`."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters as the backend painted them, one row each; the evidence for a verdict.

    Arrays share their length. Backends that cannot tell leave `TextLayer.glyphs` None.
    """

    codepoint: np.ndarray
    """int32 [n]; 0xFFFD where the backend found no mapping."""
    box: np.ndarray
    """float32 [n, 4], px."""
    size_px: np.ndarray
    """float32 [n]: font size."""
    advance_em: np.ndarray
    """float32 [n]: advance width in units of the font size; NaN where unknown."""
    font: np.ndarray
    """int16 [n]: index into `font_names`."""
    hidden: np.ndarray
    """bool [n]: render mode 3, or opacity 0."""
    luminance: np.ndarray
    """float32 [n]: fill colour, 0 black to 1 white."""
    font_names: tuple[str, ...] = ()
    origin: np.ndarray | None = None
    """float32 [n, 2], px: the pen on the baseline where the glyph starts; None where unknown."""
    direction: np.ndarray | None = None
    """float32 [n, 2]: unit vector along the baseline, y down; None where unknown."""


@dataclass(frozen=True, slots=True)
class TextLayer:
    """What a backend reads from a page's text layer, in reading order, in pixels."""

    words: tuple[Word, ...] = ()
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    figures: tuple[Figure, ...] = ()
    glyphs: Glyphs | None = None
    unmapped: int = 0
    """Characters without a Unicode mapping."""
    outside: int = 0
    """Words dropped because they lie wholly outside the visible page."""
    image_cover: float = 0.0
    """Share of the page covered by raster images, 0 to 1."""

    @property
    def text(self) -> str:
        """Lines joined by newlines, blocks by an empty line."""
        parts: list[str] = []
        for index, line in enumerate(self.lines):
            if index and line.block != self.lines[index - 1].block:
                parts.append("")
            parts.append(line.text)
        return "\n".join(parts)


class VerdictName(StrEnum):
    """May the text layer be believed?"""

    TRUSTED = "trusted"
    GARBLED = "garbled"
    MISALIGNED = "misaligned"
    HIDDEN = "hidden"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a text layer against the pixels, with what it rests on."""

    name: VerdictName
    score: float
    """Confidence that the text is what the pixels show, 0 to 1."""
    evidence: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it is shipped; see the module for units."""

    key: str
    doc_sha256: str
    page_index: int
    page_count: int
    width: int
    height: int
    dpi: float
    rotation: int
    engine: str
    layer: TextLayer
    verdict: Verdict
    language: str
    x_height: float
    """Median height of a lower-case x, px; 0 without text."""
    image_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """The columns of `{key}.json`, without `source`, which the shard writer adds."""
        layer = self.layer
        return {
            "schema": SCHEMA,
            "key": self.key,
            "doc_sha256": self.doc_sha256,
            "page_index": self.page_index,
            "page_count": self.page_count,
            "width": self.width,
            "height": self.height,
            "dpi": self.dpi,
            "rotation": self.rotation,
            "engine": self.engine,
            "words": {
                "text": [word.text for word in layer.words],
                "bbox": rounded([word.box for word in layer.words]),
                "line": [word.line for word in layer.words],
                "flags": [word.flags for word in layer.words],
            },
            "lines": {
                "text": [line.text for line in layer.lines],
                "bbox": rounded([line.box for line in layer.lines]),
                "words": [list(line.words) for line in layer.lines],
                "block": [line.block for line in layer.lines],
            },
            "blocks": {
                "bbox": rounded([block.box for block in layer.blocks]),
                "lines": [list(block.lines) for block in layer.blocks],
            },
            "figures": {
                "bbox": rounded([figure.box for figure in layer.figures]),
                "kind": [figure.kind for figure in layer.figures],
            },
            "text": layer.text,
            "verdict": {
                "name": str(self.verdict.name),
                "score": round(self.verdict.score, 4),
                "evidence": self.verdict.evidence,
            },
            "language": self.language,
            "x_height": round(self.x_height, 1),
            "image_sha256": self.image_sha256,
        }

    def to_json(self) -> bytes:
        """`to_dict` as UTF-8 JSON; lone surrogates and odd code points become U+FFFD."""
        return orjson.dumps(self.to_dict())


def rounded(boxes: Sequence[Box]) -> list[list[float]]:
    """The boxes as JSON carries them: to a tenth of a pixel."""
    tenths: list[list[float]] = np.round(np.array(boxes, np.float64), 1).tolist()
    return tenths


def page_from_dict(data: dict[str, Any]) -> Page:
    """The page that `{key}.json` describes; the inverse of `Page.to_dict` up to rounding.

    Raises:
        ValueError: another schema.
    """
    if data.get("schema") != SCHEMA:
        raise ValueError(f"schema is {data.get('schema')!r}, this version reads {SCHEMA!r}")
    words, lines, blocks, figures = (data[k] for k in ("words", "lines", "blocks", "figures"))
    layer = TextLayer(
        words=tuple(
            Word(t, _box(b), n, f)
            for t, b, n, f in zip(
                words["text"], words["bbox"], words["line"], words["flags"], strict=True
            )
        ),
        lines=tuple(
            Line(t, _box(b), (w[0], w[1]), n)
            for t, b, w, n in zip(
                lines["text"], lines["bbox"], lines["words"], lines["block"], strict=True
            )
        ),
        blocks=tuple(
            Block(_box(b), (n[0], n[1]))
            for b, n in zip(blocks["bbox"], blocks["lines"], strict=True)
        ),
        figures=tuple(
            Figure(_box(b), k) for b, k in zip(figures["bbox"], figures["kind"], strict=True)
        ),
    )
    verdict = data["verdict"]
    return Page(
        key=data["key"],
        doc_sha256=data["doc_sha256"],
        page_index=data["page_index"],
        page_count=data["page_count"],
        width=data["width"],
        height=data["height"],
        dpi=data["dpi"],
        rotation=data["rotation"],
        engine=data["engine"],
        layer=layer,
        verdict=Verdict(VerdictName(verdict["name"]), verdict["score"], verdict["evidence"]),
        language=data["language"],
        x_height=data["x_height"],
        image_sha256=data["image_sha256"],
    )


def _box(values: list[float]) -> Box:
    return (values[0], values[1], values[2], values[3])
