"""The tower: a SigLIP-style encoder for slices of any shape, packed end to end.

Shapes: S slices, N patches of all slices together, D width, p patch size. Parameter names are
those of SigLIP. Padding is dropped before the first layer, so nothing later can see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.siglip.modeling_siglip import SiglipMLP

from ..engine.errors import DataError
from . import segment
from .attention import eager_attention
from .config import PagemillVisionConfig
from .position import places
from .varlen import usable, varlen


class Packed(NamedTuple):
    """Features of slices end to end, in the order of the slices.

    A named tuple, because DeepSpeed finds tensors in tuples but not in other objects.
    """

    features: Tensor
    """[N, D]."""
    sizes: list[tuple[int, int]]
    """(height, width) in patches of each slice."""

    @property
    def lengths(self) -> list[int]:
        """Patches of each slice."""
        return [height * width for height, width in self.sizes]


class VisionEmbeddings(nn.Module):
    """Patches to vectors, plus their positions in the slice."""

    def __init__(self, config: PagemillVisionConfig) -> None:
        super().__init__()
        self.patch_embedding = PatchEmbedding(
            config.num_channels, config.hidden_size, config.patch_size
        )
        self.position_embedding = PositionTable(config)

    def forward(self, patches: Tensor, sizes: Sequence[tuple[int, int]]) -> Tensor:
        """[N, channels · p · p] to [N, D]."""
        return self.patch_embedding(patches) + self.position_embedding(sizes)


class PositionTable(nn.Embedding):
    """A learned square table, read at every patch of slices of any shape."""

    def __init__(self, config: PagemillVisionConfig) -> None:
        super().__init__(config.position_side**2, config.hidden_size)
        self.side = config.position_side
        self.bucket = config.position == "bucket"

    def forward(self, sizes: Sequence[tuple[int, int]]) -> Tensor:  # type: ignore[override]
        """Positions of all slices, end to end; [N, D]."""
        if self.weight.is_cuda and not self.bucket:
            return self.at_once(sizes)
        of_size = self.bucketed if self.bucket else self.interpolated
        tables = {size: of_size(size) for size in dict.fromkeys(sizes)}
        return torch.cat([tables[size] for size in sizes])

    def bucketed(self, size: tuple[int, int]) -> Tensor:
        """Each patch looks up the nearest entry; Source: the NaViT-style tower of Idefics 2."""
        rows, cols = buckets(size[0], self.side), buckets(size[1], self.side)
        index = (rows[:, None] * self.side + cols[None, :]).flatten().to(self.weight.device)
        return F.embedding(index, self.weight)

    def interpolated(self, size: tuple[int, int]) -> Tensor:
        """The table resized to the slice, antialiased; Source: SigLIP 2, NaFlex."""
        if size == (self.side, self.side):
            return self.weight
        square = self.weight.float().view(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        resized = F.interpolate(
            square, size=size, mode="bilinear", align_corners=False, antialias=True
        )
        return resized.flatten(2)[0].T.to(self.weight.dtype)

    def at_once(self, sizes: Sequence[tuple[int, int]]) -> Tensor:
        """The same for all slices by one product: as few kernels for a hundred sizes as for one.

        Interpolation is linear and separable, so a patch's position is the table weighted by what
        its row takes of every row times what its column takes of every column.
        """
        device = self.weight.device
        distinct = list(dict.fromkeys(sizes))
        lengths = sorted({length for size in distinct for length in size})
        first = dict(zip(lengths, accumulate(lengths, initial=0), strict=False))
        rows = [first[size[0]] + places(size)[0] for size in distinct]
        cols = [first[size[1]] + places(size)[1] for size in distinct]
        taken = segment.onto(torch.cat([taps(length, self.side) for length in lengths]), device)
        of_row, of_col = (taken[segment.onto(torch.cat(part), device)] for part in (rows, cols))
        weights = (of_row[:, :, None] * of_col[:, None, :]).flatten(1)
        table = weights @ self.weight.float()
        patches = [height * width for height, width in distinct]
        start = dict(zip(distinct, accumulate(patches, initial=0), strict=False))
        index = segment.gather_index(
            [start[size] for size in sizes], [height * width for height, width in sizes], device
        )
        return table.index_select(0, index).to(self.weight.dtype)


@lru_cache(maxsize=4096)
def taps(length: int, side: int) -> Tensor:
    """What each of `length` places takes of `side` entries, antialiased; float32 [length, side]."""
    whole = torch.eye(side)[None, None]
    resized = F.interpolate(
        whole, size=(length, side), mode="bilinear", align_corners=False, antialias=True
    )
    return resized[0, 0]


class PatchEmbedding(nn.Conv2d):
    """A convolution whose stride is its kernel, applied to patches that are cut already."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__(channels, width, kernel_size=patch, stride=patch)

    def forward(self, patches: Tensor) -> Tensor:
        return F.linear(patches, self.weight.flatten(1), self.bias)


@lru_cache(maxsize=4096)
def buckets(count: int, side: int) -> Tensor:
    """For each of `count` patches along one side, the entry of a table of `side`; int64 [count].

    In float32 steps, as the released code does: near a border another way to compute the fraction
    would choose another entry.
    """
    edges = torch.arange(1 / side, 1.0, 1 / side)
    step = float(1 / torch.tensor(count, dtype=torch.int32))
    fractions = torch.arange(0, 1 - 1e-6, step)
    return torch.bucketize(fractions, edges, right=True)


class VisionAttention(nn.Module):
    """Attention of every patch to the patches of its own slice."""

    def __init__(self, config: PagemillVisionConfig) -> None:
        super().__init__()
        self.config = config
        self.heads = config.num_attention_heads
        self.head_dim = config.hidden_size // self.heads
        self.scaling = self.head_dim**-0.5
        self.is_causal = False
        self.num_key_value_groups = 1
        width = config.hidden_size
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(
        self, hidden: Tensor, groups: list[segment.LengthGroup], cu_seqlens: Tensor
    ) -> Tensor:
        """[N, D] to [N, D]; `groups` are runs of slices of equal length."""
        query, key, value = (
            layer(hidden).view(-1, self.heads, self.head_dim)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        implementation = self.config._attn_implementation or ""
        if "flash" in implementation:
            mixed = self.flash(query, key, value, groups, cu_seqlens)
        elif implementation == "sdpa" and usable(query) and not self.drops:
            longest = max(group.length for group in groups)
            both = (cu_seqlens, cu_seqlens), (longest, longest)
            mixed = varlen(query, key, value, *both, scaling=self.scaling).flatten(1)
        else:
            mixed = torch.cat([self.batched(query, key, value, group) for group in groups])
        return self.out_proj(mixed)

    def batched(
        self, query: Tensor, key: Tensor, value: Tensor, group: segment.LengthGroup
    ) -> Tensor:
        """One batch of slices of equal length; [count · length, D]."""
        shape = (group.count, group.length, self.heads, self.head_dim)
        parts = (
            whole[group.start : group.stop].view(shape).transpose(1, 2)
            for whole in (query, key, value)
        )
        return self.attend(*parts).reshape(group.count * group.length, -1)

    @property
    def drops(self) -> bool:
        """Whether weights are dropped."""
        return self.training and self.config.attention_dropout > 0

    def flash(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        groups: list[segment.LengthGroup],
        cu_seqlens: Tensor,
    ) -> Tensor:
        """All slices in one call; [N, D]."""
        longest = max(group.length for group in groups)
        parts = (whole.transpose(0, 1)[None] for whole in (query, key, value))
        return self.attend(
            *parts,
            cu_seq_lens_q=cu_seqlens,
            cu_seq_lens_k=cu_seqlens,
            max_length_q=longest,
            max_length_k=longest,
        ).reshape(query.shape[0], -1)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, **kwargs: Any) -> Tensor:
        interface = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        dropout = self.config.attention_dropout if self.training else 0.0
        mixed, _ = interface(
            self,
            query,
            key,
            value,
            attention_mask=None,
            scaling=self.scaling,
            dropout=dropout,
            is_causal=False,
            **kwargs,
        )
        return mixed


class VisionLayer(GradientCheckpointingLayer):
    """One block: attention and feed-forward, each on the normalised residual stream."""

    def __init__(self, config: PagemillVisionConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = VisionAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = SiglipMLP(config)

    def forward(
        self, hidden: Tensor, groups: list[segment.LengthGroup], cu_seqlens: Tensor
    ) -> Tensor:
        hidden = hidden + self.self_attn(self.layer_norm1(hidden), groups, cu_seqlens)
        return hidden + self.mlp(self.layer_norm2(hidden))


class VisionEncoder(nn.Module):
    """The blocks, one after the other."""

    def __init__(self, config: PagemillVisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(VisionLayer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self, hidden: Tensor, groups: list[segment.LengthGroup], cu_seqlens: Tensor
    ) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden, groups, cu_seqlens)
        return hidden


class PagemillVisionModel(PreTrainedModel):
    """Slices of any shape to one feature per patch."""

    config_class = PagemillVisionConfig
    base_model_prefix = "vision"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    supports_gradient_checkpointing = True
    _no_split_modules = ["VisionLayer"]
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True

    def __init__(self, config: PagemillVisionConfig) -> None:
        super().__init__(config)
        self.embeddings = VisionEmbeddings(config)
        self.encoder = VisionEncoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(self, pixel_values: Tensor, tgt_sizes: Tensor) -> Packed:
        """The features of every slice, end to end.

        Args:
            pixel_values: [S, patches of the largest slice, channels · p · p], each patch as
                (channel, row, column); normalised floats, or bytes, which are normalised here.
                What stands behind a slice's own patches is never read.
            tgt_sizes: int [S, 2], (height, width) of each slice in patches.

        Raises:
            DataError: the sizes and the pixels do not fit.
        """
        sizes = [(int(height), int(width)) for height, width in tgt_sizes.tolist()]
        check_pixels(pixel_values, sizes, self.config.num_channels * self.config.patch_size**2)
        lengths = [height * width for height, width in sizes]
        order = segment.by_length(lengths)
        ordered = [lengths[number] for number in order]
        per_slice = pixel_values.shape[1]
        index = segment.gather_index(
            [number * per_slice for number in order], ordered, pixel_values.device
        )
        hidden = self.embeddings(
            self.normalised(pixel_values.flatten(0, 1)[index]), [sizes[number] for number in order]
        )
        cu_seqlens = segment.cumulative(ordered, hidden.device)
        hidden = self.encoder(hidden, segment.groups(ordered), cu_seqlens)
        hidden = self.post_layernorm(hidden)
        if order != list(range(len(order))):
            hidden = hidden[restoring(order, ordered, hidden.device)]
        return Packed(hidden, sizes)

    def normalised(self, patches: Tensor) -> Tensor:
        """Patches in the tower's own type."""
        if patches.dtype == torch.uint8:
            scale = 255.0 * self.config.image_std
            patches = patches.float() / scale - self.config.image_mean / self.config.image_std
        return patches.to(self.dtype)


def restoring(order: list[int], ordered: list[int], device: torch.device) -> Tensor:
    """Index that brings segments laid out in `order` back into their own; int64 [N]."""
    starts, lengths = [0] * len(order), [0] * len(order)
    start = 0
    for number, length in zip(order, ordered, strict=True):
        starts[number], lengths[number] = start, length
        start += length
    return segment.gather_index(starts, lengths, device)


def check_pixels(pixel_values: Tensor, sizes: list[tuple[int, int]], width: int) -> None:
    """Refuse pixels that do not fit the sizes."""
    if pixel_values.ndim != 3 or pixel_values.shape[2] != width:
        raise DataError(
            f"pixel_values are {list(pixel_values.shape)}; "
            f"this tower takes [slices, patches, {width}]"
        )
    if len(sizes) != pixel_values.shape[0]:
        raise DataError(f"{pixel_values.shape[0]} slices of pixels, {len(sizes)} tgt_sizes")
    for height, width in sizes:
        if height < 1 or width < 1 or height * width > pixel_values.shape[1]:
            raise DataError(
                f"a slice of {height} x {width} patches does not fit "
                f"{pixel_values.shape[1]} patches of pixels"
            )
