"""What a model is and what it costs, on one page: `pagemill model show PRESET|FOLDER`.

Everything follows from the configuration; no weights are read or made. `facts` has the numbers,
`shown` writes them out in at most 100 columns.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError

from ...engine.errors import ConfigError
from .. import slicing
from ..config import PagemillConfig
from ..preset import PRESETS, preset
from ..prompt import image_token as prompt
from .flops import Flops, forward_flops, generation_flops
from .memory import memory
from .size import language, parameters

ANSWER_TOKENS = 500
"""Length of the answer that FLOPs and activations are given for."""
CACHE_TOKENS = 1_000
FRAMES_A_PACKAGE = 6
COLUMNS = 100

PARTS = {
    "tower": "tower",
    "connector": "connector",
    "router": "router",
    "embeddings": "embeddings",
    "layers": "language model",
    "head": "head",
}
"""Parts with parameters, and how the page calls them."""
POSITIONS = {"interpolate": "interpolated from", "bucket": "looked up in"}
STATE = {
    "weights_bytes": "weights",
    "gradients_bytes": "gradients",
    "master_bytes": "fp32 copy of the weights",
    "moments_bytes": "moments of AdamW",
    "state_bytes": "state in all",
    "activations_bytes": "activations",
    "activations_checkpointing_bytes": "activations with checkpointing",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to look at."""

    name: str
    width_px: int
    height_px: int
    frames: int = 1
    """More than one for a video."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How pictures are prepared: the processor's settings that matter for their tokens."""

    max_slice_nums: int = 9
    scale_resolution: int = 448
    use_image_id: bool = True


PAGE = Subject("A4 144 dpi", 1190, 1684)
"""The page that activations are given for."""
SUBJECTS = (
    Subject("A4 72 dpi", 595, 842),
    Subject("A4 100 dpi", 826, 1169),
    PAGE,
    Subject("A4 200 dpi", 1653, 2339),
    Subject("A4 300 dpi", 2479, 3508),
    Subject("Letter 144 dpi", 1224, 1584),
    Subject("receipt 144 dpi", 454, 1684),
    Subject("square", 448, 448),
    Subject("video 60 frames", 1280, 720, 60),
)
"""A4 as PDFs have it, 595 by 842 points: an aspect a hair wider, 1191 by 1684 px, is cut 3 by 3."""
HEADINGS = (
    ("", "picture"),
    ("", "pixels"),
    ("", "grid"),
    ("visual", "tokens"),
    ("at a", "quarter"),
    ("in the", "prompt"),
    ("", "patches"),
    ("patches", "a token"),
    ("FLOPs of", "prefill"),
    ("FLOPs per", "new token"),
)
"""Of the table of pictures, in two lines."""


def facts(model: str, **changes: Any) -> dict[str, Any]:
    """The numbers of the page: plain types, bytes, FLOPs and parameters as whole numbers.

    Args:
        model: a preset or a folder with a config.json; a preset goes before a folder of its name.
        **changes: fields of `PagemillConfig` to set otherwise, such as `connector`.

    Raises:
        ConfigError: there is no such preset or folder, or it is not one of our models.
    """
    config, settings = configured(str(model), changes)
    return {
        "model": str(model),
        "parameters": parameters(config),
        "tower": tower_facts(config),
        "connector": connector_facts(config),
        "router": {"threshold": config.router_threshold} if config.router else None,
        "language_model": language_facts(config),
        "slicing": asdict(settings),
        "answer_tokens": ANSWER_TOKENS,
        "frames_per_package": FRAMES_A_PACKAGE,
        "pictures": [picture_facts(config, settings, subject) for subject in SUBJECTS],
        "memory": memory_facts(config, settings),
    }


def shown(model: str, **changes: Any) -> str:
    """The page as plain text; the arguments of `facts`.

    Raises:
        ConfigError: as `facts`.
    """
    found = facts(model, **changes)
    total = found["parameters"]["total"]
    blocks = [
        f"{found['model']}: {total:,} parameters",
        table(parts_rows(found["parameters"])),
        "\n".join(sizes_lines(found)),
        pictures_block(found),
        memory_block(found["memory"]),
    ]
    return "\n\n".join(blocks)


def configured(model: str, changes: dict[str, Any]) -> tuple[PagemillConfig, Settings]:
    """The configuration and the processor's settings of a preset or a folder.

    Raises:
        ConfigError: as `facts`.
    """
    if model in PRESETS:
        return preset(model, **changes), Settings()
    folder = Path(model)
    if not folder.is_dir():
        raise ConfigError(
            f"there is no preset and no folder {model!r}; presets are: {', '.join(PRESETS)}"
        )
    given = read(folder / "config.json")
    if given is None:
        raise ConfigError(f"{folder} has no config.json; presets are: {', '.join(PRESETS)}")
    kind = given.get("model_type")
    if kind != PagemillConfig.model_type:
        raise ConfigError(
            f"{folder / 'config.json'} is of a model {kind!r}, not {PagemillConfig.model_type!r}: "
            "`pagemill model import` reads other layouts"
        )
    return config_of(folder, {**given, **changes}), settings_of(folder)


def config_of(folder: Path, fields: dict[str, Any]) -> PagemillConfig:
    """The configuration with these fields.

    Raises:
        ConfigError: a value that is not allowed.
    """
    try:
        return PagemillConfig.from_dict(fields)
    except ConfigError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, StrictDataclassError) as err:
        raise ConfigError(
            f"{folder / 'config.json'} has a value that is not allowed: {err}"
        ) from err


def settings_of(folder: Path) -> Settings:
    """Settings of the processor in a folder, where there is one; else the usual ones."""
    whole = read(folder / "processor_config.json") or {}
    images = whole.get("image_processor") or read(folder / "preprocessor_config.json") or {}
    usual = Settings()
    return Settings(
        int(images.get("max_slice_nums", usual.max_slice_nums)),
        int(images.get("scale_resolution", usual.scale_resolution)),
        bool(whole.get("use_image_id", usual.use_image_id)),
    )


def read(path: Path) -> dict[str, Any] | None:
    """A JSON object, None where there is no file.

    Raises:
        ConfigError: it is something else.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise ConfigError(f"{path} cannot be read: {err}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds a {type(content).__name__}, not an object")
    return content


def tower_facts(config: PagemillConfig) -> dict[str, Any]:
    """Sizes of the tower."""
    vision = config.vision_config
    return {
        "layers": vision.num_hidden_layers,
        "width": vision.hidden_size,
        "heads": vision.num_attention_heads,
        "feed_forward": vision.intermediate_size,
        "patch_size_px": vision.patch_size,
        "position": vision.position,
        "position_side": vision.position_side,
    }


def connector_facts(config: PagemillConfig) -> dict[str, Any]:
    """Sizes of the connector."""
    sizes: dict[str, Any] = {"kind": config.connector, "width": config.text_config.hidden_size}
    if config.connector == "resampler3d":
        sizes |= {"queries": config.query_num, "heads": config.heads}
    return sizes


def language_facts(config: PagemillConfig) -> dict[str, Any]:
    """Sizes of the language model."""
    text, sizes = config.text_config, language(config.text_config)
    return {
        "kind": text.model_type,
        "layers": sizes.layers,
        "width": sizes.width,
        "heads": sizes.heads,
        "key_value_heads": sizes.kv_heads,
        "head_width": sizes.head_width,
        "feed_forward": sizes.feed_forward,
        "vocabulary": sizes.vocabulary,
        "context_tokens": getattr(text, "max_position_embeddings", None),
        "tied_head": config.tie_word_embeddings,
    }


def picture_facts(config: PagemillConfig, settings: Settings, subject: Subject) -> dict[str, Any]:
    """Tokens and FLOPs of one picture or video, alone in its prompt."""
    plan = plan_of(config, settings, subject)
    sizes, packages = slices_of(plan, subject)
    full, quarter = (
        visual_tokens(config, sizes, packages, rate) for rate in (slicing.FULL, slicing.QUARTER)
    )
    prompt = prompt_tokens(plan, settings, subject, packages, full)
    prefill = forward_flops(config, sizes, packages, [prompt], logit_tokens=1)
    answer = generation_flops(config, prompt, ANSWER_TOKENS)
    patches = sum(height * width for height, width in sizes)
    return {
        "name": subject.name,
        "frames": subject.frames,
        "width_px": subject.width_px,
        "height_px": subject.height_px,
        "cols": plan.cols,
        "rows": plan.rows,
        "slices": len(sizes),
        "patches": patches,
        "visual_tokens": full,
        "visual_tokens_quarter": quarter,
        "prompt_tokens": prompt,
        "patches_per_token": round(patches / full, 1),
        "prefill_flops": flops_facts(prefill),
        "flops_per_answer_token": round(answer.total / ANSWER_TOKENS),
        "flops_with_answer": prefill.total + answer.total,
    }


def flops_facts(flops: Flops) -> dict[str, int]:
    """FLOPs by part, and their total."""
    return {**asdict(flops), "total": flops.total}


def plan_of(config: PagemillConfig, settings: Settings, subject: Subject) -> slicing.SlicePlan:
    """How it is cut; frames of a video are not."""
    return slicing.plan(
        subject.width_px,
        subject.height_px,
        max_slice_nums=settings.max_slice_nums if subject.frames == 1 else 1,
        scale_resolution=settings.scale_resolution,
        patch_size=config.vision_config.patch_size,
    )


def slices_of(
    plan: slicing.SlicePlan, subject: Subject
) -> tuple[list[tuple[int, int]], list[int] | None]:
    """(height, width) in patches of all slices, and slices of each package."""
    if subject.frames == 1:
        return plan.tgt_sizes, None
    whole, rest = divmod(subject.frames, FRAMES_A_PACKAGE)
    return plan.tgt_sizes * subject.frames, [FRAMES_A_PACKAGE] * whole + [rest] * (rest > 0)


def visual_tokens(
    config: PagemillConfig, sizes: list[tuple[int, int]], packages: list[int] | None, rate: int
) -> int:
    """Visual tokens of all packages."""
    rest = iter(sizes)
    return sum(
        slicing.package_tokens(
            [next(rest) for _ in range(count)],
            connector=config.connector,
            query_num=config.query_num,
            rate=rate,
        )
        for count in packages or [1] * len(sizes)
    )


def prompt_tokens(
    plan: slicing.SlicePlan,
    settings: Settings,
    subject: Subject,
    packages: list[int] | None,
    visual: int,
) -> int:
    """Tokens in the prompt, with the marks around slices and packages."""
    if packages is None:
        number = 0 if settings.use_image_id else None
        return prompt.text_tokens(plan.cols, plan.rows, visual, image_id=number)
    marks = prompt.text_tokens(1, 1, 0)
    return visual + marks * len(packages) + len(packages) - 1


def memory_facts(config: PagemillConfig, settings: Settings) -> dict[str, Any]:
    """Bytes of weights, cache, training state and activations."""
    plan = plan_of(config, settings, PAGE)
    sizes = plan.tgt_sizes
    visual = visual_tokens(config, sizes, None, slicing.FULL)
    length = prompt_tokens(plan, settings, PAGE, None, visual) + ANSWER_TOKENS
    found: dict[str, Any] = {"page": PAGE.name, "page_tokens": length}
    for layout, dtype in (("bf16", "bfloat16"), ("fp32", "float32")):
        plain, saving = (
            memory(config, sizes, None, [length], dtype=dtype, layout=layout, checkpointing=again)
            for again in (False, True)
        )
        training = asdict(plain.training)
        training["state_bytes"] = plain.training.state_bytes
        training["activations_checkpointing_bytes"] = saving.training.activations_bytes
        found[layout] = {
            "weights_bytes": plain.inference.weights_bytes,
            "cache_bytes_per_1000_tokens": CACHE_TOKENS * plain.inference.cache_bytes_per_token,
            "activations_bytes": plain.inference.activations_bytes,
            "training": training,
        }
    return found


def parts_rows(counts: dict[str, int]) -> list[list[str]]:
    """Parts, parameters and shares."""
    rows = [["part", "parameters", "share"]]
    for part, name in PARTS.items():
        count = counts[part]
        if part == "head" and not count:
            rows.append([name, "= embeddings", ""])
        elif count:
            rows.append([name, f"{count:,}", f"{count / counts['total']:.1%}"])
    return rows


def sizes_lines(found: dict[str, Any]) -> Iterator[str]:
    """The dimensions of every part, in words."""
    words = {
        "tower": tower_words(found["tower"]),
        "connector": connector_words(found["connector"]),
        "router": router_words(found["router"]),
        "language model": language_words(found["language_model"]),
    }
    for name, text in words.items():
        yield filled(text, f"{name:<16}")


def tower_words(tower: dict[str, Any]) -> str:
    """The tower's dimensions."""
    table_of = f"{tower['position_side']} x {tower['position_side']}"
    return (
        f"{plural(tower['layers'], 'layer')} of width {tower['width']:,}, "
        f"{plural(tower['heads'], 'head')}, feed-forward {tower['feed_forward']:,}; "
        f"patches of {tower['patch_size_px']} px, "
        f"positions {POSITIONS[tower['position']]} a table of {table_of}"
    )


def connector_words(connector: dict[str, Any]) -> str:
    """The connector's dimensions."""
    if connector["kind"] != "resampler3d":
        return (
            f"{connector['kind']} to width {connector['width']:,}: a token for 2 x 2 patches, "
            "for 4 x 4 at the quarter rate"
        )
    queries = connector["queries"]
    return (
        f"{connector['kind']}, width {connector['width']:,}, {plural(connector['heads'], 'head')}: "
        f"{queries} tokens a slice or package of frames, {queries // 4} at the quarter rate"
    )


def router_words(router: dict[str, Any] | None) -> str:
    """Whether there is a router, and when it takes the quarter rate."""
    if router is None:
        return "none"
    return f"the quarter rate from a probability of {router['threshold']:g}"


def language_words(model: dict[str, Any]) -> str:
    """The language model's dimensions."""
    context = model["context_tokens"]
    return (
        f"{model['kind']}, {plural(model['layers'], 'layer')} of width {model['width']:,}, "
        f"{plural(model['heads'], 'head')} of {model['head_width']} "
        f"({model['key_value_heads']} for keys and values), "
        f"feed-forward {model['feed_forward']:,}; vocabulary {model['vocabulary']:,}"
        + (f", context {context:,}" if context else "")
    )


def pictures_block(found: dict[str, Any]) -> str:
    """The table of pictures, and what its columns mean."""
    rows = [[pair[line] for pair in HEADINGS] for line in (0, 1)]
    rows += [picture_row(one) for one in found["pictures"]]
    cut = found["slicing"]
    note = (
        f"A picture is cut into at most {cut['max_slice_nums']} slices of about "
        f"{cut['scale_resolution']} x {cut['scale_resolution']} px beside a thumbnail; "
        f"{found['frames_per_package']} frames of a video share a package. FLOPs: the prompt holds "
        f"the picture alone, at the full rate; a new token is the mean of an "
        f"answer of {found['answer_tokens']}."
    )
    return table(rows, left=3) + "\n" + filled(note)


def picture_row(one: dict[str, Any]) -> list[str]:
    """One line of the table of pictures."""
    return [
        one["name"],
        f"{one['width_px']} x {one['height_px']}",
        f"{one['cols']} x {one['rows']}",
        f"{one['visual_tokens']:,}",
        f"{one['visual_tokens_quarter']:,}",
        f"{one['prompt_tokens']:,}",
        f"{one['patches']:,}",
        f"{one['patches_per_token']:.1f}",
        scaled(one["prefill_flops"]["total"]),
        scaled(one["flops_per_answer_token"]),
    ]


def memory_block(found: dict[str, Any]) -> str:
    """The table of memory, and what it leaves out."""
    layouts = [found["bf16"], found["fp32"]]
    rows = [["memory of reading", "bf16", "fp32"]]
    for field, name in (
        ("weights_bytes", "weights"),
        ("cache_bytes_per_1000_tokens", f"cache of {CACHE_TOKENS:,} tokens"),
        ("activations_bytes", "activations"),
    ):
        rows.append([name, *(scaled(one[field]) + "B" for one in layouts)])
    rows.append(["", "", ""])
    rows.append(["memory of training", "bf16", "fp32"])
    for field, name in STATE.items():
        values = [one["training"][field] for one in layouts]
        rows.append([name, *(scaled(value) + "B" if value else "none" for value in values)])
    note = (
        f"Activations are estimates: {found['page']} and an answer of {ANSWER_TOKENS}, "
        f"{found['page_tokens']:,} tokens in all, with attention that keeps no scores."
    )
    return table(rows) + "\n" + filled(note)


def filled(text: str, head: str = "") -> str:
    """Text in lines of at most 100 columns, hanging behind its head."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    )


def plural(count: int, noun: str) -> str:
    """A count and what is counted."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def scaled(value: float) -> str:
    """A number with three digits and its prefix, such as `12.3 G`."""
    for prefix in ("", "k", "M", "G", "T"):
        if value < 999.5 or prefix == "T":
            break
        value /= 1000
    digits = max(0, 2 - int(f"{value:.2e}".partition("e")[2]))
    return f"{value:,.{digits}f} {prefix}"


def table(rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Rows with aligned columns, the first `left` of them at the left edge, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)
