"""`pagemill model …`: show, make, import, export and pack models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .extra import need_torch
from .option import add_json, add_out, add_seed, json_text
from .status import OK

LAYOUTS = ("minicpm-v-4.5", "siglip+qwen3")
PRESETS = "nano, small, base or minicpm-v-4.5"


def add_model(commands: Any) -> None:
    """The group `model` with its commands."""
    group = commands.add_parser(
        "model",
        help="show, make, import and export models",
        description="Models are Hugging Face models: from_pretrained and save_pretrained read and "
        "write the folders that these commands make. Needs the extra train.",
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    add_show(actions)
    add_new(actions)
    add_import(actions)
    add_export(actions)
    add_pack(actions)


def add_show(actions: Any) -> None:
    """`model show`."""
    command = actions.add_parser(
        "show", help="parts, parameters, tokens a page takes, FLOPs and memory"
    )
    command.add_argument(
        "model", metavar="PRESET|FOLDER", help=f"{PRESETS}, or a folder with a config.json"
    )
    add_json(command)
    command.set_defaults(command=run_show)


def add_new(actions: Any) -> None:
    """`model new`."""
    command = actions.add_parser("new", help="write a model with random weights and its processor")
    command.add_argument("preset", metavar="PRESET", help=PRESETS)
    add_out(command, "FOLDER", type=Path, help="folder of the model")
    command.add_argument(
        "--tokenizer", type=Path, metavar="FOLDER", help="in place of the one in the package"
    )
    command.add_argument(
        "--connector", choices=("resampler3d", "shuffle_mlp"), default="resampler3d"
    )
    command.add_argument("--router", action="store_true", help="with a router between two rates")
    add_seed(command, "the weights")
    command.add_argument("--dtype", default="float32", metavar="T", help="float32 or bfloat16")
    command.set_defaults(command=run_new)


def add_import(actions: Any) -> None:
    """`model import`."""
    command = actions.add_parser(
        "import",
        help="read a checkpoint in another layout",
        description="Copies tensor by tensor, without holding two copies, and names every one "
        "that is missing, has no place or another shape.",
    )
    command.add_argument(
        "source",
        metavar="PATH",
        nargs="+",
        type=Path,
        help="folder of the checkpoint; for siglip+qwen3 two: the tower, the language model",
    )
    command.add_argument("--from", dest="layout", choices=LAYOUTS, required=True)
    add_out(command, "FOLDER", type=Path, help="folder of the model")
    command.set_defaults(command=run_import)


def add_export(actions: Any) -> None:
    """`model export`."""
    command = actions.add_parser("export", help="write a model in the layout of a released one")
    command.add_argument("source", metavar="FOLDER", type=Path)
    command.add_argument("--to", dest="layout", choices=LAYOUTS[:1], default=LAYOUTS[0])
    add_out(command, "FOLDER", type=Path, help="folder of the checkpoint")
    command.set_defaults(command=run_export)


def add_pack(actions: Any) -> None:
    """`model pack`."""
    command = actions.add_parser(
        "pack",
        help="write a trained model in one type and in small files, to hand it on",
        description="Copies what from_pretrained reads, of a run its newest checkpoint.",
    )
    command.add_argument(
        "source", metavar="FOLDER|RUN", type=Path, help="folder of a model, a checkpoint, or a run"
    )
    add_out(command, "FOLDER", type=Path, help="folder of the model")
    command.add_argument(
        "--dtype", default="bfloat16", metavar="T", help="float32, float16 or bfloat16, the usual"
    )
    command.add_argument(
        "--shard-mb", type=float, default=16.0, metavar="N", help="most of one file; 16"
    )
    command.set_defaults(command=run_pack)


def run_show(arguments: argparse.Namespace) -> int:
    """Show a model; the exit status."""
    need_torch()
    from ..model.cost.summary import model_summary
    from .terminal.console import show
    from .terminal.model import model_view

    summary = model_summary(arguments.model)
    if arguments.json:
        print(json_text(summary.to_dict()))
    else:
        show(*model_view(summary))
    return OK


def run_new(arguments: argparse.Namespace) -> int:
    """Write a new model; the exit status."""
    need_torch()
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
    return OK


def run_import(arguments: argparse.Namespace) -> int:
    """Import a checkpoint; the exit status."""
    need_torch()
    from ..model.weights import import_checkpoint
    from .terminal.meter import Meter

    source = arguments.source if len(arguments.source) > 1 else arguments.source[0]
    with Meter("import") as meter:
        report = import_checkpoint(source, arguments.out, layout=arguments.layout, progress=meter)
    print(report.text())
    return OK


def run_export(arguments: argparse.Namespace) -> int:
    """Export a model; the exit status."""
    need_torch()
    from ..model.weights import export_checkpoint
    from .terminal.meter import Meter

    with Meter("export") as meter:
        report = export_checkpoint(
            arguments.source, arguments.out, layout=arguments.layout, progress=meter
        )
    print(report.text())
    return OK


def run_pack(arguments: argparse.Namespace) -> int:
    """Pack a model; the exit status."""
    need_torch()
    from ..model.folder import model_folder
    from ..model.weights import pack_model
    from .terminal.meter import Meter

    with Meter("pack") as meter:
        packed_bytes = pack_model(
            model_folder(arguments.source),
            arguments.out,
            dtype=arguments.dtype,
            shard_bytes=int(arguments.shard_mb * 1e6),
            progress=meter,
        )
    print(f"{packed_bytes / 1e6:,.1f} MB of weights in {arguments.dtype}: {arguments.out}")
    return OK
