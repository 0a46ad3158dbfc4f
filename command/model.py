"""The commands `pagemill model …`: parse, call, print."""

from __future__ import annotations

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..engine.errors import DependencyError

LAYOUTS = ("minicpm-v-4.5", "siglip+qwen3")


def add_model(commands: Any) -> None:
    """The group `model` with its commands."""
    group = commands.add_parser(
        "model",
        help="show, make, import and export models",
        description="Models are Hugging Face models: from_pretrained and save_pretrained read and "
        "write the folders that these commands make. Needs the extra train.",
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    _add_show(actions)
    _add_new(actions)
    _add_import(actions)
    _add_export(actions)
    _add_pack(actions)


def _add_show(actions: Any) -> None:
    show = actions.add_parser(
        "show", help="parts, parameters, tokens a page takes, FLOPs and memory"
    )
    show.add_argument(
        "model",
        metavar="PRESET|FOLDER",
        help="nano, small, base, minicpm-v-4.5, or a folder with a config.json",
    )
    show.add_argument("--json", action="store_true", help="the same numbers for programs")
    show.set_defaults(command=_show)


def _add_new(actions: Any) -> None:
    new = actions.add_parser("new", help="write a model with random weights and its processor")
    new.add_argument("preset", metavar="PRESET", help="nano, small, base or minicpm-v-4.5")
    new.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    new.add_argument(
        "--tokenizer", type=Path, metavar="FOLDER", help="in place of the one in the package"
    )
    new.add_argument("--connector", choices=("resampler3d", "shuffle_mlp"), default="resampler3d")
    new.add_argument("--router", action="store_true", help="with a router between two rates")
    new.add_argument("--seed", type=int, default=0, metavar="N", help="of the weights; 0")
    new.add_argument("--dtype", default="float32", metavar="T", help="float32 or bfloat16")
    new.set_defaults(command=_new)


def _add_import(actions: Any) -> None:
    bring = actions.add_parser(
        "import",
        help="read a checkpoint in another layout",
        description="Copies tensor by tensor, without holding two copies, and names every one "
        "that is missing, has no place or another shape.",
    )
    bring.add_argument(
        "source",
        metavar="PATH",
        nargs="+",
        type=Path,
        help="folder of the checkpoint; for siglip+qwen3 two: the tower, the language model",
    )
    bring.add_argument("--from", dest="layout", choices=LAYOUTS, required=True)
    bring.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    bring.set_defaults(command=_import)


def _add_export(actions: Any) -> None:
    send = actions.add_parser("export", help="write a model in the layout of a released one")
    send.add_argument("source", metavar="FOLDER", type=Path)
    send.add_argument("--to", dest="layout", choices=LAYOUTS[:1], default=LAYOUTS[0])
    send.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    send.set_defaults(command=_export)


def _add_pack(actions: Any) -> None:
    pack = actions.add_parser(
        "pack",
        help="write a trained model in one type and in small files, to hand it on",
        description="Copies what from_pretrained reads, of a run its newest checkpoint.",
    )
    pack.add_argument(
        "source", metavar="FOLDER|RUN", type=Path, help="folder of a model, a checkpoint, or a run"
    )
    pack.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    pack.add_argument(
        "--dtype", default="bfloat16", metavar="T", help="float32, float16 or bfloat16, the usual"
    )
    pack.add_argument(
        "--shard-mb", type=float, default=16.0, metavar="N", help="most of one file; 16"
    )
    pack.set_defaults(command=_pack)


def _show(arguments: argparse.Namespace) -> int:
    _need_torch()
    from ..model.cost.show import facts, shown

    if arguments.json:
        print(json.dumps(facts(arguments.model), indent=2, ensure_ascii=False))
    else:
        print(shown(arguments.model))
    return 0


def _new(arguments: argparse.Namespace) -> int:
    _need_torch()
    from ..model.create import create

    model = create(
        arguments.preset,
        arguments.out,
        tokenizer=arguments.tokenizer,
        seed=arguments.seed,
        dtype=arguments.dtype,
        connector=arguments.connector,
        router=arguments.router,
    )
    print(f"{model.num_parameters() / 1e6:,.1f} million random parameters: {arguments.out}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    _need_torch()
    from ..model.weights import import_checkpoint
    from .terminal.meter import Meter

    source = arguments.source if len(arguments.source) > 1 else arguments.source[0]
    meter = Meter("import", sys.stderr)
    try:
        report = import_checkpoint(source, arguments.out, layout=arguments.layout, progress=meter)
    finally:
        meter.close()
    print(report.text())
    return 0


def _export(arguments: argparse.Namespace) -> int:
    _need_torch()
    from ..model.weights import export_checkpoint
    from .terminal.meter import Meter

    meter = Meter("export", sys.stderr)
    try:
        report = export_checkpoint(
            arguments.source, arguments.out, layout=arguments.layout, progress=meter
        )
    finally:
        meter.close()
    print(report.text())
    return 0


def _pack(arguments: argparse.Namespace) -> int:
    _need_torch()
    from ..model.weights import pack_model
    from ..train.evaluate.folder import model_folder
    from .terminal.meter import Meter

    meter = Meter("pack", sys.stderr)
    try:
        count = pack_model(
            model_folder(arguments.source),
            arguments.out,
            dtype=arguments.dtype,
            shard_bytes=int(arguments.shard_mb * 1e6),
            progress=meter,
        )
    finally:
        meter.close()
    print(f"{count / 1e6:,.1f} MB of weights in {arguments.dtype}: {arguments.out}")
    return 0


def _need_torch() -> None:
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise DependencyError(f"models need {' and '.join(missing)}: pip install 'pagemill[train]'")
