"""A recipe's TOML file, its stages and `--set` overrides into one `Recipe` a stage.

    [[stage]]
    name = "read"
    trains = ["tower", "connector"]
    steps = 2000

Settings above the first `[[stage]]` hold for all stages; each stage is a run of its own that
starts with the weights of the one before. `--set optim.lr=1e-3` sets a key of every stage,
`--set read.optim.lr=1e-3` of the stage `read`.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ...engine.config import split_override, with_overrides
from ...engine.errors import ConfigError
from .config import Recipe

SHIPPED = ("demo", "small", "base", "minicpm-v-4.5")
"""Recipes in this package."""


def read_recipe(name: str, overrides: Sequence[str] = ()) -> tuple[Recipe, ...]:
    """The stages of a recipe.

    Args:
        name: path of a TOML file, or the name of a recipe in this package.
        overrides: `key=value` for all stages, `stage.key=value` for one.

    Raises:
        ConfigError: no such recipe, or as `engine.config.load`.
    """
    tree = read_toml(name)
    stages = tree.pop("stage", None) or [{}]
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise ConfigError(f"{name}: stages are written as [[stage]]")
    names = [str(stage.get("name", tree.get("name", "run"))) for stage in stages]
    check_stage_names(name, names)
    recipes = []
    for stage_name, stage in zip(names, stages, strict=True):
        settings = merge(tree, {**stage, "name": stage_name})
        chosen = stage_overrides(overrides, stage_name, names)
        recipes.append(with_overrides(Recipe, settings, chosen))
    return tuple(recipes)


def read_toml(name: str) -> dict[str, Any]:
    """The TOML of a recipe.

    Raises:
        ConfigError: there is no such file, or it is not TOML.
    """
    path = Path(name)
    if name in SHIPPED and not path.is_file():
        path = Path(__file__).parent / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise ConfigError(
            f"cannot read the recipe {name}: {err.strerror}. Name a TOML file, or one of: "
            f"{', '.join(SHIPPED)}"
        ) from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path} is not TOML: {err}") from err


def check_stage_names(recipe: str, names: Sequence[str]) -> None:
    """Refuse names of stages that `--set` could not tell apart.

    Raises:
        ConfigError: two are the same, or one is that of a section.
    """
    if len(set(names)) < len(names):
        raise ConfigError(f"{recipe}: two stages have the same name: {', '.join(names)}")
    sections = {field.name for field in fields(Recipe)}
    if clash := sections & set(names):
        raise ConfigError(f"{recipe}: {clash.pop()} is a section, so no stage can be named so")


def stage_overrides(overrides: Sequence[str], stage: str, names: Sequence[str]) -> list[str]:
    """The overrides that hold for a stage, without its name in front."""
    chosen = []
    for override in overrides:
        (first, *rest), value = split_override(override)
        if first not in names or not rest:
            chosen.append(override)
        elif first == stage:
            chosen.append(f"{'.'.join(rest)}={value}")
    return chosen


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees, `above` first where both have a value."""
    merged = copy.deepcopy(dict(below))
    for name, value in above.items():
        present = merged.get(name)
        if isinstance(value, Mapping) and isinstance(present, Mapping):
            merged[name] = merge(present, value)
        else:
            merged[name] = copy.deepcopy(value)
    return merged


def from_weights(recipe: Recipe, folder: Path) -> Recipe:
    """The same stage, begun with the weights in a folder."""
    return replace(recipe, model=replace(recipe.model, start=str(folder)))
