"""The model: tower, connector and language model as one Hugging Face model.

    features = model.encode_images(pixel_values, tgt_sizes)      # once, here or on another machine
    model.generate(input_ids, image_features=features)           # as often as wanted

Shapes: B sequences, T tokens, S slices, P packages, W width of the language model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.integrations import is_deepspeed_zero3_enabled
from transformers.modeling_outputs import CausalLMOutputWithPast

from ..engine.errors import ConfigError, DataError
from . import connector as connectors
from .config import PagemillConfig
from .features import ImageFeatures
from .prompt.image_token import Prompt, compressed
from .router import Router
from .slicing import FULL
from .vision import Packed, PagemillVisionModel, VisionEmbeddings

BY_ROUTER = "router"
"""As `rate`: the router decides for every package."""


class PagemillForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Pictures and text to text."""

    config_class = PagemillConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    input_modalities = ("image", "video", "text")
    supports_gradient_checkpointing = True
    accepts_loss_kwargs = True
    _no_split_modules = ["VisionLayer", "Resampler3D", "ShuffleMLP"]
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_compile_fullgraph = False

    def __init__(self, config: PagemillConfig) -> None:
        super().__init__(config)
        self.vision = PagemillVisionModel._from_config(config.vision_config)
        self.connector = connectors.build(config)
        self.router = Router(config.vision_config.hidden_size) if config.router else None
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, connectors.Resampler3D):
            init.trunc_normal_(module.query, std=0.02)
            init.normal_(module.proj, std=module.width**-0.5)
        elif isinstance(module, connectors.CrossAttention):
            init.xavier_uniform_(module.in_proj_weight)
            init.zeros_(module.in_proj_bias)
        elif isinstance(module, Router):
            init.trunc_normal_(module.query, std=0.02)
        elif isinstance(module, VisionEmbeddings):
            width = module.position_embedding.embedding_dim
            init.normal_(module.position_embedding.weight, std=width**-0.5)
        else:
            super()._init_weights(module)

    def get_input_embeddings(self) -> nn.Module:
        """The language model's table of token embeddings."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the language model's table of token embeddings."""
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """The language model's head."""
        return self.language_model.get_output_embeddings()

    def set_output_embeddings(self, value: nn.Module) -> None:
        """Replace the language model's head."""
        self.language_model.set_output_embeddings(value)

    def get_decoder(self) -> nn.Module:
        """The language model without its head."""
        return self.language_model.get_decoder()

    def encode_images(
        self,
        pixel_values: Tensor,
        tgt_sizes: Tensor,
        temporal_ids: connectors.TemporalIds = None,
        rate: connectors.Rate | str = FULL,
        threshold: float | None = None,
    ) -> ImageFeatures:
        """Tower and connector over all slices, once.

        Args:
            pixel_values: [S, patches of the largest slice, channels · p · p].
            tgt_sizes: int [S, 2], (height, width) in patches.
            temporal_ids: which slices share a package, and their times; see `Resampler3D`.
            rate: 1, 4, one of them for each package, or "router".
            threshold: of the router, in place of the configured one.

        Raises:
            DataError: the arguments do not fit each other.
            ConfigError: the router is asked for and the model has none.
        """
        packed = self.vision(pixel_values, tgt_sizes)
        return self.connect(packed, temporal_ids, rate, threshold)

    def connect(
        self,
        packed: Packed,
        temporal_ids: connectors.TemporalIds = None,
        rate: connectors.Rate | str = FULL,
        threshold: float | None = None,
    ) -> ImageFeatures:
        """The connector over features of the tower; the arguments of `encode_images`."""
        if isinstance(rate, str):
            rate = self.routed(packed, temporal_ids, rate, threshold)
        tokens, lengths = self.connector(packed.features, packed.sizes, temporal_ids, rate)
        rates = connectors.as_rates(rate, len(lengths))
        full = lengths
        if set(rates) != {FULL}:
            full = connectors.full_lengths(self.config, packed.sizes, temporal_ids)
        return ImageFeatures(tokens, tuple(lengths), tuple(full))

    def routed(
        self,
        packed: Packed,
        temporal_ids: connectors.TemporalIds,
        rate: str,
        threshold: float | None,
    ) -> list[int]:
        """The rates that the router chooses."""
        if rate != BY_ROUTER:
            raise ConfigError(f'rate is {rate!r}; it is 1, 4, a list of them, or "{BY_ROUTER}"')
        if self.router is None:
            raise ConfigError("this model has no router: set `router` in its configuration")
        logits = self.router(packed.features, packed.sizes, temporal_ids)
        limit = self.config.router_threshold if threshold is None else threshold
        return self.router.rates(logits, limit)

    def embed(
        self, input_ids: Tensor, features: ImageFeatures | None, places: Tensor | None = None
    ) -> Tensor:
        """Token embeddings with the pictures in their places; [B, T, W].

        Args:
            input_ids: [B, T].
            features: of the pictures.
            places: int64 [image tokens], where they stand in the flattened `input_ids`, for callers
                that know it: looking for them waits for the device.

        Raises:
            DataError: another number of image tokens in the prompt than in the features.
        """
        embeds = self.get_input_embeddings()(input_ids)
        given = len(features.tokens) if features is not None else 0
        if places is None:
            is_image = input_ids == self.config.image_token_id
            wanted = int(is_image.sum())
        else:
            wanted = len(places)
        if wanted != given:
            raise DataError(
                f"the prompt has room for {wanted} image tokens, the pictures have {given}: "
                "prepare both with the same processor, settings and rate"
            )
        if features is None:
            return embeds
        if places is None:
            return embeds.masked_scatter(is_image[..., None], features.tokens.to(embeds))
        flat = embeds.flatten(0, 1).index_copy(0, places, features.tokens.to(embeds))
        return flat.view_as(embeds)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        tgt_sizes: Tensor | None = None,
        temporal_ids: connectors.TemporalIds = None,
        rate: connectors.Rate = FULL,
        image_features: ImageFeatures | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        num_tiles: Any = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits of the next tokens, and the loss where there are labels.

        Sequences packed into one row are told apart by `position_ids` that start again at 0, with
        no attention mask: none sees another.

        Args:
            input_ids: [B, T]; image tokens where pictures go.
            pixel_values: [S, patches of the largest slice, channels · p · p].
            tgt_sizes: int [S, 2].
            temporal_ids: packages of frames; None for pictures alone.
            rate: 1 or 4, for all packages or each; the prompt must leave as much room.
            image_features: what `encode_images` returned, in place of pixels.
            attention_mask: [B, T], 0 where a row is filled up.
            position_ids: [B, T].
            past_key_values: cache of keys and values.
            inputs_embeds: [B, T, W], in place of `input_ids` and pictures.
            labels: [B, T], -100 where nothing is learned.
            use_cache: whether to return the cache; never while learning.
            logits_to_keep: how many of the last positions get logits; 0 for all.
            num_tiles: slices of each picture, as the processor gives them; not needed here.
            **kwargs: go to the language model.

        Raises:
            DataError: prompt and pictures do not fit each other.
        """
        if inputs_embeds is None:
            if input_ids is None:
                raise ConfigError("forward needs input_ids or inputs_embeds")
            features = image_features
            if features is None:
                features = self.encoded(pixel_values, tgt_sizes, temporal_ids, rate)
            stand_in = features is None and past_key_values is None and self.must_touch_tower()
            inputs_embeds = self.embed_touching(input_ids, features, stand_in)
        if use_cache is None and (labels is not None or self.training):
            use_cache = False
        return self.language_model(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask, position_ids=position_ids,
            past_key_values=past_key_values, labels=labels, use_cache=use_cache,
            logits_to_keep=logits_to_keep, **kwargs,
        )  # fmt: skip

    def encoded(
        self,
        pixel_values: Tensor | None,
        tgt_sizes: Tensor | None,
        temporal_ids: connectors.TemporalIds,
        rate: connectors.Rate | str,
        threshold: float | None = None,
    ) -> ImageFeatures | None:
        """`encode_images`, or None where there are no pictures."""
        if pixel_values is None:
            return None
        sizes = required("tgt_sizes", tgt_sizes)
        return self.encode_images(pixel_values, sizes, temporal_ids, rate, threshold)

    def embed_touching(
        self,
        input_ids: Tensor,
        features: ImageFeatures | None,
        stand_in: bool,
        places: Tensor | None = None,
    ) -> Tensor:
        """`embed`, with a stand-in for pictures where there are none; [B, T, W].

        Pictures or their stand-in come before the words, on every rank: under ZeRO-3 all must
        gather parameters in the same order.
        """
        nothing = self.nothing() if stand_in else None
        embeds = self.embed(input_ids, features, places)
        return embeds if nothing is None else embeds + nothing.to(embeds)

    def must_touch_tower(self) -> bool:
        """Whether a batch without pictures must run the tower all the same.

        Where ranks share parameters, a rank that skips a module waits for ever for the others.
        """
        return self.training or is_deepspeed_zero3_enabled()

    def nothing(self) -> Tensor:
        """Zero, computed from every parameter of tower and connector."""
        config = self.config.vision_config
        pixels = torch.zeros(1, 1, config.num_channels * config.patch_size**2, device=self.device)
        features = self.encode_images(pixels, torch.ones(1, 2, dtype=torch.int64))
        return features.tokens.sum() * 0

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor | None = None,
        *,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        tgt_sizes: Tensor | None = None,
        temporal_ids: connectors.TemporalIds = None,
        rate: connectors.Rate | str = FULL,
        threshold: float | None = None,
        image_features: ImageFeatures | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        num_tiles: Any = None,
        **kwargs: Any,
    ) -> Any:
        """`transformers`' generate, with pictures; the tower runs once, whatever the strategy.

        With a rate below the full one the prompt may leave room for the full number of tokens: the
        surplus is taken out before the first token, and the result starts with the prompt as it
        was given. Image tokens are never answered: there would be no picture for them.

        Args:
            inputs: the prompt, [B, T]; the same as `input_ids`.
            input_ids: the prompt, [B, T].
            pixel_values: as `forward` takes them.
            tgt_sizes: as `forward` takes them.
            temporal_ids: as `forward` takes them.
            rate: 1, 4, one for each package, or "router".
            threshold: of the router, in place of the configured one.
            image_features: what `encode_images` returned, in place of pixels.
            inputs_embeds: in place of all of the above.
            attention_mask: [B, T].
            num_tiles: as the processor gives them; not needed here.
            **kwargs: go to `transformers`' generate.

        Raises:
            DataError: prompt and pictures do not fit each other.
        """
        input_ids = inputs if input_ids is None else input_ids
        kwargs["suppress_tokens"] = self.suppressed_tokens(**kwargs)
        if inputs_embeds is not None:
            kwargs["inputs_embeds"] = inputs_embeds
            return super().generate(input_ids, attention_mask=attention_mask, **kwargs)
        features = image_features
        if features is None:
            features = self.encoded(pixel_values, tgt_sizes, temporal_ids, rate, threshold)
        if features is None:
            return super().generate(input_ids, attention_mask=attention_mask, **kwargs)
        given = required("input_ids", input_ids)
        fitting = self.fitting(Prompt(given, attention_mask), features)
        out = super().generate(
            fitting.input_ids,
            inputs_embeds=self.embed(fitting.input_ids, features),
            attention_mask=fitting.attention_mask,
            **kwargs,
        )
        return with_prompt(out, fitting.input_ids, given)

    def fitting(self, prompt: Prompt, features: ImageFeatures) -> Prompt:
        """The prompt with as many image tokens as the pictures have."""
        return compressed(
            prompt, features.lengths, features.full_lengths,
            image_token_id=self.config.image_token_id,
        )  # fmt: skip

    def suppressed_tokens(
        self, generation_config: Any = None, suppress_tokens: Any = None, **_: Any
    ) -> list[int]:
        """Tokens that are never answered: those that the caller names, and the image token."""
        given = suppress_tokens or (generation_config or self.generation_config).suppress_tokens
        return [*(given or []), self.config.image_token_id]


def required(name: str, value: Tensor | None) -> Tensor:
    """The value, or an error that names it."""
    if value is None:
        raise DataError(f"pictures need {name}: pass everything that the processor returned")
    return value


def with_prompt(out: Any, used: Tensor, given: Tensor) -> Any:
    """The result with the given prompt in place of the one that was used."""
    if used.shape == given.shape:
        return out
    sequences = out if isinstance(out, Tensor) else out.sequences
    repeated = given.repeat_interleave(len(sequences) // len(given), dim=0)
    whole = torch.cat([repeated, sequences[:, used.shape[1] :]], dim=1)
    if isinstance(out, Tensor):
        return whole
    out.sequences = whole
    return out
