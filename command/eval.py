"""The commands `pagemill eval` and `pagemill read`: parse, call, print."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import ConfigError
from .extra import need_torch
from .option import add_renamed

if TYPE_CHECKING:
    from ..train.evaluate import Case, EvalConfig, Reader

FORM_FEED = "\f"


def add_eval(commands: Any) -> None:
    """The command `eval`."""
    command = commands.add_parser(
        "eval",
        help="measure how well models and OCR engines read the pages of a corpus",
        description="Asks for regions of every level and for whole pages, and prints error rates, "
        "exact matches and Jaccard with 95% intervals. Models are also asked blind, with a white "
        "page for a picture. docs/evaluate.md says how everything is counted. Needs the extra "
        "train.",
    )
    command.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        nargs="?",
        type=Path,
        help="folder of a model, of a checkpoint, or of a run, of which the newest is taken",
    )
    command.add_argument(
        "--data",
        metavar="CORPUS",
        action="append",
        default=[],
        help="corpus, or a folder of documents, of which one is built first; repeatable",
    )
    command.add_argument(
        "--ocr", metavar="E", action="append", default=[],
        help="also an OCR engine: tesseract or rapidocr; repeatable",
    )  # fmt: skip
    command.add_argument(
        "--model", metavar="M", action="append", default=[],
        help="also a model of transformers, by folder or name on the hub; repeatable",
    )  # fmt: skip
    add_renamed(command, "--engine", "--ocr")
    command.add_argument("--plans", metavar="FILE", help="frozen plans, in place of drawn ones")
    command.add_argument(
        "--write-plans", type=Path, metavar="FILE", help="write the plans; alone, nothing is read"
    )
    command.add_argument("--pages", type=int, metavar="N", help="pages at most; 64, 0 for all")
    command.add_argument("--config", type=Path, metavar="eval.toml", help="settings as TOML")
    command.add_argument(
        "--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[],
        help="one setting, such as regions=8 or split=test",
    )  # fmt: skip
    command.add_argument(
        "--corruption",
        type=Path,
        metavar="corruption.toml",
        help="settings that plans are drawn by",
    )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help="all figures and the samples kept, as JSON"
    )
    command.set_defaults(command=_eval)


def add_read(commands: Any) -> None:
    """The command `read`."""
    command = commands.add_parser(
        "read",
        help="print the text of PDFs and images, read by a model from their pixels",
        description="Reads page by page; a text layer is never used. Pages are parted by a form "
        "feed. Needs the extra train.",
    )
    command.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PDF or image")
    command.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="model, checkpoint or run; else that of "
        "this package",
    )  # fmt: skip
    command.add_argument(
        "--dpi", type=float, default=144.0, metavar="N", help="of the pictures; 144"
    )
    command.add_argument("--pages", metavar="P", help="such as 1-3,7; all without")
    command.add_argument(
        "--most-tokens", type=int, default=4096, metavar="N", help="of a page's text; 4096"
    )
    command.add_argument(
        "--batch", type=int, default=4, metavar="N", help="pages of a file read at once; 4"
    )
    command.add_argument(
        "--dtype", default="", metavar="T",
        help="float32, as a rule on a CPU, or bfloat16, faster on processors that compute it",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="one JSON object a page, one a line")
    command.set_defaults(command=_read)


def _eval(arguments: argparse.Namespace) -> int:
    need_torch()
    from ..train.evaluate import answer_cases, summarize
    from ..train.evaluate.summary import evaluation, write_json
    from ..train.evaluate.table import evaluation_notes, table
    from .terminal.meter import Meter

    config = _config(arguments)
    readers = _readers(arguments)
    if not readers and arguments.write_plans is None:
        raise ConfigError("nothing is evaluated: name a CHECKPOINT, --ocr, --model or several")
    cases = _cases(arguments, config, readers)
    if not readers:
        return 0
    summaries, told_all = [], []
    for reader in readers:
        meter = Meter(reader.name, sys.stderr, unit="answers")
        try:
            answers = answer_cases(reader, cases, config, meter)
        finally:
            meter.close()
        summaries.append(summarize(answers, config))
        told_all.append(evaluation(summaries[-1], answers, None))
    for line in (*table(summaries), "", *evaluation_notes(summaries)):
        print(line)
    if arguments.json is not None:
        write_json(arguments.json, told_all)
    return 0


def _config(arguments: argparse.Namespace) -> EvalConfig:
    """The settings of an evaluation, from a file, `--set` and the other options."""
    from ..engine.config import load
    from ..train.evaluate import EvalConfig

    overrides = list(arguments.overrides)
    if arguments.pages is not None:
        overrides.append(f"pages={arguments.pages}")
    if arguments.plans is not None:
        overrides.append(f"plans={json.dumps(arguments.plans)}")
    if arguments.data:
        overrides.append(f"data={json.dumps([corpus_of(one) for one in arguments.data])}")
    config = load(EvalConfig, arguments.config, overrides)
    if config.plans and (arguments.pages is not None or arguments.write_plans is not None):
        raise ConfigError("a file of plans is taken whole: leave out --pages and --write-plans")
    if not config.data:
        raise ConfigError("the evaluation has no pages: name a corpus with --data")
    return config


def corpus_of(data: str) -> str:
    """The corpus that is named, or one built of the documents in a folder, kept in the cache.

    The same documents give the same corpus, and its pages the same names wherever they lie.
    """
    folder = Path(data)
    if not folder.is_dir() or (folder / "corpus.json").is_file():
        return data
    from ..engine.key import keyed_hash
    from ..pipelines.build.config import BuildConfig
    from ..pipelines.build.run import build
    from ..train.stream.token_count import cache_dir
    from .terminal.progress import BuildProgress

    files = sorted(one for one in folder.rglob("*") if one.is_file())
    facts = [f"{one} {one.stat().st_size} {one.stat().st_mtime_ns}" for one in files]
    name = f"{keyed_hash('eval.corpus', str(folder.resolve()), *facts):016x}"
    out = cache_dir().parent / "corpora" / name
    print(f"{data} is no corpus; one is built of its {len(files):,} files", file=sys.stderr)
    with BuildProgress(stream=sys.stderr) as progress:
        build([data], str(out), BuildConfig(), progress=progress)
    return str(out)


def _readers(arguments: argparse.Namespace) -> list[Reader]:
    """Everything that is to read, our model first."""
    from ..corruption.ocr import open_ocr
    from ..train.evaluate.folder import load_reader, quiet
    from ..train.evaluate.ocr import OcrReader
    from ..train.evaluate.transformers import TransformersReader

    quiet()
    found: list[Reader] = [OcrReader(open_ocr(name)) for name in arguments.ocr]
    found = [*(TransformersReader(name) for name in arguments.model), *found]
    if arguments.checkpoint is not None:
        found.insert(0, load_reader(arguments.checkpoint))
    return found


def _cases(arguments: argparse.Namespace, config: EvalConfig, readers: list[Reader]) -> list[Case]:
    """The cases; their plans are written where that is asked for."""
    from ..corruption.schedule import CorruptionConfig, Schedule
    from ..engine.config import load
    from ..train.evaluate import ModelReader, open_cases
    from ..train.evaluate.case import CORRUPTED
    from ..train.evaluate.plan import write_plans
    from ..train.stream.inspect import load_processor
    from .terminal.meter import Meter

    own = [one.processor for one in readers if isinstance(one, ModelReader)]
    schedule = Schedule(config=load(CorruptionConfig, arguments.corruption))
    meter = Meter("pages", sys.stderr, unit="pages")
    try:
        cases = open_cases(
            config,
            own[0] if own else load_processor(None),
            config.data,
            schedule=schedule,
            progress=meter,
        )
    finally:
        meter.close()
    if arguments.write_plans is not None:
        plans = [plan for case in cases if (plan := case.plans[CORRUPTED]) is not None]
        write_plans(arguments.write_plans, plans)
        print(f"{len(plans):,} plans: {arguments.write_plans}")
    return cases


def _read(arguments: argparse.Namespace) -> int:
    need_torch()
    from ..serve.read.read import Pages, ReadFault, read_files
    from ..train.evaluate.folder import load_reader, quiet, shipped_folder

    pages = Pages.parse(arguments.pages) if arguments.pages else Pages()
    if arguments.most_tokens < 1:
        raise ConfigError(f"--most-tokens is {arguments.most_tokens}; it is at least 1")
    quiet()
    reader = load_reader(arguments.checkpoint or shipped_folder(), dtype=arguments.dtype)
    faults, printed = 0, 0
    for one in read_files(
        reader,
        arguments.files,
        dpi=arguments.dpi,
        pages=pages,
        most_tokens=arguments.most_tokens,
        batch=arguments.batch,
    ):
        if isinstance(one, ReadFault):
            faults += 1
            print(f"pagemill: {one}", file=sys.stderr, flush=True)
            continue
        if one.truncated:
            where = f"{one.path}, page {one.page_index + 1}"
            print(
                f"pagemill: {where}: cut off after {arguments.most_tokens} tokens", file=sys.stderr
            )
        if arguments.json:
            print(json.dumps(one.to_dict(), ensure_ascii=False), flush=True)
        else:
            print(f"{FORM_FEED if printed else ''}{one.text}", flush=True)
        printed += 1
    return 1 if faults else 0
