"""The compact-encoding model: pictures in few tokens, and a language model that reads them.

Importing this package registers the classes with transformers' Auto classes. In reading order:
`slicing` (how a picture is cut), `picture` and `image_processing` (pixels to patches), `video`,
`prompt` (what is asked, as text and as token ids), `processing`; `config`, `preset`; `segment` and
`attention` (packed sequences), `packed` (the language model's), `vision` (the tower), `position`
and `connector`, `router`, `modeling`; `vocabulary` (the tokenizer), `weights` (from and to other
layouts), `cost`; `folder` and `load` (a model on disk), `question` and `reader` (a model that
reads pages). Only `slicing`, `folder` and most of `prompt` do without torch and transformers, which
come with the extra `train`.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("torch") and find_spec("transformers"):
    from .auto import register
    from .config import PagemillConfig, PagemillVisionConfig
    from .image_processing import PagemillImageProcessor
    from .modeling import ImageFeatures, PagemillForConditionalGeneration
    from .preset import preset
    from .processing import PagemillProcessor
    from .video import Video, read_video
    from .vision import PagemillVisionModel

    register()

    __all__ = [
        "ImageFeatures",
        "PagemillConfig",
        "PagemillForConditionalGeneration",
        "PagemillImageProcessor",
        "PagemillProcessor",
        "PagemillVisionConfig",
        "PagemillVisionModel",
        "Video",
        "preset",
        "read_video",
    ]
