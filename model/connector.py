"""From the tower's features to the tokens that the language model reads.

Every connector is called `connector(features, tgt_sizes, temporal_ids, rate)` and returns
`(tokens, lengths)`: the tokens of all packages end to end, and how many each package gave. A
package is one slice, or the same slice of up to six video frames.

Shapes: N patches of all slices, P packages, W width of the language model, D width of the tower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..engine.errors import ConfigError, DataError
from . import position
from .attention import pool
from .config import PagemillConfig
from .slicing import FULL, QUARTER, package_tokens

MOST_FRAMES = 6
"""Frames that may share one package."""

TemporalIds = Sequence[Sequence[int]] | Tensor | None
Rate = int | Sequence[int] | Tensor


class Resampler3D(nn.Module):
    """One cross-attention block without a feed-forward: `num_queries` tokens a package.

    Keys carry the patch's position and the frame's time, values carry neither. At the quarter rate
    the first quarter of the queries answers, so those tokens are a prefix of the full ones.
    Source: MiniCPM-V 4.5 §2.1.1 and its released parameter names; nested queries: Matryoshka Query
    Transformer.
    """

    def __init__(self, num_queries: int, width: int, num_heads: int, kv_width: int) -> None:
        super().__init__()
        if width % 4 or width % num_heads:
            raise ConfigError(
                f"the resampler's width is {width}: it must be a multiple of 4 "
                f"and of its {num_heads} heads"
            )
        self.num_queries = num_queries
        self.width = width
        self.query = nn.Parameter(torch.empty(num_queries, width))
        self.kv_proj = nn.Linear(kv_width, width, bias=False)
        self.attn = CrossAttention(width, num_heads)
        self.ln_q = nn.LayerNorm(width, eps=1e-6)
        self.ln_kv = nn.LayerNorm(width, eps=1e-6)
        self.ln_post = nn.LayerNorm(width, eps=1e-6)
        self.proj = nn.Parameter(torch.empty(width, width))
        self.reset()

    def reset(self) -> None:
        """Starting values of the two bare parameters, as released."""
        nn.init.trunc_normal_(self.query, std=0.02)
        nn.init.normal_(self.proj, std=self.width**-0.5)

    def forward(
        self,
        features: Tensor,
        tgt_sizes: Tensor | Sequence[tuple[int, int]],
        temporal_ids: TemporalIds = None,
        rate: Rate = FULL,
    ) -> tuple[Tensor, list[int]]:
        """[N, D] to tokens [sum of lengths, W].

        Args:
            features: the patches of every slice, end to end.
            tgt_sizes: (height, width) in patches of every slice.
            temporal_ids: per package the times of its frames, in steps of 0.1 s, -1 for a picture
                without time; as lists, or a table [P, frames] filled up with -2. None: every slice
                is a package of its own without time.
            rate: 1 or 4, for all packages or for each.

        Raises:
            DataError: the arguments do not fit each other.
        """
        sizes, packages, rates = arranged(features, tgt_sizes, temporal_ids, rate)
        values = self.ln_kv(self.kv_proj(features))
        keys = values + self.positions(sizes, packages, values.device).to(values.dtype)
        patches = [height * width for height, width in sizes]
        lengths = package_sums(patches, [len(frames) for frames in packages])
        mixed = self.attn(self.ln_q(self.query), keys, values, lengths)
        tokens = self.ln_post(mixed) @ self.proj
        return nested(tokens, rates)

    def positions(
        self, sizes: list[tuple[int, int]], packages: list[list[int]], device: torch.device
    ) -> Tensor:
        """What is added to the keys; float32 [N, W]."""
        places = position.patches(sizes, self.width, device)
        ids = [time for frames in packages for time in frames]
        if all(time == position.NO_TIME for time in ids):
            return places
        counts = torch.tensor([height * width for height, width in sizes])
        times = position.times(ids, self.width).repeat_interleave(counts, 0)
        return places + times.to(device)


class CrossAttention(nn.Module):
    """Multi-head attention of shared queries to packages of keys, parameters named as torch's."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        self.reset()

    def reset(self) -> None:
        """Starting values, as torch's MultiheadAttention has them."""
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.in_proj_bias)
        nn.init.zeros_(self.out_proj.bias)

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, lengths: Sequence[int]
    ) -> Tensor:
        """[Q, W] and [N, W] to [packages, Q, W]."""
        weights = self.in_proj_weight.chunk(3)
        biases = self.in_proj_bias.chunk(3)
        query, keys, values = (
            F.linear(tensor, weight, bias)
            for tensor, weight, bias in zip((query, keys, values), weights, biases, strict=True)
        )
        return self.out_proj(pool(query, keys, values, lengths, self.heads))


class ShuffleMLP(nn.Module):
    """Blocks of 2 by 2 patches (full rate) or 4 by 4 (a quarter), each through its own layers.

    A slice whose side is no multiple is filled up with zeros on the right and below. Frames of a
    package follow each other; their time is their order.
    Source: InternVL3.5, visual consistency learning; 256 or 64 tokens for 1,024 patches.
    """

    def __init__(self, width: int, kv_width: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.full = nn.Sequential(
            nn.LayerNorm(4 * kv_width),
            nn.Linear(4 * kv_width, width),
            nn.GELU(),
            nn.Linear(width, width),
        )
        self.quarter = nn.Sequential(
            nn.LayerNorm(16 * kv_width),
            nn.Linear(16 * kv_width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(
        self,
        features: Tensor,
        tgt_sizes: Tensor | Sequence[tuple[int, int]],
        temporal_ids: TemporalIds = None,
        rate: Rate = FULL,
    ) -> tuple[Tensor, list[int]]:
        """[N, D] to tokens [sum of lengths, W]; the arguments of `Resampler3D.forward`."""
        sizes, packages, rates = arranged(features, tgt_sizes, temporal_ids, rate)
        rate_of = [rate for rate, frames in zip(rates, packages, strict=True) for _ in frames]
        slices = torch.split(features, [height * width for height, width in sizes])
        parts: dict[int, list[Tensor]] = {FULL: [], QUARTER: []}
        for patches, size, rate in zip(slices, sizes, rate_of, strict=True):
            parts[rate].append(unshuffled(patches, size, 2 if rate == FULL else 4))
        none = features.new_zeros(0)
        # Both branches always run, if on nothing: under ZeRO-3 a rank that skips one hangs.
        answers = {
            FULL: iter(self.branch(self.full, parts[FULL], none, 4 * features.shape[1])),
            QUARTER: iter(self.branch(self.quarter, parts[QUARTER], none, 16 * features.shape[1])),
        }
        tokens = torch.cat(
            [next(answers[rate]) for rate in rate_of]
            + [next(answers[FULL]), next(answers[QUARTER])]
        )
        counts = [
            package_tokens([size], connector="shuffle_mlp", rate=rate)
            for size, rate in zip(sizes, rate_of, strict=True)
        ]
        return tokens, package_sums(counts, [len(frames) for frames in packages])

    @staticmethod
    def branch(
        layers: nn.Sequential, parts: list[Tensor], none: Tensor, width: int
    ) -> tuple[Tensor, ...]:
        """The layers over all blocks at once; one tensor a slice, then an empty one."""
        whole = torch.cat([*parts, none.view(0, width)])
        return layers(whole).split([*(len(part) for part in parts), 0])


def build(config: PagemillConfig) -> nn.Module:
    """The connector that a configuration names."""
    return BUILDERS[config.connector](config)


def resampler(config: PagemillConfig) -> Resampler3D:
    """The resampler of a configuration."""
    width, kv_width = config.text_config.hidden_size, config.vision_config.hidden_size
    return Resampler3D(config.query_num, width, config.heads, kv_width)


def shuffle_mlp(config: PagemillConfig) -> ShuffleMLP:
    """The pixel-shuffle MLP of a configuration."""
    return ShuffleMLP(config.text_config.hidden_size, config.vision_config.hidden_size)


BUILDERS: dict[str, Callable[[PagemillConfig], nn.Module]] = {
    "resampler3d": resampler,
    "shuffle_mlp": shuffle_mlp,
}
"""Name in a configuration, one of `slicing.CONNECTORS`, to the connector that it makes."""


def unshuffled(patches: Tensor, size: tuple[int, int], side: int) -> Tensor:
    """[height · width, D] to [blocks, side · side · D], zeros where a block hangs over."""
    height, width = size
    square = patches.view(height, width, -1)
    if height % side or width % side:
        square = F.pad(square, (0, 0, 0, -width % side, 0, -height % side))
    high, wide = -(-height // side), -(-width // side)
    blocks = square.view(high, side, wide, side, -1).transpose(1, 2)
    return blocks.reshape(high * wide, -1)


def nested(tokens: Tensor, rates: list[int]) -> tuple[Tensor, list[int]]:
    """[P, Q, W] to the tokens that each package's rate keeps, end to end, and their numbers."""
    queries = tokens.shape[1]
    lengths = [queries // rate for rate in rates]
    if len(set(rates)) <= 1:
        keep = lengths[0] if lengths else queries
        return tokens[:, :keep].flatten(0, 1), lengths
    kept = torch.tensor(lengths, device=tokens.device)
    return tokens[torch.arange(queries, device=tokens.device) < kept[:, None]], lengths


def arranged(
    features: Tensor,
    tgt_sizes: Tensor | Sequence[tuple[int, int]],
    temporal_ids: TemporalIds,
    rate: Rate,
) -> tuple[list[tuple[int, int]], list[list[int]], list[int]]:
    """Sizes, times per package and rate per package as lists, checked against each other.

    Raises:
        DataError: the arguments do not fit each other.
    """
    listed = tgt_sizes.tolist() if isinstance(tgt_sizes, Tensor) else tgt_sizes
    sizes = [(int(height), int(width)) for height, width in listed]
    if sum(height * width for height, width in sizes) != features.shape[0]:
        raise DataError(f"{features.shape[0]} patches of features do not fit the sizes {sizes}")
    packages = as_packages(temporal_ids, len(sizes))
    rates = as_rates(rate, len(packages))
    return sizes, packages, rates


def as_packages(temporal_ids: TemporalIds, slices: int) -> list[list[int]]:
    """The times of every package's frames.

    Raises:
        DataError: an empty package, one of more than six frames, or another number of frames in
            all than there are slices.
    """
    if temporal_ids is None:
        return [[position.NO_TIME]] * slices
    rows = temporal_ids.tolist() if isinstance(temporal_ids, Tensor) else temporal_ids
    packages = [[int(time) for time in row if time != position.NO_FRAME] for row in rows]
    if any(not 1 <= len(frames) <= MOST_FRAMES for frames in packages):
        raise DataError(f"a package holds 1 to {MOST_FRAMES} frames: {packages}")
    if sum(map(len, packages)) != slices:
        raise DataError(
            f"temporal_ids name {sum(map(len, packages))} frames, but there are {slices} slices"
        )
    return packages


def as_rates(rate: Rate, packages: int) -> list[int]:
    """The rate of every package.

    Raises:
        DataError: another number of rates than packages, or a rate that is not 1 or 4.
    """
    if isinstance(rate, int):
        rates = [rate] * packages
    else:
        rates = [int(value) for value in (rate.tolist() if isinstance(rate, Tensor) else rate)]
    if len(rates) != packages:
        raise DataError(f"{len(rates)} rates for {packages} packages")
    if set(rates) - {FULL, QUARTER}:
        raise DataError(f"rates are {sorted(set(rates))}; a rate is 1 (full) or 4 (a quarter)")
    return rates


def package_sums(counts: Sequence[int], frames: Sequence[int]) -> list[int]:
    """Counts of slices, summed over the slices of each package."""
    numbers = iter(counts)
    return [sum(next(numbers) for _ in range(count)) for count in frames]


def full_lengths(
    config: PagemillConfig, sizes: list[tuple[int, int]], temporal_ids: TemporalIds
) -> list[int]:
    """Tokens of every package at the full rate."""
    rest = iter(sizes)
    packages = [[next(rest) for _ in frames] for frames in as_packages(temporal_ids, len(sizes))]
    return [
        package_tokens(package, connector=config.connector, query_num=config.query_num)
        for package in packages
    ]
