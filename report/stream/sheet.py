"""What is shown of a stream as one page of HTML; no request leaves it."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from ...engine.errors import ConfigError
from ...engine.store.place import Place
from ...engine.text import visible
from ...model.prompt.box import BOX_SCALE
from ...model.prompt.token import TURN_END
from ...train.stream.inspect import (
    ASKED,
    LEVEL_NAMES,
    PackView,
    Run,
    SampleDetail,
    SampleView,
    StreamView,
)
from ...train.stream.picture import PatchPicture

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
STYLED = ("read", "restore", "lost")
"""Tasks that have a colour of their own."""
QUIET = re.compile(r"&lt;\|\w+\|&gt;|&lt;/?(?:think|box)&gt;|\[\d+ image tokens\]")
"""What the tokenizer has one token for, and the picture."""
CUT = " <i>·</i> cut off: no end is learned"


def write_sheet(shown: StreamView, out: Path) -> None:
    """Write the page.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        Place.at(str(out.absolute().parent)).write_bytes(out.name, sheet(shown).encode("utf-8"))
    except OSError as err:
        raise ConfigError(f"cannot write {out}: {err.strerror}") from err


def sheet(shown: StreamView) -> str:
    """The page: totals, the packs of every step, what was lost, samples in full."""
    style = files(__package__).joinpath("sheet.css").read_text(encoding="utf-8")
    places = {card.sample: number for number, card in enumerate(shown.cards, 1)}
    steps = "".join(
        f'<h3>Step {number}</h3><ol class="packs">'
        f"{''.join(pack_row(at, one, places) for at, one in enumerate(step, 1))}</ol>"
        for number, step in enumerate(shown.steps, 1)
    )
    cards = "".join(card_article(number, card) for number, card in enumerate(shown.cards, 1))
    name = ", ".join(one.rstrip("/").rpartition("/")[2] or one for one in shown.corpora)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{esc(name)} · Pagemill stream</title><style>{style}</style></head><body>"
        f"{masthead(name, shown)}<main>{lost_section(shown.lost)}"
        '<section id="packs"><h2>Packs</h2><p class="lead">A bar is one pack, a segment one '
        "sample, as wide as it has tokens; point at one for its key. Segments with a dot are shown "
        f'below.</p><p class="legend">{legend([*shown.tasks, "padding"])}</p>{steps}</section>'
        '<section id="samples"><h2>Samples</h2><p class="lead">What the model gets, put back '
        "together from its patches, and what it has to answer. The colour of the answer is the "
        f'level that its place on the page was corrupted with.</p><p class="legend">'
        f"{legend(LEVEL_NAMES)}</p>{cards}</section></main></body></html>\n"
    )


def masthead(name: str, shown: StreamView) -> str:
    """Corpora, and the totals."""
    steps, packs, budget = len(shown.steps), len(shown.packs), shown.packs[0].budget_tokens
    facts = [
        (f"{shown.fill:.1%}", "of the packs filled"),
        (f"{shown.padding:.1%}", "padding"),
        (f"{len(shown.samples):,}", "samples"),
        (f"{sum(one.answer_tokens for one in shown.samples):,}", "answer tokens"),
        (f"{shown.pages_per_s:.1f}", "pages a second, one process"),
        (f"{len(shown.lost):,}", "lost"),
    ]
    figures = "".join(f"<li><b>{value}</b><span>{what}</span></li>" for value, what in facts)
    return (
        '<header class="masthead"><p class="kicker">Pagemill · the stream</p>'
        f'<h1>{esc(name)}</h1><p class="about"><b>{shown.pages:,}</b> pages <i>·</i> seed '
        f"<b>{shown.seed}</b> <i>·</i> <b>{steps}</b> step{'s' * (steps > 1)}, "
        f"<b>{packs}</b> packs of "
        f'<b>{budget:,}</b> tokens</p><ol class="figures">{figures}</ol>'
        f'<div class="shares">{stack("Samples by task", shown.tasks)}'
        f"{stack('Answer tokens by level', shown.levels)}</div></header>"
    )


def stack(title: str, counts: Mapping[str, int]) -> str:
    """Shares side by side, with their names."""
    whole = sum(counts.values()) or 1
    parts = "".join(
        f'<span class="{css(name)}" style="flex:{count}"></span>'
        for name, count in counts.items()
        if count
    )
    names = [f"{name} {counts[name] / whole:.0%}" for name in counts]
    return (
        f'<div><h3>{esc(title)}</h3><div class="stack">{parts}</div>'
        f'<p class="legend">{legend(list(counts), names)}</p></div>'
    )


def legend(names: Sequence[str], texts: Sequence[str] = ()) -> str:
    """A patch of colour for each name."""
    return "".join(
        f'<span><i class="{css(name)}"></i>{esc(text)}</span>'
        for name, text in zip(names, texts or names, strict=True)
    )


def pack_row(number: int, pack: PackView, places: Mapping[SampleView, int]) -> str:
    """One pack as a bar."""
    parts = "".join(segment(one, places.get(one)) for one in pack.samples)
    rest = pack.budget_tokens - pack.tokens
    if rest:
        parts += f'<span class="padding" style="flex:{rest}" title="{rest:,} padding"></span>'
    return (
        f'<li><span class="soft">{number}</span><div class="bar">{parts}</div>'
        f'<span class="num">{pack.fill:.1%}</span><span class="num soft">{pack.tokens:,} tokens'
        f'</span><span class="num soft">{pack.slices} of {pack.budget_slices} slices</span></li>'
    )


def segment(one: SampleView, place: int | None) -> str:
    """One sample in a bar."""
    told = f"{one.task} {one.key}: {one.tokens:,} tokens, {one.slices} slices"
    told += f", {one.answer_tokens:,} answered" if not one.reason else f"; {one.reason}"
    attributes = f'class="{css(one.task)}" style="flex:{one.tokens}" title="{esc(told)}"'
    if place is None:
        return f"<span {attributes}></span>"
    return f'<a {attributes} href="#s{place}"></a>'


def lost_section(lost: Sequence[SampleView]) -> str:
    """Samples that could not be read, with the reason."""
    if not lost:
        return ""
    rows = "".join(f"<li><code>{esc(one.key)}</code> {esc(one.reason)}</li>" for one in lost)
    return (
        '<section id="lost"><h2>Lost samples</h2><p class="lead">They keep their place in the '
        f'pack, masked: nothing is learned there.</p><ul class="faults">{rows}</ul></section>'
    )


def card_article(number: int, card: SampleDetail) -> str:
    """One sample in full."""
    one = card.sample
    prompt = QUIET.sub(lambda found: f"<i>{found.group()}</i>", esc_lines(card.prompt))
    pictures = "".join(
        figure(picture, marks_of(card) if not at else "")
        for at, picture in enumerate(card.pictures)
    )
    cut = "" if "".join(text for text, _ in card.answer).rstrip().endswith(TURN_END) else CUT
    return (
        f'<article class="card" id="s{number}"><h3><i class="dot {css(one.task)}"></i>'
        f"{esc(one.task)} <code>{esc(one.key)}</code></h3>"
        f'<p class="soft">{one.tokens:,} tokens <i>·</i> {one.slices} slices <i>·</i> '
        f'{one.answer_tokens:,} tokens of answer{cut}</p><div class="spread"><div>{pictures}</div>'
        f'<div class="text"><h4>Prompt</h4><p class="prompt">{prompt}</p><h4>Answer</h4>'
        f"{answer_of(card)}</div></div></article>"
    )


def answer_of(card: SampleDetail) -> str:
    """The answer on the colours of its levels; one that goes with boxes has their numbers."""
    if not card.boxes:
        return f'<p class="answer" dir="auto">{runs(card.answer)}</p>'
    rows = "".join(f"<li>{runs(line)}</li>" for line in lines_of(card.answer))
    return f'<ol class="answer numbered" dir="auto">{rows}</ol>'


def marks_of(card: SampleDetail) -> str:
    """The outlines of the boxes, each in the colour of its line."""
    levels = [max((level for _, level in line), default=0) for line in lines_of(card.answer)]
    return "".join(
        mark(number, box, level)
        for number, (box, level) in enumerate(zip(card.boxes, levels, strict=False), 1)
    )


def figure(picture: PatchPicture, marks: str) -> str:
    """Thumbnail and slices beside each other, at one scale."""
    if picture.grid is None:
        return f'<figure class="alone">{leaf(picture.thumbnail, "one slice", marks)}</figure>'
    cells = "<i></i>" * (picture.cols * picture.rows)
    grid = f'<span class="cells" style="--cols:{picture.cols};--rows:{picture.rows}">{cells}</span>'
    widths = picture.thumbnail.shape[1], picture.grid.shape[1]
    return (
        f'<figure style="grid-template-columns:{widths[0]}fr {widths[1]}fr">'
        f"{leaf(picture.thumbnail, 'thumbnail', '')}"
        f"{leaf(picture.grid, f'{picture.cols} × {picture.rows} slices', grid + marks)}</figure>"
    )


def leaf(image: np.ndarray, what: str, over: str) -> str:
    """A picture with something over it, and its size."""
    height, width = image.shape[:2]
    return (
        f'<div><div class="leaf"><img src="{data_uri(image)}" alt="{esc(what)}">{over}</div>'
        f"<figcaption>{esc(what)}, {width} × {height} px</figcaption></div>"
    )


def mark(number: int, box: tuple[int, int, int, int], level: int) -> str:
    """The outline of a box, in the colour of its level."""
    x0, y0, x1, y1 = (100 * side / BOX_SCALE for side in box)
    place = f"left:{x0:.1f}%;top:{y0:.1f}%;width:{x1 - x0:.1f}%;height:{y1 - y0:.1f}%"
    name = LEVEL_NAMES[level]
    return f'<span class="mark {name}" style="{place}" title="{name}"><b>{number}</b></span>'


def lines_of(answer: Sequence[Run]) -> list[list[Run]]:
    """The stretches of an answer by line."""
    lines: list[list[Run]] = [[]]
    for text, level in answer:
        first, *others = text.split("\n")
        lines[-1] += [(first, level)] if first else []
        lines += [[(other, level)] if other else [] for other in others]
    return lines


def runs(answer: Sequence[Run]) -> str:
    """Stretches of text on the colours of their levels."""
    return "".join(
        f'<span class="{level_class(level)}">{esc_lines(text)}</span>' for text, level in answer
    )


def level_class(level: int) -> str:
    """The class of a stretch of text."""
    return LEVEL_NAMES[level] if level >= 0 else "asked" if level == ASKED else "plain"


def data_uri(image: np.ndarray) -> str:
    """Pixels as PNG in a data URI; grey where they are."""
    grey = bool((image == image[:, :, :1]).all())
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[:, :, 0] if grey else image)).save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"


def css(name: str) -> str:
    """The class that has the colour of a task or level."""
    return name if name in (*STYLED, *LEVEL_NAMES, "padding") else "other"


def esc(text: str) -> str:
    """Text from outside, harmless in HTML."""
    return html.escape(visible(text), quote=True)


def esc_lines(text: str) -> str:
    """The same with its line breaks."""
    return "\n".join(map(esc, text.split("\n")))
