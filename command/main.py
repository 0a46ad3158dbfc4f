"""The command `pagemill`: parse, call, print. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from .. import __version__
from ..engine.errors import ConfigError, DependencyError, PagemillError
from .eval import add_eval, add_read
from .model import add_model
from .report import add_report
from .stream import add_stream
from .train import add_train
from .typeset import add_typeset

if TYPE_CHECKING:
    from ..pipelines.build.run import BuildResult, Machine

OK, FAULTS, USAGE, INTERRUPTED = 0, 1, 2, 130

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="pagemill: %(message)s")
    signal.signal(signal.SIGTERM, _interrupt)
    command: Command = arguments.command
    try:
        return command(arguments)
    except (ConfigError, DependencyError) as err:
        _say(f"pagemill: {err}")
        return USAGE
    except PagemillError as err:
        _say(f"pagemill: {err}")
        return FAULTS
    except KeyboardInterrupt:
        _say("pagemill: stopped")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return OK


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="pagemill",
        description="Dumps of PDFs into verified WebDataset corpora, and models that read them.",
        epilog="Exit status: 0 done and every page accounted for, 1 nothing usable or faults "
        "found, 2 wrong usage or configuration, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"pagemill {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _add_build(commands)
    _add_retry(commands)
    _add_explain(commands)
    _add_verify(commands)
    _add_stats(commands)
    _add_preview(commands)
    _add_calibrate(commands)
    _add_config(commands)
    add_model(commands)
    add_report(commands)
    add_stream(commands)
    add_eval(commands)
    add_read(commands)
    add_train(commands)
    add_typeset(commands)
    return top


def _add_build(commands: Any) -> None:
    build = commands.add_parser(
        "build",
        help="make a corpus of PDFs and scans, go on with one, or add to one",
        description="Read documents and write a corpus. The same command again goes on after an "
        "interruption; with more inputs it adds them.",
    )
    build.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="PDF or image file, folder, glob, zip or tar, @list.txt, or URI such as s3://...",
    )
    build.add_argument("--out", required=True, metavar="CORPUS", help="folder or URI to write")
    _add_settings(build)
    _add_machine(build)
    build.add_argument(
        "--rebuild", action="store_true", help="throw away the corpus that is there first"
    )
    build.set_defaults(command=_build)


def _add_retry(commands: Any) -> None:
    retry = commands.add_parser("retry", help="read again what failed, and only that")
    retry.add_argument("corpus", metavar="CORPUS")
    retry.add_argument("--reason", metavar="R", help="only failures with this reason")
    retry.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another limit, such as limits.page_deadline_s=120",
    )
    _add_machine(retry)
    retry.set_defaults(command=_retry)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser("explain", help="the fate of a page or document, with evidence")
    explain.add_argument("corpus", metavar="CORPUS")
    explain.add_argument("key", metavar="KEY|FILE", nargs="?", help="page key, hash or file name")
    explain.add_argument("--status", choices=("written", "rejected", "failed"))
    explain.add_argument("--reason", metavar="R")
    explain.add_argument("--json", action="store_true")
    explain.set_defaults(command=_explain)


def _add_verify(commands: Any) -> None:
    verify = commands.add_parser("verify", help="re-read everything and name every fault")
    verify.add_argument("corpus", metavar="CORPUS")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(command=_verify)


def _add_stats(commands: Any) -> None:
    stats = commands.add_parser("stats", help="totals, reasons, verdicts")
    stats.add_argument("corpus", metavar="CORPUS")
    stats.add_argument("--json", action="store_true")
    stats.set_defaults(command=_stats)


def _add_preview(commands: Any) -> None:
    preview = commands.add_parser(
        "preview",
        help="show what corruption makes of a corpus, as one HTML page",
        description="Whole pages with their regions, levels and targets; every operator at every "
        "severity with the error rate measured for it; and a check that masks leak nothing.",
    )
    preview.add_argument("corpus", metavar="CORPUS", help="folder or URI")
    preview.add_argument(
        "--out", type=Path, default=Path("preview.html"), metavar="FILE", help="preview.html"
    )
    preview.add_argument("--level", metavar="L", help="clean, light, moderate or heavy")
    preview.add_argument("--operator", metavar="O", help="one operator, on several lines")
    preview.add_argument("--key", metavar="K", help="one page of the corpus")
    preview.add_argument("--pages", type=_count, default=3, metavar="N", help="pages to show; 3")
    preview.add_argument("--seed", type=int, default=0, metavar="N", help="of the plans; 0")
    _add_settings(
        preview, "corruption.toml", "region.most=20", "`pagemill config corruption` lists them"
    )
    preview.set_defaults(command=_preview)


def _add_calibrate(commands: Any) -> None:
    calibrate = commands.add_parser(
        "calibrate",
        help="measure with OCR engines what each severity does to reading",
        description="Reads lines of a corpus at every severity of every operator and writes the "
        "table that levels are defined by. A stopped run goes on where it was.",
    )
    calibrate.add_argument("corpus", metavar="CORPUS", help="folder or URI")
    calibrate.add_argument("--out", type=Path, required=True, metavar="severity.json")
    calibrate.add_argument(
        "--engines", default="tesseract,rapidocr", metavar="A,B", help="tesseract, rapidocr"
    )
    calibrate.add_argument(
        "--lines", type=_count, default=40, metavar="N", help="lines an operator and x-height; 40"
    )
    calibrate.add_argument("--seed", type=int, default=0, metavar="N", help="of the noise; 0")
    calibrate.add_argument(
        "--workers", type=_count, default=0, metavar="N", help="reading processes; one a CPU"
    )
    calibrate.add_argument("--address", metavar="auto|ray://HOST:PORT", help="a Ray cluster")
    calibrate.set_defaults(command=_calibrate)


def _add_config(commands: Any) -> None:
    config = commands.add_parser("config", help="print all settings with their meaning")
    config.add_argument(
        "of",
        nargs="?",
        choices=("build", "corruption", "stream", "train"),
        default="build",
        metavar="build|corruption|stream|train",
    )
    _add_settings(config)
    config.set_defaults(command=_config)


def _add_settings(
    command: argparse.ArgumentParser,
    file: str = "build.toml",
    example: str = "render.dpi=144",
    listed: str = "`pagemill config` lists them",
) -> None:
    command.add_argument("--config", type=Path, metavar=file, help="settings as TOML")
    command.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help=f"one setting, such as {example}; {listed}",
    )


def _add_machine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workers", type=_count, default=0, metavar="N", help="reader processes; one a CPU"
    )
    command.add_argument(
        "--address", metavar="auto|ray://HOST:PORT", help="a Ray cluster; else Ray starts here"
    )
    command.add_argument(
        "--wheel", type=Path, metavar="FILE", help="pagemill's wheel, for nodes that lack it"
    )
    command.add_argument(
        "--passwords",
        type=Path,
        metavar="FILE",
        help="one password a line, or PATTERN<tab>PASSWORD for documents of that name",
    )


def _build(arguments: argparse.Namespace) -> int:
    from ..engine.config import load
    from ..pipelines.build.config import BuildConfig
    from ..pipelines.build.run import build
    from .terminal.progress import BuildProgress

    config = load(BuildConfig, arguments.config, arguments.overrides)
    passwords = _passwords(arguments.passwords)
    with BuildProgress(stream=sys.stderr) as progress:
        try:
            outcome = build(
                arguments.inputs,
                arguments.out,
                config,
                machine=_machine(arguments),
                passwords=passwords,
                rebuild=arguments.rebuild,
                progress=progress,
            )
        except KeyboardInterrupt:
            return _stopped(progress.note)
    return _conclude(outcome, arguments.out, "Every input is in the corpus already.")


def _retry(arguments: argparse.Namespace) -> int:
    from ..engine.reason import Reason
    from ..pipelines.build.retry import retry
    from .terminal.progress import BuildProgress

    if arguments.reason is not None and arguments.reason not in set(Reason):
        raise ConfigError(_unknown_reason(arguments.reason))
    passwords = _passwords(arguments.passwords)
    with BuildProgress(stream=sys.stderr) as progress:
        try:
            outcome = retry(
                arguments.corpus,
                reason=arguments.reason,
                overrides=arguments.overrides,
                machine=_machine(arguments),
                passwords=passwords,
                progress=progress,
            )
        except KeyboardInterrupt:
            return _stopped(progress.note)
    return _conclude(outcome, arguments.corpus, "Nothing failed that could be tried again.")


def _explain(arguments: argparse.Namespace) -> int:
    from ..engine.store.explain import explain_key, explain_rows, row_dict
    from ..engine.store.ledger import to_rows
    from ..engine.store.place import Place
    from .terminal.ledger import explanation_text, rows_text, wants_colour

    place = Place.at(arguments.corpus)
    colour = wants_colour(sys.stdout)
    if arguments.key:
        told = explain_key(place, arguments.key)
        print(_json(told.to_dict()) if arguments.json else explanation_text(told, colour=colour))
    elif arguments.status or arguments.reason:
        rows = to_rows(explain_rows(place, status=arguments.status, reason=arguments.reason))
        if arguments.json:
            print(_json([row_dict(row) for row in rows]))
        else:
            for line in rows_text(rows, colour=colour):
                print(line)
    else:
        raise ConfigError("explain takes a page key, a hash or file name, or --status or --reason")
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    from ..engine.store.place import Place
    from ..engine.verify.corpus import verify
    from .terminal.meter import Meter

    meter = Meter("verify", sys.stderr)
    try:
        faults = verify(Place.at(arguments.corpus), progress=meter)
    finally:
        meter.close()
    if arguments.json:
        rows = [
            {"shard": f.shard, "key": f.key, "kind": str(f.kind), "message": f.message}
            for f in faults
        ]
        print(_json({"faults": rows}))
    else:
        for fault in faults:
            where = " ".join(part for part in (fault.shard, fault.key) if part)
            print(f"{where or arguments.corpus}: {fault.kind}: {fault.message}")
        print(f"{len(faults)} faults" if faults else "No faults: every byte is as it was written.")
    return FAULTS if faults else OK


def _stats(arguments: argparse.Namespace) -> int:
    from ..engine.store.corpus import CorpusInfo
    from ..engine.store.ledger import read_rows, summarize
    from ..engine.store.place import Place
    from .terminal.ledger import stats_text, wants_colour

    place = Place.at(arguments.corpus)
    info = CorpusInfo.load(place)
    summary = summarize(read_rows(place))
    if arguments.json:
        print(_json({"status": info.status, **summary.to_dict()}))
    else:
        print(stats_text(summary, colour=wants_colour(sys.stdout)))
        if info.status == "building":
            print("The build is not finished: run the same command again to go on.")
    return OK


def _preview(arguments: argparse.Namespace) -> int:
    from ..corruption.schedule import CorruptionConfig, Schedule
    from ..engine.config import load
    from ..engine.store.place import Place
    from ..report.corruption.write import write_preview

    config = load(CorruptionConfig, arguments.config, arguments.overrides)
    shown = write_preview(
        Place.at(arguments.corpus),
        arguments.out,
        schedule=Schedule(config=config),
        seed=arguments.seed,
        level=arguments.level,
        operator=arguments.operator,
        key=arguments.key,
        pages=arguments.pages,
    )
    for leak in shown.leaks:
        print(leak)
    print(f"preview: {arguments.out}")
    return FAULTS if shown.leaks else OK


def _calibrate(arguments: argparse.Namespace) -> int:
    from ..engine.store.place import Place
    from ..pipelines.calibrate.run import Calibration, calibrate
    from .terminal.meter import Meter

    how = Calibration(
        engines=tuple(arguments.engines.split(",")),
        lines=arguments.lines,
        seed=arguments.seed,
        workers=arguments.workers,
        address=arguments.address,
        command=f"pagemill calibrate {Path(arguments.corpus).name} --engines {arguments.engines} "
        f"--lines {arguments.lines} --seed {arguments.seed}",
    )
    meter = Meter("calibrate", sys.stderr, unit="lines")
    try:
        table = calibrate(Place.at(arguments.corpus), arguments.out, how, meter)
    except KeyboardInterrupt:
        meter.close()
        return _stopped(_say)
    finally:
        meter.close()
    header = table.header
    print(
        f"{header['readings']:,} readings of {header['lines']:,} lines from "
        f"{header['documents']} documents: {arguments.out}"
    )
    return OK


def _config(arguments: argparse.Namespace) -> int:
    from ..engine.config import load, to_toml
    from ..pipelines.build.config import BuildConfig

    kinds: dict[str, type[object]] = {"build": BuildConfig}
    if arguments.of == "corruption":
        from ..corruption.schedule import CorruptionConfig

        kinds["corruption"] = CorruptionConfig
    if arguments.of == "stream":
        from .stream import need_torch

        need_torch()
        from ..train.stream.stream import StreamConfig

        kinds["stream"] = StreamConfig
    if arguments.of == "train":
        from .train import recipe_text

        print(recipe_text(arguments.config, arguments.overrides), end="")
        return OK
    kind = kinds[arguments.of]
    print(to_toml(load(kind, arguments.config, arguments.overrides)), end="")
    return OK


def _conclude(outcome: BuildResult, corpus: str, idle: str) -> int:
    """Draw the report of what a run changed and say how it ended; its exit status."""
    from ..engine.store.place import Place
    from ..report.corpus import write_corpus_report
    from .terminal.ledger import stats_text, wants_colour

    if not outcome.documents:
        print(idle)
    print(stats_text(outcome.summary, colour=wants_colour(sys.stdout)))
    if outcome.documents:
        print(f"report: {write_corpus_report(Place.at(corpus))}")
    if outcome.summary.pages["written"]:
        return OK
    _say("pagemill: no page was written; the reasons are above, and `pagemill explain` has more")
    return FAULTS


def _stopped(note: Callable[[str], None]) -> int:
    note("Stopped. What was read is kept: the same command again goes on from here.")
    return INTERRUPTED


def _machine(arguments: argparse.Namespace) -> Machine:
    from ..pipelines.build.run import Machine

    if arguments.wheel is not None and not arguments.wheel.is_file():
        raise ConfigError(f"--wheel: there is no file {arguments.wheel}")
    return Machine(workers=arguments.workers, address=arguments.address, wheel=arguments.wheel)


def _passwords(path: Path | None) -> list[tuple[str, str]]:
    """(pattern of document names, password) pairs from a file."""
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"--passwords: cannot read {path}: {err}") from err
    pairs = (line.rpartition("\t") for line in lines if line)
    return [(pattern or "*", password) for pattern, _, password in pairs]


def _unknown_reason(given: str) -> str:
    import difflib

    from ..engine.reason import Reason

    known = [str(reason) for reason in Reason]
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.0)[0]
    return f"there is no reason {given!r}; the nearest is {near!r}"


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of workers")
    return value


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
