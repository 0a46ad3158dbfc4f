"""Recipes: a TOML file and `--set` overrides come in, the settings of each stage of a run go out.

In reading order: `config` (what a stage has), `read` (how a file becomes stages). The TOML files
beside them are the recipes that ship: demo, small, base, minicpm-v-4.5.
"""

from .config import PARTS, Recipe
from .read import SHIPPED, from_weights, read_recipe

__all__ = ["PARTS", "SHIPPED", "Recipe", "from_weights", "read_recipe"]
