"""Recipe files: one of two stages, and one of a run that takes seconds."""

from __future__ import annotations

from pathlib import Path

TWO_STAGES = """
steps = 7
seed = 3
[optim]
lr = 1e-3
clip = 0.5
[[stage]]
name = "align"
trains = ["connector"]
optim = { lr = 2e-3 }
[[stage]]
name = "joint"
steps = 9
"""
SMALL = """
steps = {steps}
[model]
preset = "nano"
scale_resolution = 84
max_slice_nums = 3
[data]
corpora = ["{corpus}"]
names = ["scans"]
workers = 0
[stream]
window_samples = 32
[stream.pack]
budget_tokens = 1024
budget_slices = 24
global_packs = 4
"""


def write_two_stages(folder: Path) -> str:
    """The path of a recipe with the stages `align` and `joint`."""
    path = folder / "two.toml"
    path.write_text(TWO_STAGES)
    return str(path)


def write_small_recipe(folder: Path, corpus: str, steps: int, more: str) -> str:
    """The path of a recipe of the smallest model on a corpus, with further sections."""
    path = folder / f"small-{steps}.toml"
    path.write_text(SMALL.format(steps=steps, corpus=corpus) + more)
    return str(path)
