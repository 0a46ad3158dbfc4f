"""Makes transformers' Auto classes know ours: `AutoModelForImageTextToText.from_pretrained(…)`."""

from __future__ import annotations

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForImageTextToText,
    AutoProcessor,
)

from . import packed
from .config import PagemillConfig, PagemillVisionConfig
from .image_processing import PagemillImageProcessor
from .modeling import PagemillForConditionalGeneration
from .processing import PagemillProcessor
from .vision import PagemillVisionModel


def register() -> None:
    """Register every class under its model type; once more does no harm."""
    AutoConfig.register(PagemillConfig.model_type, PagemillConfig, exist_ok=True)
    AutoConfig.register(PagemillVisionConfig.model_type, PagemillVisionConfig, exist_ok=True)
    AutoModel.register(PagemillVisionConfig, PagemillVisionModel, exist_ok=True)
    AutoModelForImageTextToText.register(
        PagemillConfig, PagemillForConditionalGeneration, exist_ok=True
    )
    AutoImageProcessor.register(
        PagemillConfig, image_processor_classes={"pil": PagemillImageProcessor}, exist_ok=True
    )
    AutoProcessor.register(PagemillConfig, PagemillProcessor, exist_ok=True)
    packed.register()
