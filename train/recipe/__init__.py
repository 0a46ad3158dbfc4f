"""Recipes: `recipe` the settings of a run and how a TOML file becomes stages; the files beside it
are those that ship.
"""

from .recipe import PARTS, SHIPPED, Recipe, from_weights, one_stage, read_recipe

__all__ = ["PARTS", "SHIPPED", "Recipe", "from_weights", "one_stage", "read_recipe"]
