"""From pictures, videos and text to what the model takes.

    messages = [{"role": "user", "content": [{"type": "image", "image": page}, …]}]
    processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=True,
                                  return_dict=True, return_tensors="pt")

Pixels, sizes and packages come out in the order in which they stand in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase
from transformers.image_processing_utils import BatchFeature
from transformers.processing_utils import ProcessorMixin

from ..engine.errors import ConfigError
from . import position, slicing
from .image_processing import PagemillImageProcessor, flat, sizes_array
from .prompt import image_token as prompt
from .prompt.chat import chat_template as written_chat
from .prompt.token import IMAGE_TOKEN, MARKS, VIDEO_TOKEN
from .settings import PagemillProcessorKwargs, refuse_unknown, refuse_unnamed
from .video import DEFAULT_FPS, DEFAULT_PACKING, MOST_PACKING, as_video, flat_videos
from .visual import Visual, arranged_video, in_order, slice_order, times_array


class PagemillProcessor(ProcessorMixin):
    """Tokenizer and image processor together.

    `image_token` stands for one visual token, and for a picture in a prompt that is not yet
    expanded; `video_token` for a video. `connector` and `query_num` are those of the model, so that
    a prompt leaves the right room. With `use_image_id` pictures are numbered within a prompt.
    """

    valid_processor_kwargs = PagemillProcessorKwargs
    video_fps = DEFAULT_FPS
    video_packing: int | None = None
    video_max_slice_nums = 1
    rate = slicing.FULL

    def __init__(
        self,
        image_processor: PagemillImageProcessor,
        tokenizer: PreTrainedTokenizerBase,
        chat_template: str | None = None,
        # Not keyword-only: transformers restores only what could be positional.
        image_token: str = IMAGE_TOKEN,
        video_token: str = VIDEO_TOKEN,
        connector: str = "resampler3d",
        query_num: int = 64,
        use_image_id: bool = True,
        most_packing: int = DEFAULT_PACKING,
    ) -> None:
        missing = [
            token
            for token in (*MARKS, image_token, video_token)
            if tokenizer.tokenize(token) != [token]
        ]
        if missing:
            raise ConfigError(
                f"the tokenizer has no token of its own for {', '.join(missing)}: "
                "add them as special tokens, or name other ones"
            )
        slicing.package_tokens(
            [(1, 1)], connector=connector, query_num=query_num, rate=slicing.QUARTER
        )
        if not 1 <= most_packing <= MOST_PACKING:
            raise ConfigError(f"most_packing is {most_packing}; it goes from 1 to {MOST_PACKING}")
        self.image_token = image_token
        self.video_token = video_token
        self.image_token_id = tokenizer.convert_tokens_to_ids(image_token)
        self.connector = connector
        self.query_num = query_num
        self.use_image_id = use_image_id
        self.most_packing = most_packing
        super().__init__(
            image_processor,
            tokenizer,
            chat_template=chat_template or written_chat(image_token, video_token),
        )

    @property
    def model_input_names(self) -> list[str]:
        """Names of what a call returns."""
        return [
            "input_ids", "attention_mask", "pixel_values", "tgt_sizes", "temporal_ids", "num_tiles",
        ]  # fmt: skip

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Token ids with room for the pictures, and the pictures' patches.

        Args:
            images: pictures in any nesting of lists, in the order of the text; see `as_picture`.
            text: a prompt or several, with one `image_token` a picture and one `video_token` a
                video; None for the pictures alone.
            videos: paths, lists of frames or `Video`s, in the order of the text.
            **kwargs: `rate` 1 or 4; `max_slice_nums`, `do_normalize`; `video_fps`, `video_packing`
                (1 to 6, None lets the length decide), `video_max_slice_nums`; `padding`,
                `return_tensors` and other settings of tokenizers.

        Returns:
            `input_ids` and `attention_mask` [B, T]; with pictures `pixel_values` [S, patches,
            3 · p · p], `tgt_sizes` [S, 2], `num_tiles` [pictures and videos]; with videos also
            `temporal_ids` [packages, frames], filled up with -2.

        Raises:
            ConfigError: another number of pictures than the text names, or an unknown setting.
            DataError: a picture or video that cannot be used.
        """
        refuse_unnamed(kwargs, self.valid_processor_kwargs)
        settings = self._merge_kwargs(tokenizer_init_kwargs=self.tokenizer.init_kwargs, **kwargs)
        refuse_unknown(settings["images_kwargs"], besides=("max_slice_nums", "do_normalize"))
        refuse_unknown(
            settings["videos_kwargs"],
            besides=("do_normalize",),
            what="a video (video_fps, video_packing)",
        )
        pictures = flat(images) if images is not None else []
        still = [self.still(picture, settings) for picture in pictures]
        moving = [self.moving(video, settings) for video in flat_videos(videos)]
        if text is None:
            if not still and not moving:
                raise ConfigError("the processor needs text, images or videos")
            return self.batch({}, [*still, *moving], settings)
        texts = list(text) if isinstance(text, (list, tuple)) else [text]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ConfigError("text is a string or a list of strings")
        text_settings = dict(settings["text_kwargs"])
        if not text_settings.get("sanitize_control_tokens"):
            prompt.refuse_marks(texts)
        expanded, offsets, visuals = self.expanded(texts, still, moving, per_text(images, texts))
        wants_offsets = text_settings.pop("return_text_replacement_offsets", False)
        wants_kinds = text_settings.pop("return_mm_token_type_ids", False)
        encoded = self.tokenizer(expanded, **text_settings)
        self.check_room(expanded, encoded)
        data = dict(encoded)
        if wants_offsets:
            data["text_replacement_offsets"] = offsets
        if wants_kinds:
            data["mm_token_type_ids"] = self.create_mm_token_type_ids(encoded["input_ids"])
        return self.batch(data, visuals, settings)

    def check_room(self, texts: list[str], encoded: Any) -> None:
        """Refuse token ids without room for every picture.

        Raises:
            ConfigError: truncation took some of it away.
        """
        try:
            self._check_special_mm_tokens(texts, encoded, modalities=["image"])
        except ValueError as err:
            raise ConfigError(
                "truncation cuts a picture out of the prompt: raise max_length, leave out "
                f"truncation, or lower max_slice_nums. {err}"
            ) from err

    def still(self, source: Any, settings: dict[str, Any]) -> Visual:
        """One picture: its thumbnail and every slice is a package."""
        picture = self.image_processor.picture(source)
        cap = settings["images_kwargs"].get("max_slice_nums")
        plan = self.image_processor.plan(*picture.size, max_slice_nums=cap)
        sizes = plan.tgt_sizes
        rate = self.setting("rate", settings)
        return Visual(
            [picture],
            [plan],
            [[(0, number)] for number in range(len(sizes))],
            [[position.NO_TIME]] * len(sizes),
            [self.tokens_of([size], rate) for size in sizes],
        )

    def moving(self, source: Any, settings: dict[str, Any]) -> Visual:
        """One video: slice g of the frames of a group is a package."""
        video = as_video(
            source,
            fps=self.setting("video_fps", settings),
            packing=self.setting("video_packing", settings),
            most_packing=self.most_packing,
        )
        cap, rate = self.setting("video_max_slice_nums", settings), self.setting("rate", settings)
        pictures = [
            self.image_processor.picture(frame, f"frame {number}")
            for number, frame in enumerate(video.frames)
        ]
        plans = [
            self.image_processor.plan(*picture.size, max_slice_nums=cap) for picture in pictures
        ]
        return arranged_video(video, pictures, plans, lambda sizes: self.tokens_of(sizes, rate))

    def setting(self, name: str, settings: dict[str, Any]) -> Any:
        """A setting of this call, or the processor's own."""
        given = settings.get(name)
        return getattr(self, name) if given is None else given

    def tokens_of(self, sizes: list[tuple[int, int]], rate: int) -> int:
        """Visual tokens of one package."""
        return slicing.package_tokens(
            sizes, connector=self.connector, query_num=self.query_num, rate=rate
        )

    def expanded(
        self,
        texts: list[str],
        still: list[Visual],
        moving: list[Visual],
        images_per_text: list[int] | None = None,
    ) -> tuple[list[str], list[list[dict[str, Any]]], list[Visual]]:
        """The texts with room for the pictures, where that room is, and the pictures in order.

        Raises:
            ConfigError: another number of pictures or videos than the texts name.
        """
        counts = [sum(text.count(self.image_token) for text in texts)]
        counts.append(sum(text.count(self.video_token) for text in texts))
        _, replaced = self.get_text_with_replacements(
            list(texts), ["i"] * counts[0], ["v"] * counts[1]
        )
        kinds = [[part["type"] for part in row] for row in replaced]
        named = [[row.count(kind) for row in kinds] for kind in ("image", "video")]
        self.check_count("image", sum(named[0]), len(still))
        self.check_count("video", sum(named[1]), len(moving))
        for number, given in enumerate(images_per_text or []):
            self.check_count("image", named[0][number], given, f"text {number}")
        order = list(in_order(kinds, still, moving))
        stills = [
            self.still_text(visual, number) for kind, number, visual in order if kind == "image"
        ]
        videos = [self.video_text(visual) for kind, _, visual in order if kind == "video"]
        expanded, offsets = self.get_text_with_replacements(list(texts), stills, videos)
        return expanded, offsets, [visual for _, _, visual in order]

    def check_count(self, kind: str, named: int, given: int, where: str = "the text") -> None:
        """Refuse another number of pictures than a text names.

        Raises:
            ConfigError: the numbers differ.
        """
        if named != given:
            token = self.image_token if kind == "image" else self.video_token
            raise ConfigError(
                f"{where} names {named} {kind}s by {token}, but {given} were passed. "
                f"Where {token} is meant as text, {prompt.SANITIZE}"
            )

    def still_text(self, visual: Visual, number: int) -> str:
        """The room of a picture in its prompt."""
        return prompt.image_text(
            visual.plans[0].cols,
            visual.tokens,
            image_token=self.image_token,
            image_id=number if self.use_image_id else None,
        )

    def video_text(self, visual: Visual) -> str:
        """The room of a video in its prompt."""
        groups, start = [], 0
        while start < len(visual.packages):
            plan = visual.plans[visual.packages[start][0][0]]
            stop = start + len(plan.tgt_sizes)
            groups.append((plan.cols, visual.tokens[start:stop]))
            start = stop
        return prompt.video_text(groups, image_token=self.image_token)

    def batch(
        self, data: dict[str, Any], visuals: Sequence[Visual], settings: dict[str, Any]
    ) -> BatchFeature:
        """Text and pictures as one feature."""
        return_tensors = settings["text_kwargs"].get("return_tensors")
        if visuals:
            data.update(self.pixels(visuals, settings["images_kwargs"].get("do_normalize")))
        return BatchFeature(
            data, tensor_type=return_tensors, skip_tensor_conversion=self.skip_tensor_conversion
        )

    def pixels(self, visuals: Sequence[Visual], do_normalize: bool | None) -> dict[str, Any]:
        """Patches, sizes and packages of all pictures, in order."""
        pictures = [picture for visual in visuals for picture in visual.pictures]
        plans = [plan for visual in visuals for plan in visual.plans]
        patches = self.image_processor.patches(pictures, plans, do_normalize=do_normalize)
        sizes = sizes_array([size for plan in plans for size in plan.tgt_sizes])
        order = slice_order(visuals)
        if order != list(range(len(order))):
            patches, sizes = patches[order], sizes[order]
        data = {
            "pixel_values": patches,
            "tgt_sizes": sizes,
            "num_tiles": np.array(
                [sum(len(plan.tgt_sizes) for plan in visual.plans) for visual in visuals],
                dtype=np.int64,
            ),
        }
        times = [row for visual in visuals for row in visual.times]
        if any(time != position.NO_TIME for row in times for time in row):
            data["temporal_ids"] = times_array(times)
        return data

    def image_tokens(
        self,
        width_px: int,
        height_px: int,
        *,
        image_id: int = 0,
        rate: int = slicing.FULL,
        max_slice_nums: int | None = None,
    ) -> int:
        """Tokens that a picture of this size takes in a prompt, from its size alone.

        Args:
            width_px: of the upright picture.
            height_px: of the upright picture.
            image_id: its number in the prompt.
            rate: 1 or 4.
            max_slice_nums: in place of the configured one.
        """
        plan = self.image_processor.plan(width_px, height_px, max_slice_nums=max_slice_nums)
        visual = sum(self.tokens_of([size], rate) for size in plan.tgt_sizes)
        number = image_id if self.use_image_id else None
        return prompt.text_tokens(plan.cols, plan.rows, visual, image_id=number)


def per_text(images: Any, texts: list[str]) -> list[int] | None:
    """How many pictures each text is given, where they come as one list a text."""
    nested = isinstance(images, (list, tuple)) and len(images) == len(texts)
    if not nested or not all(isinstance(of_text, (list, tuple)) for of_text in images):
        return None
    return [len(flat(of_text)) for of_text in images]
