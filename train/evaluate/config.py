"""What is asked of a model, and of which pages."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """An evaluation."""

    data: tuple[str, ...] = ()
    "Folders or URIs of corpora; empty for those that are learned from."
    split: str = ""
    "Split of the corpora; empty for the first of val, test and train that a corpus has."
    plans: str = ""
    "File of plans that `pagemill eval --write-plans` wrote; empty draws them."
    every: int = 0
    "Steps between two evaluations of a run; 0 for none."
    at_end: bool = True
    "Whether a run ends with an evaluation."
    pages: int = 64
    "Pages at most; 0 for all. A file of plans is taken whole."
    regions: int = 24
    "Regions of a page that are asked for at most, the levels in turn."
    as_trained: bool = False
    "Whether a page is asked for the boxes that training asks for, all in one prompt."
    batch: int = 16
    "Prompts that are answered at once."
    most_new_tokens: int = 1024
    "Tokens of an answer at most; a longer text is not asked for."
    seed: int = 2026
    "Of the choice of pages and of the plans; that of a run, with its epoch, gives its own plans."
    epoch: int = 0
    "Epoch of the plans."
    position: int = 0
    "Position of the corruption schedule, in windows of the stream."
    read_pages: bool = True
    "Whether pages are also read as a whole, clean and corrupted."
    page_levels: bool = False
    "Whether pages are also read with all that is corrupted light, moderate, and heavy."
    blind: bool = True
    "Whether regions are also asked for with a white page in place of the picture."
    marker: bool = False
    "Whether boxes that are asked for are also drawn on the page; as sample.marker of the stream."
    shown: int = 24
    "Regions of which the picture is kept, to be looked at."

    def __post_init__(self) -> None:
        for name in ("every", "pages", "regions", "epoch", "position", "shown"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} of the evaluation is {getattr(self, name)}; 0 or more")
        for name, least in (("batch", 1), ("most_new_tokens", 8)):
            if getattr(self, name) < least:
                raise ConfigError(
                    f"{name} of the evaluation is {getattr(self, name)}; it is at least {least}"
                )
        if not self.regions and not self.read_pages:
            raise ConfigError(
                "the evaluation asks for nothing: set regions above 0, or read_pages to true"
            )
