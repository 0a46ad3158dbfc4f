"""ViR, the visual resolution router: which slices may be read at a quarter of the tokens.

Source: InternVL3.5, visual consistency learning (ViCO) §2.3. Unlike the released code the decision
is a fixed threshold on a slice's own probability, so it does not depend on what shares the call.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .attention import pool
from .connector import TemporalIds, arranged, package_sums
from .slicing import FULL, QUARTER

HEAD_WIDTH = 64
BLOCKS = 2


class GatedBlock(nn.Module):
    """A residual step whose size each channel decides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.value = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        normed = self.norm(hidden)
        return hidden + self.gate(normed).sigmoid() * nn.functional.gelu(self.value(normed))


class Router(nn.Module):
    """Pools the tower's features of a package with one learned query and weighs two rates."""

    def __init__(self, kv_width: int) -> None:
        super().__init__()
        self.heads = max(1, kv_width // HEAD_WIDTH)
        while kv_width % self.heads:
            self.heads -= 1
        self.query = nn.Parameter(torch.empty(1, kv_width))
        self.norm = nn.LayerNorm(kv_width)
        self.key = nn.Linear(kv_width, kv_width)
        self.value = nn.Linear(kv_width, kv_width)
        self.out = nn.Linear(kv_width, kv_width)
        self.blocks = nn.ModuleList(GatedBlock(kv_width) for _ in range(BLOCKS))
        self.head = nn.Linear(kv_width, 2)
        self.reset()

    def reset(self) -> None:
        """Starting value of the query."""
        nn.init.trunc_normal_(self.query, std=0.02)

    def forward(
        self,
        features: Tensor,
        tgt_sizes: Tensor | Sequence[tuple[int, int]],
        temporal_ids: TemporalIds = None,
    ) -> Tensor:
        """Logits of (full, quarter) for every package; [P, 2].

        Args:
            features: the tower's features, [N, D].
            tgt_sizes: (height, width) in patches of every slice.
            temporal_ids: as connectors take them; says which slices share a package.

        Raises:
            DataError: the arguments do not fit each other.
        """
        sizes, packages, _ = arranged(features, tgt_sizes, temporal_ids, FULL)
        patches = [height * width for height, width in sizes]
        lengths = package_sums(patches, [len(frames) for frames in packages])
        normed = self.norm(features)
        hidden = pool(self.query, self.key(normed), self.value(normed), lengths, self.heads)
        hidden = self.out(hidden[:, 0])
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(hidden)

    def rates(self, logits: Tensor, threshold: float) -> list[int]:
        """The rate of every package: a quarter where its probability reaches `threshold`."""
        quarter = logits.float().softmax(-1)[:, 1]
        return [QUARTER if probability >= threshold else FULL for probability in quarter.tolist()]
