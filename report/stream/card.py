"""One sample in full: what the model gets, the prompt, and the answer by its levels."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...model.prompt.box import BOX_SCALE
from ...model.prompt.token import TURN_END
from ...train.stream.inspect import LEVEL_NAMES, UNLEARNED, Run, SampleDetail, SampleView
from ...train.stream.picture import PatchPicture
from ..kit.picture import data_uri

_COLOURED = ("read", "restore", "lost", "padding", *LEVEL_NAMES)
_QUIET = re.compile(r"(<\|\w+\|>|</?(?:think|box)>|\[\d+ image tokens\])")
"""What the tokenizer has one token for, and the picture."""


@dataclass(frozen=True, slots=True)
class ColouredText:
    """A stretch of text with the class of its colour."""

    css: str
    text: str


@dataclass(frozen=True, slots=True)
class BoxMark:
    """The outline of a box, in the colour of its level."""

    number: int
    level: str
    position: str
    """CSS position on the picture."""


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture as the model sees it: one slice, or the thumbnail or the slices of a page."""

    name: str
    uri: str
    width: int
    height: int
    cells: tuple[int, int] = (0, 0)
    """Columns and rows of slices; none for one slice."""
    marks: tuple[BoxMark, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamCard:
    """One sample in full."""

    number: int
    sample: SampleView
    css: str
    cut_off: bool
    """Whether no end of the answer is learned."""
    pictures: tuple[tuple[PictureView, ...], ...]
    """Of each picture, the thumbnail and the slices beside each other, at one scale."""
    prompt: tuple[ColouredText, ...]
    answer: tuple[tuple[ColouredText, ...], ...]
    """Lines, where the answer goes with boxes; else one piece."""
    numbered: bool
    """Whether lines have the numbers of their boxes."""


def stream_card(number: int, detail: SampleDetail) -> StreamCard:
    """One sample as the template draws it."""
    numbered = bool(detail.boxes)
    text = "".join(text for text, _ in detail.answer)
    return StreamCard(
        number=number,
        sample=detail.sample,
        css=css_class(detail.sample.task),
        cut_off=not text.rstrip().endswith(TURN_END),
        pictures=tuple(
            _views(picture, _marks(detail) if index == 0 else ())
            for index, picture in enumerate(detail.pictures)
        ),
        prompt=tuple(
            ColouredText("quiet" if index % 2 else "", part)
            for index, part in enumerate(_QUIET.split(detail.prompt))
            if part
        ),
        answer=tuple(map(_coloured, answer_lines(detail.answer) if numbered else [detail.answer])),
        numbered=numbered,
    )


def css_class(name: str) -> str:
    """The class that has the colour of a task or level."""
    return name if name in _COLOURED else "other"


def answer_lines(answer: Sequence[Run]) -> list[list[Run]]:
    """The stretches of an answer by line."""
    lines: list[list[Run]] = [[]]
    for text, level in answer:
        first, *others = text.split("\n")
        lines[-1] += [(first, level)] if first else []
        lines += [[(other, level)] if other else [] for other in others]
    return lines


def _coloured(runs: Sequence[Run]) -> tuple[ColouredText, ...]:
    return tuple(ColouredText(_level_class(level), text) for text, level in runs)


def _level_class(level: int) -> str:
    return LEVEL_NAMES[level] if level >= 0 else "asked" if level == UNLEARNED else "unlabelled"


def _marks(detail: SampleDetail) -> tuple[BoxMark, ...]:
    """The outlines of the boxes, each in the colour of its line."""
    levels = [max((level for _, level in line), default=0) for line in answer_lines(detail.answer)]
    return tuple(
        BoxMark(number, LEVEL_NAMES[level], _position(box))
        for number, (box, level) in enumerate(zip(detail.boxes, levels, strict=False), 1)
    )


def _position(box: tuple[int, int, int, int]) -> str:
    x0, y0, x1, y1 = (100 * side / BOX_SCALE for side in box)
    return f"left:{x0:.1f}%;top:{y0:.1f}%;width:{x1 - x0:.1f}%;height:{y1 - y0:.1f}%"


def _views(picture: PatchPicture, marks: tuple[BoxMark, ...]) -> tuple[PictureView, ...]:
    if picture.grid is None:
        return (_view("one slice", picture.thumbnail, marks=marks),)
    cells = (picture.cols, picture.rows)
    name = f"{picture.cols} × {picture.rows} slices"
    return _view("thumbnail", picture.thumbnail), _view(name, picture.grid, cells, marks)


def _view(
    name: str,
    image: np.ndarray,
    cells: tuple[int, int] = (0, 0),
    marks: tuple[BoxMark, ...] = (),
) -> PictureView:
    """Pixels as PNG; grey where they are."""
    height, width = image.shape[:2]
    grey = bool((image == image[:, :, :1]).all())
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[:, :, 0] if grey else image)).save(data, "PNG")
    return PictureView(name, data_uri(data.getvalue()), width, height, cells, marks)
