"""The configuration that a model's costs follow from: of a preset, or of a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError

from ...engine.errors import ConfigError
from ..config import PagemillConfig
from ..preset import PRESETS, preset


@dataclass(frozen=True, slots=True)
class SlicingSettings:
    """How pictures are prepared: the processor's settings that matter for their tokens."""

    max_slice_nums: int = 9
    scale_resolution: int = 448
    use_image_id: bool = True


def configuration_of(model: str, changes: dict[str, Any]) -> tuple[PagemillConfig, SlicingSettings]:
    """The configuration and the processor's settings of a preset or a folder.

    Raises:
        ConfigError: as `model_summary`.
    """
    if model in PRESETS:
        return preset(model, **changes), SlicingSettings()
    folder = Path(model)
    if not folder.is_dir():
        raise ConfigError(
            f"there is no preset and no folder {model!r}; presets are: {', '.join(PRESETS)}"
        )
    fields = read_object(folder / "config.json")
    if fields is None:
        raise ConfigError(f"{folder} has no config.json; presets are: {', '.join(PRESETS)}")
    kind = fields.get("model_type")
    if kind != PagemillConfig.model_type:
        raise ConfigError(
            f"{folder / 'config.json'} is of a model {kind!r}, not {PagemillConfig.model_type!r}: "
            "`pagemill model import` reads other layouts"
        )
    return checked_config(folder, {**fields, **changes}), slicing_settings(folder)


def checked_config(folder: Path, fields: dict[str, Any]) -> PagemillConfig:
    """The configuration with these fields.

    Raises:
        ConfigError: a value that is not allowed.
    """
    try:
        return PagemillConfig.from_dict(fields)
    except ConfigError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, StrictDataclassError) as err:
        raise ConfigError(
            f"{folder / 'config.json'} has a value that is not allowed: {err}"
        ) from err


def slicing_settings(folder: Path) -> SlicingSettings:
    """Settings of the processor in a folder, where there is one; else the defaults."""
    processor = read_object(folder / "processor_config.json") or {}
    images = (
        processor.get("image_processor") or read_object(folder / "preprocessor_config.json") or {}
    )
    default = SlicingSettings()
    return SlicingSettings(
        int(images.get("max_slice_nums", default.max_slice_nums)),
        int(images.get("scale_resolution", default.scale_resolution)),
        bool(processor.get("use_image_id", default.use_image_id)),
    )


def read_object(path: Path) -> dict[str, Any] | None:
    """A JSON object, None where there is no file.

    Raises:
        ConfigError: it is something else.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise ConfigError(f"{path} cannot be read: {err}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds a {type(content).__name__}, not an object")
    return content
