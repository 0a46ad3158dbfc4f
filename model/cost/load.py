"""What goes through the model, named by four arguments everywhere, checked and counted.

`tgt_sizes`, (height, width) in patches of every slice; `packages`, slices of each package, None
where every slice is one; `lengths`, tokens of each sample, pictures included; `rate`, 1 or 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...engine.errors import ConfigError
from ..config import PagemillConfig
from ..slicing import FULL, QUARTER, package_tokens

Sizes = Sequence[tuple[int, int]]
Rate = int | Sequence[int]


@dataclass(frozen=True, slots=True)
class Load:
    """What goes through the model, checked and counted."""

    slices: list[int]
    """Patches of each slice."""
    packages: int
    full: int
    """Visual tokens of packages at the full rate."""
    quarter: int
    """Visual tokens of packages at the quarter rate."""
    lengths: list[int]
    """Tokens of each sample."""

    @property
    def patches(self) -> int:
        """Of all slices."""
        return sum(self.slices)

    @property
    def tokens(self) -> int:
        """Of all samples."""
        return sum(self.lengths)


def loaded(
    config: PagemillConfig,
    tgt_sizes: Sizes,
    packages: Sequence[int] | None,
    lengths: Sequence[int],
    rate: Rate,
) -> Load:
    """The four arguments, checked against each other.

    Raises:
        ConfigError: they do not fit.
    """
    frames = [1] * len(tgt_sizes) if packages is None else list(packages)
    rates = [rate] * len(frames) if isinstance(rate, int) else list(rate)
    if sum(frames) != len(tgt_sizes) or any(count < 1 for count in frames):
        raise ConfigError(f"packages of {frames} slices do not hold {len(tgt_sizes)} slices")
    if len(rates) != len(frames):
        raise ConfigError(f"{len(rates)} rates for {len(frames)} packages")
    tokens = {FULL: 0, QUARTER: 0}
    rest = iter(tgt_sizes)
    for count, package_rate in zip(frames, rates, strict=True):
        sizes = [next(rest) for _ in range(count)]
        given = package_tokens(
            sizes, connector=config.connector, query_num=config.query_num, rate=package_rate
        )
        tokens[package_rate] += given
    visual = tokens[FULL] + tokens[QUARTER]
    if lengths and visual > sum(lengths):
        raise ConfigError(
            f"samples of {sum(lengths)} tokens have no room for {visual} visual tokens: "
            "lengths count visual tokens too"
        )
    slices = [height * width for height, width in tgt_sizes]
    return Load(slices, len(frames), tokens[FULL], tokens[QUARTER], list(lengths))
