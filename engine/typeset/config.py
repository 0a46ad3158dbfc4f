"""What is typeset, in which shares, and how it looks."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ..errors import ConfigError
from ..image import ImageConfig


@dataclass(frozen=True, kw_only=True)
class KindConfig:
    """Weights of the kinds; only their ratios matter."""

    line: float = 0.30
    "One line, cropped with margins."
    block: float = 0.20
    "A paragraph, a heading with one, or a list."
    prose: float = 0.20
    "A page of text in one to three columns, with headings, page numbers and footnotes."
    table: float = 0.07
    "A page with tables, with and without rules."
    form: float = 0.06
    "A form with labels, filled fields and check boxes."
    receipt: float = 0.06
    "A narrow receipt."
    invoice: float = 0.05
    "An invoice with addresses, items and totals."
    letter: float = 0.04
    "A letter."
    slide: float = 0.02
    "A slide with large text."

    def __post_init__(self) -> None:
        _shares_not_negative(self, "kind")
        if not sum(getattr(self, item.name) for item in fields(self)) > 0:
            raise ConfigError("all weights of kind are 0; give one of them more, as kind.line=1")


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """What the words are."""

    english: float = 0.35
    "Share of pages in English; the other languages have equal shares of the rest."
    words: float = 0.10
    "Share of passages that are random words of a word list."
    strings: float = 0.08
    "Share of passages that are random letters, digits and signs."
    capitals: float = 0.05
    "Share of lines and paragraphs in capitals."
    hyphenated: float = 0.35
    "Share of justified texts that part words at line ends."

    def __post_init__(self) -> None:
        _shares_not_negative(self, "text")
        for item in fields(self):
            if getattr(self, item.name) > 1:
                raise ConfigError(f"text.{item.name} is {getattr(self, item.name)}; at most 1")
        if self.words + self.strings > 1:
            raise ConfigError(
                f"text.words + text.strings is {self.words + self.strings}; together at most 1"
            )


@dataclass(frozen=True, kw_only=True)
class LookConfig:
    """How pages look; shares run from 0 to 1."""

    min_dpi: float = 100.0
    "Lowest resolution of a page."
    max_dpi: float = 150.0
    "Highest resolution of a page."
    min_x_height_px: float = 5.0
    "No text is smaller than this."
    max_x_height_px: float = 40.0
    "Lines are no larger than this."
    max_line_words: int = 16
    "Words of a line that is cropped alone at most."
    tinted: float = 0.15
    "Share of pages on a light grey ground."
    inverted: float = 0.05
    "Share of pages with light text on a dark ground."
    grey: float = 0.20
    "Share of texts that are grey, some of them light."
    mixed: float = 0.15
    "Share of texts with bold or italic words inside."
    tracked: float = 0.04
    "Share of lines and headings with letters set apart."
    underlined: float = 0.05
    "Share of lines and headings underlined."
    shaped: float = 0.30
    "Share of pages with ligatures and fine kerning, where Pillow has raqm."

    def __post_init__(self) -> None:
        _shares_not_negative(self, "look")
        if self.max_line_words < 1:
            raise ConfigError(f"look.max_line_words is {self.max_line_words}; it is at least 1")
        if not 72 <= self.min_dpi <= self.max_dpi <= 300:
            raise ConfigError(
                f"look.min_dpi is {self.min_dpi} and look.max_dpi {self.max_dpi}; "
                "they run from 72 to 300, the lower one first"
            )
        if not 4 <= self.min_x_height_px <= self.max_x_height_px <= 100:
            raise ConfigError(
                f"look.min_x_height_px is {self.min_x_height_px} and look.max_x_height_px "
                f"{self.max_x_height_px}; they run from 4 to 100, the lower one first"
            )


@dataclass(frozen=True, kw_only=True)
class TypesetConfig:
    """All settings of `pagemill typeset`."""

    kind: KindConfig = field(default_factory=KindConfig)
    text: TextConfig = field(default_factory=TextConfig)
    look: LookConfig = field(default_factory=LookConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    shard_pages: int = 1000
    "Pages in a shard; all but the last of a split have as many."

    def __post_init__(self) -> None:
        if self.shard_pages < 1:
            raise ConfigError(f"shard_pages is {self.shard_pages}; it is at least 1")


def _shares_not_negative(config: object, section: str) -> None:
    for item in fields(config):  # type: ignore[arg-type]
        if getattr(config, item.name) < 0:
            value = getattr(config, item.name)
            raise ConfigError(f"{section}.{item.name} is {value}; it is at least 0")
