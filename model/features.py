"""What the language model reads of pictures: the seam between tower and language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """What the language model reads of pictures: the seam between tower and language model."""

    tokens: Tensor
    """[sum of lengths, W], packages end to end."""
    lengths: tuple[int, ...]
    """Tokens of each package."""
    full_lengths: tuple[int, ...]
    """Tokens that each package has at the full rate: those that a prompt leaves room for."""

    def to(self, *args: Any, **kwargs: Any) -> ImageFeatures:
        """The same on another device or in another type, as `torch.Tensor.to`."""
        return replace(self, tokens=self.tokens.to(*args, **kwargs))

    def packages(self, first: int, stop: int) -> ImageFeatures:
        """Some packages, by number."""
        begin = sum(self.lengths[:first])
        end = begin + sum(self.lengths[first:stop])
        return ImageFeatures(
            self.tokens[begin:end], self.lengths[first:stop], self.full_lengths[first:stop]
        )
