"""The compact-encoding model: pictures in few tokens, and a language model that reads them.

Pictures, videos and questions come in, text goes out. Importing this package registers the classes
with transformers' Auto classes (`auto`). In reading order:

- pixels: `slicing` (how a picture is cut), `picture` and `image_processing` (pixels to patches),
  `video`, `prompt` (what is asked, as text and as token ids), `settings` (what a call may set
  otherwise), `visual` (what stands for a picture in a prompt), `processing` (all of these: the
  processor);
- the network: `config`, `preset`; `segment` and `attention` (packed sequences), `varlen` (the same
  by one kernel call), `packed` (the language model's), `vision` (the tower), `position` and
  `connector`, `router`, `features` (what goes from one to the other), `modeling` (all of these:
  the model);
- on disk: `vocabulary` (the tokenizer), `create` (a new model), `weights` (from and to other
  layouts), `folder` and `load`; `cost` (what a model costs);
- at work: `question` (what any reader is asked), `reader` (a model that reads pages).

Only `slicing`, `folder` and most of `prompt` do without torch and transformers, which come with the
extra `train`.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("torch") and find_spec("transformers"):
    from .auto import register
    from .config import PagemillConfig, PagemillVisionConfig
    from .features import ImageFeatures
    from .image_processing import PagemillImageProcessor
    from .modeling import PagemillForConditionalGeneration
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
