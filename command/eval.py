"""`pagemill eval`: how well models and OCR engines read the pages of a corpus."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import ConfigError
from .extra import need_torch
from .option import add_config, add_data, add_renamed, add_settings
from .status import FAULTS, OK, complain

if TYPE_CHECKING:
    from ..engine.failure import Failures
    from ..train.evaluate import Case, EvalConfig, Reader


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
    add_data(command, "corpus, or a folder of documents, of which one is built first; repeatable")
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
    add_settings(command, file="eval.toml", example="regions=8")
    add_config(command, "corruption.toml", option="--corruption", of="that plans are drawn by,")
    command.add_argument(
        "--json", type=Path, metavar="FILE", help="all figures and the samples kept, as JSON"
    )
    command.set_defaults(command=run_eval)


def run_eval(arguments: argparse.Namespace) -> int:
    """Measure readers and print their figures; the exit status."""
    need_torch()
    from ..engine.failure import Failures
    from ..train.evaluate import answer_cases, summarize
    from ..train.evaluate.case import FAILURES_IN_A_ROW
    from ..train.evaluate.summary import evaluation, write_json
    from .terminal.console import show_each
    from .terminal.evaluation import evaluation_notes, evaluation_table
    from .terminal.meter import Meter

    config = eval_config(arguments)
    readers = open_readers(arguments)
    if not readers and arguments.write_plans is None:
        raise ConfigError("nothing is evaluated: name a CHECKPOINT, --ocr, --model or several")
    unopened = Failures(FAILURES_IN_A_ROW)
    cases = planned_cases(arguments, config, readers, unopened)
    if not readers:
        for failure in unopened.failures:
            complain(f"pagemill: {failure}")
        return FAULTS if unopened.failures else OK
    summaries, evaluations = [], []
    for reader in readers:
        unanswered = Failures(FAILURES_IN_A_ROW)
        with Meter(reader.name, unit="answers") as meter:
            answers = answer_cases(reader, cases, config, meter, failures=unanswered)
        failures = [*unopened.failures, *unanswered.failures]
        summaries.append(summarize(answers, config, failures, reader=reader))
        evaluations.append(evaluation(summaries[-1], answers, None))
    show_each((*evaluation_table(summaries), "", *evaluation_notes(summaries)))
    if arguments.json is not None:
        write_json(arguments.json, evaluations)
    return FAULTS if any(summary.failures for summary in summaries) else OK


def eval_config(arguments: argparse.Namespace) -> EvalConfig:
    """The settings of an evaluation, from a file, `--set` and the other options."""
    from ..engine.config import load
    from ..train.evaluate import EvalConfig

    overrides = list(arguments.overrides)
    if arguments.pages is not None:
        overrides.append(f"pages={arguments.pages}")
    if arguments.plans is not None:
        overrides.append(f"plans={json.dumps(arguments.plans)}")
    if arguments.data:
        overrides.append(f"data={json.dumps([corpus_of(data) for data in arguments.data])}")
    config = load(EvalConfig, arguments.config, overrides)
    if config.plans and (arguments.pages is not None or arguments.write_plans is not None):
        raise ConfigError("a file of plans is taken whole: leave out --pages and --write-plans")
    if not config.data:
        raise ConfigError("the evaluation has no pages: name a corpus with --data")
    return config


def corpus_of(data: str) -> str:
    """The corpus that is named, or one built of the documents in a folder, kept in the cache."""
    folder = Path(data)
    if not folder.is_dir() or (folder / "corpus.json").is_file():
        return data
    from ..pipelines.build.cached import cached_corpus, files_of
    from .terminal.progress import BuildProgress

    complain(f"{data} is no corpus; one is built of its {len(files_of(folder)):,} files")
    with BuildProgress(stream=sys.stderr) as progress:
        return cached_corpus(folder, progress=progress)


def open_readers(arguments: argparse.Namespace) -> list[Reader]:
    """Everything that is to read, our model first."""
    from ..corruption.ocr import open_ocr
    from ..model.load import load_reader, quiet_transformers
    from ..train.evaluate.ocr import OcrReader
    from ..train.evaluate.transformers import TransformersReader

    quiet_transformers()
    readers: list[Reader] = [OcrReader(open_ocr(name)) for name in arguments.ocr]
    readers = [*(TransformersReader(name) for name in arguments.model), *readers]
    if arguments.checkpoint is not None:
        readers.insert(0, load_reader(arguments.checkpoint))
    return readers


def planned_cases(
    arguments: argparse.Namespace,
    config: EvalConfig,
    readers: list[Reader],
    failures: Failures,
) -> list[Case]:
    """The cases; their plans are written where that is asked for."""
    from ..corruption.schedule import CorruptionConfig, Schedule
    from ..engine.config import load
    from ..model.load import load_processor
    from ..train.evaluate import ModelReader, open_cases
    from ..train.evaluate.case import CORRUPTED
    from ..train.evaluate.plan import write_plans
    from .terminal.meter import Meter

    processors = [reader.processor for reader in readers if isinstance(reader, ModelReader)]
    schedule = Schedule(config=load(CorruptionConfig, arguments.corruption))
    with Meter("pages", unit="pages") as meter:
        cases = open_cases(
            config,
            processors[0] if processors else load_processor(),
            config.data,
            schedule=schedule,
            progress=meter,
            failures=failures,
        )
    if arguments.write_plans is not None:
        plans = [plan for case in cases if (plan := case.plans[CORRUPTED]) is not None]
        write_plans(arguments.write_plans, plans)
        print(f"{len(plans):,} plans: {arguments.write_plans}")
    return cases
