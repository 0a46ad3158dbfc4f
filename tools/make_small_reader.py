"""Make the small reader: typeset its pages, train it, pack it.

python tools/make_small_data.py out/small-data     once, with a network
python tools/make_small_reader.py --out out/reader --minutes 9
python tools/make_small_reader.py --out out/reader --minutes 9     goes on where it stopped

Three corpora are made of texts and fonts: lines, blocks, and pages of all kinds. While the lines
are learned, the others are typeset. Every part goes on after an interruption; what is done is not
done again. Needs neither a network nor Ray nor a PDF backend, and works on a CPU as well (slowly).
The packed model is in OUT/packed; --install puts it where `pagemill read` looks for it.
"""

from __future__ import annotations

import argparse
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = ROOT / "model" / "pretrained" / "small"
STOPPED = 130

OTHER_KINDS = ("line", "block", "prose", "table", "form", "receipt", "invoice", "letter", "slide")
CORPORA: dict[str, tuple[str, ...]] = {
    "lines": (
        *(f"kind.{kind}=0" for kind in OTHER_KINDS if kind != "line"),
        "look.max_line_words=8",
        "look.min_x_height_px=6",
        "look.max_x_height_px=24",
    ),
    "blocks": tuple(f"kind.{kind}=0" for kind in OTHER_KINDS if kind != "block"),
    "pages": (
        "kind.line=0.2", "kind.block=0.15", "kind.prose=0.25", "kind.table=0.1", "kind.form=0.1",
        "kind.receipt=0.07", "kind.invoice=0.06", "kind.letter=0.05", "kind.slide=0.02",
    ),
}  # fmt: skip
"""Settings of `pagemill typeset` for each corpus."""

LEARNED_FROM = {
    "lines": ["lines"],
    "blocks": ["blocks"],
    "pages": ["pages", "blocks"],
    "decay": ["pages", "blocks"],
}
"""The corpora of each stage of the recipe `small`; the first one is what its evaluation reads."""
WEIGHTS = {"pages": [0.7, 0.3], "decay": [0.8, 0.2]}


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 130 where the time was up before the model was trained."""
    status = make_reader(parse(argv))
    if status == STOPPED:
        print("The time was up. The same command goes on from here.")
    return status


def make_reader(arguments: argparse.Namespace) -> int:
    """Typeset, train, pack; 130 where the time was up before."""
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else math.inf
    out: Path = arguments.out
    data: Path = arguments.data
    if not (data / "manifest.json").is_file():
        script = Path(__file__).with_name("make_small_data.py")
        run([sys.executable, str(script), str(data)])
    pages_of = {"lines": arguments.lines, "blocks": arguments.blocks, "pages": arguments.pages}
    run(typeset(data, out, "lines", pages_of["lines"], arguments))
    others = ("blocks", "pages")
    started = all((out / name / "corpus.json").is_file() for name in others)
    later = [shlex.join(typeset(data, out, name, pages_of[name], arguments)) for name in others]
    if not started:  # tokens are counted once: while lines are learned, not when pages are needed
        counts = [[sys.executable, "-m", "pagemill", "stream", str(out / name)] for name in others]
        later += [f"{shlex.join([*words, '--steps', '1'])} > {os.devnull}" for words in counts]
    with background(later) as typesetting:
        if not started and train(out, ["lines"], until, arguments) == STOPPED:
            return STOPPED
        if typesetting.wait():
            raise SystemExit("the pages could not be typeset: see above")
    if train(out, list(LEARNED_FROM), until, arguments) == STOPPED:
        return STOPPED
    pack(out, install=arguments.install)
    return 0


@contextmanager
def background(commands: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run commands one after the other beside what is inside; what still runs then is ended."""
    running = subprocess.Popen(" && ".join(commands), shell=True, start_new_session=True)
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait()


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out/reader"), metavar="FOLDER")
    parser.add_argument("--data", type=Path, default=Path("out/small-data"), metavar="FOLDER")
    parser.add_argument("--recipe", default="small", help="with the stages of `small`")
    parser.add_argument("--minutes", type=float, default=0.0, metavar="M", help="0 for no limit")
    parser.add_argument("--lines", type=int, default=100_000, metavar="N", help="single lines")
    parser.add_argument("--blocks", type=int, default=150_000, metavar="N", help="paragraphs")
    parser.add_argument("--pages", type=int, default=30_000, metavar="N", help="pages")
    parser.add_argument("--held-out", type=int, default=400, metavar="N", help="of each corpus")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="to typeset; 0: all")
    parser.add_argument(
        "--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[],
        help="a setting of the training, such as lines.steps=300",
    )  # fmt: skip
    parser.add_argument("--install", action="store_true", help="put it into model/pretrained/small")
    return parser.parse_args(argv)


def typeset(
    data: Path, out: Path, name: str, pages: int, arguments: argparse.Namespace
) -> list[str]:
    """The command that makes one of the corpora, or goes on with it."""
    words = [sys.executable, "-m", "pagemill", "typeset", str(data), "--out", str(out / name)]
    words += ["--pages", str(pages), "--held-out", str(arguments.held_out)]
    if arguments.workers:
        words += ["--workers", str(arguments.workers)]
    return [*words, *options("--set", CORPORA[name])]


def options(flag: str, values: Iterable[str]) -> list[str]:
    """The same option once for each value."""
    return [word for value in values for word in (flag, value)]


def train(out: Path, stages: list[str], until: float, arguments: argparse.Namespace) -> int:
    """Train some stages, or go on; 0 when they are done, 130 when the time is up."""
    words = [sys.executable, "-m", "pagemill", "train", arguments.recipe, "--resume"]
    words += ["--out", str(out / "run"), *options("--stage", stages)]
    for stage, corpora in LEARNED_FROM.items():
        names = ", ".join(f'"{out / corpus}"' for corpus in corpora)
        words += ["--set", f"{stage}.data.corpora=[{names}]"]
        words += ["--set", f"{stage}.data.names={corpora}".replace("'", '"')]
        words += ["--set", f'{stage}.eval.data=["{out / corpora[0]}"]']
        if stage in WEIGHTS:
            words += ["--set", f"{stage}.data.weights={WEIGHTS[stage]}"]
    words += options("--set", arguments.overrides)
    if until < math.inf:
        left = (until - time.monotonic()) / 60
        if left <= 0:
            return STOPPED
        words += ["--minutes", f"{left:.3f}"]
    return run(words, allowed=(0, STOPPED))


def pack(out: Path, *, install: bool) -> None:
    """Write the newest weights in bfloat16 and small files, and into the package if asked to."""
    packed = out / "packed"
    shutil.rmtree(packed, ignore_errors=True)
    run([sys.executable, "-m", "pagemill", "model", "pack", str(out / "run"), "--out", str(packed)])
    run([sys.executable, "-m", "pagemill", "report", str(out / "run")])
    print(f"packed: {packed}")
    print(f"measure it: python bench/reader.py {out / 'pages'} --model {packed}")
    if install:
        shutil.rmtree(INSTALLED, ignore_errors=True)
        shutil.copytree(packed, INSTALLED)
        print(f"installed: {INSTALLED}")


def run(words: list[str], allowed: tuple[int, ...] = (0,)) -> int:
    """Run a command; its status.

    Raises:
        SystemExit: another status than those allowed.
    """
    print("$ " + shlex.join(words), flush=True)
    status = subprocess.run(words, check=False).returncode
    if status not in allowed:
        raise SystemExit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
