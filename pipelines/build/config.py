"""The configuration of a build: the sections of `build.toml`, each beside its owner."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...engine.config import fingerprint
from ...engine.curate.filter import FilterConfig
from ...engine.curate.select import ShardConfig, SplitConfig
from ...engine.image import ImageConfig
from ...engine.read.guard import ReaderLimits
from ...engine.read.reader import ReadConfig, RenderConfig
from ...engine.source.archive import ArchiveLimits

LIMITS = ("limits",)
"""Sections that decide whether a page is read, never what it becomes."""


@dataclass(frozen=True, kw_only=True)
class LimitsConfig(ReaderLimits, ArchiveLimits):
    """What one page, one document and one archive may cost."""

    def __post_init__(self) -> None:
        ReaderLimits.__post_init__(self)
        ArchiveLimits.__post_init__(self)


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """All settings of `pagemill build`."""

    render: RenderConfig = field(default_factory=RenderConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    shard: ShardConfig = field(default_factory=ShardConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    licence: str = ""
    "Licence of the documents, written into every sample."

    @property
    def read(self) -> ReadConfig:
        """What the reader processes need of it."""
        return ReadConfig(
            render=self.render,
            image=self.image,
            filter=self.filter,
            page_pixels=self.limits.page_pixels,
        )

    @property
    def hash(self) -> str:
        """Changes with everything that can change a written byte; limits cannot."""
        return fingerprint(self, without=LIMITS)
