"""Everything that decides the batches of a stream, beside corpora, processor, schedule and seed."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...engine.errors import ConfigError
from .packing import PackConfig
from .sample import SampleConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """Everything that decides the batches, beside corpora, processor, schedule and seed."""

    pack: PackConfig = field(default_factory=PackConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    window_samples: int = 4096
    """Samples that are packed together."""
    shuffle_shards: int = 0
    """Shards within which samples are mixed; 0 mixes all."""
    most_failures: int = 16
    """Samples in a row that may be unreadable before the run stops."""

    def __post_init__(self) -> None:
        if self.window_samples < 1 or self.most_failures < 1 or self.shuffle_shards < 0:
            raise ConfigError(
                "window_samples and most_failures are at least 1, shuffle_shards at least 0: they "
                f"are {self.window_samples}, {self.most_failures} and {self.shuffle_shards}"
            )
