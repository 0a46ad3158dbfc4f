"""Whether the whole way learns at all: nano learns the regions of 16 small pages by heart.

    python bench/memorise.py [--steps 400]

Pages are drawn here and built by `pagemill build`; a page is one slice. The plans of the first
epoch are used in every one. Afterwards the model reads the regions of these plans, and those of 16
pages that it never saw: what is learned by heart must not look like reading.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import sys
import tempfile
import time
from pathlib import Path

from pagemill.command.main import main as pagemill
from pagemill.corruption import Schedule
from pagemill.train.evaluate import EvalConfig, ModelReader, answer_cases, open_cases, summarize
from pagemill.train.log.run_log import StepProgress
from pagemill.train.recipe import Recipe, read_recipe
from pagemill.train.trainer import Trainer
from record import Measure, save

PAGES = 16
WIDTH_PT, HEIGHT_PT = 144, 192
"""288 x 384 px at 144 dpi: one slice of 336 px."""
LINES = 10
NOUNS = (
    "paper", "mill", "river", "wheel", "fibre", "sheet", "mould", "vat", "felt", "press", "rag",
    "linen", "hemp", "cotton", "water", "stone", "glue", "alum", "frame", "wire", "mark", "ream",
    "quire", "loft", "rope", "stamp", "trough", "beater", "lime", "straw",
)  # fmt: skip
VERBS = (
    "holds", "lifts", "turns", "dries", "folds", "weighs", "cuts", "soaks", "beats", "sorts",
    "counts", "hangs", "stirs", "drains", "couches", "sizes", "packs", "sells",
)  # fmt: skip
OWN, TARGETS = "its own", {"light": "<= 1", "moderate": "<= 5"}
RECIPE = """
steps = 100000
[model]
preset = "nano"
scale_resolution = 336
[data]
names = ["memory"]
workers = 0
[stream]
window_samples = 16
[stream.pack]
budget_tokens = 2560
budget_slices = 32
global_packs = 1
[stream.sample]
read_share = 0.0
plan_epochs = 1
[corruption.effect]
share = 0.0
[optim]
lr = 2e-3
weight_decay = 0.0
[lr_schedule]
kind = "wsd"
warmup = 0.02
decay = 0.3
final = 0.0
[parallel]
micro_packs = 1
threads = 1
[checkpoint]
every = 0
keep_best = 0
[eval]
at_end = false
"""


def main() -> None:
    """Draw, build, learn, read, write bench/results/memorise.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="of training; 400")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        corpora = [corpus(root, name, seed) for name, seed in (("seen", 1), ("unseen", 2))]
        (root / "recipe.toml").write_text(RECIPE)
        overrides = [f'data.corpora=["{corpora[0]}"]', f"steps={arguments.steps}"]
        (recipe,) = read_recipe(str(root / "recipe.toml"), overrides)
        began = time.monotonic()
        run = Trainer(recipe, root / "run", on_step=print_progress)
        result = run.train()
        minutes = (time.monotonic() - began) / 60
        measures = [Measure("training", "min", [minutes], "<= 10")]
        reader = ModelReader(run.backend.model, run.processor)
        for name, corpus_ in zip((OWN, "unseen"), corpora, strict=True):
            for asked, as_trained in (("asked as in training", True), ("any boxes", False)):
                summary = read(reader, recipe, corpus_, run.processor, as_trained)
                for level, figures in summary["levels"].items():
                    target = TARGETS.get(level, "") if name == OWN and as_trained else ""
                    cer = 100 * figures["cer"]["value"]
                    what = f"CER, {level}, {name} pages, {asked}"
                    print(f"{what}: {cer:.1f}% of {figures['cer']['n']} regions")
                    measures.append(Measure(what, "%", [cer], target))
        save(
            "memorise",
            "Learning 16 pages by heart",
            measures,
            notes=f"nano, {PAGES} pages of {2 * WIDTH_PT} x {2 * HEIGHT_PT} px, one slice each, "
            f"{result.step} steps on one core, the same plans in every epoch. Unseen pages have "
            "the same words in other lines.",
        )


def corpus(root: Path, name: str, seed: int) -> Path:
    """A corpus of small pages, built as users build theirs."""
    sys.modules.setdefault("pymupdf.layout", None)
    import pymupdf

    documents = root / f"{name}-pdf"
    documents.mkdir()
    rng = random.Random(seed)
    for number in range(PAGES):
        document = pymupdf.open()
        page = document.new_page(width=WIDTH_PT, height=HEIGHT_PT)
        for line in range(LINES):
            text = sentence(rng)
            page.insert_text((8, 20 + 17 * line), text, fontsize=9, fontname="helv")
        document.save(documents / f"{number:02d}.pdf")
    out = root / name
    with contextlib.redirect_stdout(io.StringIO()):
        if pagemill(["build", str(documents), "--out", str(out), "--set", "render.dpi=144"]):
            raise SystemExit(f"{documents}: the build failed")
    return out


def sentence(rng: random.Random) -> str:
    """A short line."""
    words = [rng.choice(NOUNS), rng.choice(VERBS), rng.choice(NOUNS), str(rng.randint(2, 99))]
    return " ".join(words[: rng.randint(3, 4)])


def read(
    reader: ModelReader, recipe: Recipe, corpus_: Path, processor: object, as_trained: bool
) -> dict:
    """Figures of the regions of a corpus's pages, by the plans that training uses."""
    config = EvalConfig(
        pages=PAGES, regions=64, read_pages=False, blind=False, seed=recipe.seed, split="train",
        as_trained=as_trained,
    )  # fmt: skip
    cases = open_cases(
        config, processor, [str(corpus_)], schedule=Schedule(config=recipe.corruption)
    )
    return summarize(answer_cases(reader, cases, config), config).to_dict()


def print_progress(progress: StepProgress) -> None:
    """A line now and then."""
    if progress.step % 20 == 0:
        text = f"step {progress.step} loss {progress.loss:.4f} {progress.tokens_per_s:.0f} tokens/s"
        print(text, flush=True)


if __name__ == "__main__":
    main()
