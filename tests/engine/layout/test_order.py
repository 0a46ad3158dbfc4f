"""Reading order: whatever the order of the content stream, text comes as it was laid out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagemill.engine.layout.lines import RawWord, arrange
from pagemill.engine.layout.upright import Heading
from pagemill.engine.page import WordFlag
from pagemill.engine.read.backend.registry import open_document
from support.minipdf import Sheet, write_pdf

WIDTH, HEIGHT = 595.0, 842.0
DIGIT_EM = 0.556
"""Every digit of Helvetica is as wide."""


@dataclass
class Layout:
    """Words by number, in the order in which a person would read them."""

    seed: int
    words: list[tuple[float, float, float, float]] = field(default_factory=list)
    """x, y of the baseline from the top, width, size."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def line(
        self,
        x: float,
        y: float,
        width: float,
        size: float,
        *,
        fill: float = 1.0,
        justify: bool = False,
        count: int = 99,
    ) -> None:
        widths: list[float] = []
        space = 0.28 * size
        while len(widths) < count:
            one = self.rng.choice([2, 3, 3, 4, 4, 5, 6, 7, 9]) * DIGIT_EM * size
            if widths and sum(widths) + len(widths) * space + one > width * fill:
                break
            widths.append(min(one, width))
        if justify and len(widths) > 1 and fill == 1.0 and count == 99:
            space = (width - sum(widths)) / (len(widths) - 1)
        for one in widths:
            self.words.append((x, y, one, size))
            x += one + space

    def column(
        self,
        x: float,
        y: float,
        width: float,
        rows: int,
        *,
        size: float = 10,
        justify: bool = False,
    ) -> float:
        for row in range(rows):
            last = row % 7 == 6
            fill = self.rng.uniform(0.3, 0.9) if last else 1.0
            self.line(x, y, width, size, justify=justify, fill=fill)
            y += 1.2 * size
        return y

    def raw(self, order: list[int]) -> list[RawWord]:
        """Every word on a line of its own, as an engine sees a shuffled content stream."""
        boxes = [(x, y - 0.9 * s, x + w, y + 0.3 * s) for x, y, w, s in self.words]
        return [RawWord(str(n), boxes[n], place) for place, n in enumerate(order)]

    def sheet(self, order: list[int]) -> Sheet:
        text = []
        for n in order:
            x, y, width, size = self.words[n]
            digits = str(n).zfill(max(1, round(width / (DIGIT_EM * size))))
            text.append((x, HEIGHT - y, size, digits))
        return Sheet((0, 0, WIDTH, HEIGHT), text)


def page_layout(columns: int, gutter: float, *, justify: bool, seed: int = 0) -> Layout:
    """Running head, title, columns, a figure with its caption, columns, page number."""
    layout = Layout(seed)
    layout.line(50, 45, 200, 8, count=3)
    layout.line(460, 45, 80, 8, count=1)
    layout.line(50, 85, 495, 20)
    layout.line(150, 110, 300, 12, count=4)
    width = (495 - gutter * (columns - 1)) / columns
    bottom = max(
        layout.column(50 + c * (width + gutter), 150, width, 21, justify=justify)
        for c in range(columns)
    )
    layout.line(60, bottom + 90, 470, 9)
    layout.line(60, bottom + 101, 470, 9)
    for c in range(columns):
        layout.column(50 + c * (width + gutter), bottom + 130, width, 16 - 2 * c, justify=justify)
    layout.line(290, 815, 30, 8, count=1)
    return layout


def kendall_tau(sequence: list[int]) -> float:
    pairs = [(a, b) for n, a in enumerate(sequence) for b in sequence[n + 1 :]]
    return sum(1 if a < b else -1 for a, b in pairs) / max(1, len(pairs))


def arranged(words: list[RawWord]) -> list[int]:
    found, _, _ = arrange(words, width_px=WIDTH, height_px=HEIGHT)
    return [int(word.text) for word in found]


def shuffled(layout: Layout, seed: int = 1) -> list[int]:
    order = list(range(len(layout.words)))
    random.Random(seed).shuffle(order)
    return order


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("gutter", [12.0, 20.0])
@pytest.mark.parametrize("justify", [True, False])
def test_columns_with_title_figure_head_and_foot(
    columns: int, gutter: float, justify: bool
) -> None:
    layout = page_layout(columns, gutter, justify=justify)
    assert kendall_tau(arranged(layout.raw(shuffled(layout)))) >= 0.95


@pytest.mark.parametrize("engine", ["mupdf", "poppler"])
@pytest.mark.parametrize("columns", [2, 3])
def test_columns_of_a_pdf_whose_content_stream_is_shuffled(
    engine: str, columns: int, tmp_path: Path
) -> None:
    layout = page_layout(columns, 18.0, justify=False, seed=columns)
    path = write_pdf(tmp_path / "columns.pdf", [layout.sheet(shuffled(layout))])
    words = open_document(engine, path).text(0, dpi=144).words
    numbers = [int(word.text) for word in words]
    assert sorted(numbers) == list(range(len(layout.words)))
    assert kendall_tau(numbers) >= 0.95


def test_lines_do_not_span_columns() -> None:
    layout = Layout(3)
    width = 240.0
    for x in (50.0, 305.0):
        layout.column(x, 100, width, 30, justify=True)
    merged = sorted(range(len(layout.words)), key=lambda n: (layout.words[n][1], layout.words[n]))
    raw = [
        word._replace(line=round(layout.words[int(word.text)][1])) for word in layout.raw(merged)
    ]
    _, lines, _ = arrange(raw, width_px=WIDTH, height_px=HEIGHT)
    assert len(lines) == 60
    assert not [line for line in lines if line.box[0] < 290 < line.box[2] - 10]


@pytest.mark.parametrize("columns", [2, 3, 5, 8])
@pytest.mark.parametrize("words", [1, 2])
def test_tables_are_read_row_by_row(columns: int, words: int) -> None:
    layout = Layout(columns)
    bottom = layout.column(50, 80, 495, 6)
    for row in range(14):
        for column in range(columns):
            room = 495 / columns
            layout.line(50 + column * room, bottom + 20 + 16 * row, room - 12, 9, count=words)
    layout.column(50, bottom + 270, 495, 6)
    assert kendall_tau(arranged(layout.raw(shuffled(layout)))) >= 0.95


@pytest.mark.parametrize("left", [True, False])
def test_side_notes_come_after_the_text_beside_them(left: bool) -> None:
    layout = Layout(5)
    layout.column(170 if left else 50, 80, 370, 50)
    for note in range(3):
        for row in range(3):
            layout.line(50 if left else 450, 110 + 130 * note + 9.6 * row, 85, 8)
    assert kendall_tau(arranged(layout.raw(shuffled(layout)))) >= 0.95


def test_a_bullet_stays_with_its_text() -> None:
    layout = Layout(8)
    for item in range(10):
        layout.line(50, 80 + 40 * item, 6, 10, count=1)
        for row in range(2):
            layout.line(68, 80 + 40 * item + 12 * row, 470, 10)
    assert arranged(layout.raw(shuffled(layout))) == list(range(len(layout.words)))


HEBREW = "אבגדהוזחטיכלמנסעפצקרשת"


def right_to_left(layout: Layout) -> tuple[list[RawWord], list[str]]:
    """The layout mirrored, with a Hebrew word for each number."""
    names = [
        HEBREW[n % 22] + HEBREW[n // 22 % 22] + HEBREW[n // 484] for n in range(len(layout.words))
    ]
    words = [
        RawWord(
            names[int(word.text)],
            (WIDTH - word.box[2], word.box[1], WIDTH - word.box[0], word.box[3]),
            word.line,
            int(WordFlag.RIGHT_TO_LEFT),
        )
        for word in layout.raw(shuffled(layout))
    ]
    return words, names


@pytest.mark.parametrize("columns", [1, 2])
def test_right_to_left_scripts_read_columns_and_words_from_the_right(columns: int) -> None:
    raw, names = right_to_left(page_layout(columns, 18.0, justify=False))
    words, _, _ = arrange(raw, width_px=WIDTH, height_px=HEIGHT)
    place = {name: n for n, name in enumerate(names)}
    assert kendall_tau([place[word.text] for word in words]) >= 0.95


def test_latin_words_inside_a_right_to_left_line_keep_their_order() -> None:
    texts = ["אבג", "דהו", "Open", "Source", "זחט"]
    places = [500, 450, 350, 400, 300]
    raw = [
        RawWord(text, (x, 100, x + 45, 112), n, 64 if not text.isascii() else 0)
        for n, (text, x) in enumerate(zip(texts, places, strict=True))
    ]
    _, lines, _ = arrange(raw, width_px=WIDTH, height_px=HEIGHT)
    assert " ".join(line.text for line in lines) == "אבג דהו Open Source זחט"


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_text_that_is_read_another_way(turn: int) -> None:
    layout = page_layout(2, 18.0, justify=False)
    raw = []
    for word in layout.raw(shuffled(layout)):
        x0, y0, x1, y1 = word.box
        box = {
            0: (x0, y0, x1, y1),
            1: (HEIGHT - y1, x0, HEIGHT - y0, x1),
            2: (WIDTH - x1, HEIGHT - y1, WIDTH - x0, HEIGHT - y0),
            3: (y0, WIDTH - x1, y1, WIDTH - x0),
        }[turn]
        raw.append(word._replace(box=box, heading=Heading(turn)))
    width, height = (WIDTH, HEIGHT) if turn in (0, 2) else (HEIGHT, WIDTH)
    words, _, _ = arrange(raw, width_px=width, height_px=height)
    assert kendall_tau([int(word.text) for word in words]) >= 0.95


def test_vertical_lines_come_from_the_right() -> None:
    raw = [
        RawWord(
            f"{column}{row}",
            (500 - 30 * column, 50 + 60 * row, 520 - 30 * column, 100 + 60 * row),
            10 * column + row,
            32,
            Heading(1),
        )
        for column in (2, 0, 1)
        for row in (1, 0, 2)
    ]
    words, _, _ = arrange(raw, width_px=WIDTH, height_px=HEIGHT)
    assert [word.text for word in words] == ["00", "01", "02", "10", "11", "12", "20", "21", "22"]


BOXES = st.tuples(
    st.floats(0, 550), st.floats(0, 800), st.floats(0.5, 300), st.floats(0.5, 60)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(BOXES, st.integers(0, 9), st.integers(0, 3)), max_size=60))
def test_every_word_once_and_all_indices_consistent(
    items: list[tuple[tuple[float, float, float, float], int, int]],
) -> None:
    raw = [
        RawWord(str(n), box, line, 0, Heading(turn)) for n, (box, line, turn) in enumerate(items)
    ]
    words, lines, blocks = arrange(raw, width_px=WIDTH, height_px=HEIGHT)
    assert sorted(int(word.text) for word in words) == list(range(len(raw)))
    assert [n for line in lines for n in range(*line.words)] == list(range(len(words)))
    assert [n for block in blocks for n in range(*block.lines)] == list(range(len(lines)))
    for number, line in enumerate(lines):
        members = words[slice(*line.words)]
        assert {word.line for word in members} == {number}
        assert line.text == " ".join(word.text for word in members)
        assert line.box[0] == min(word.box[0] for word in members)
        assert number in range(*blocks[line.block].lines)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_order_does_not_depend_on_the_content_stream(seed: int) -> None:
    layout = page_layout(2, 18.0, justify=False)
    assert arranged(layout.raw(shuffled(layout, seed))) == arranged(
        layout.raw(shuffled(layout, seed + 1))
    )
