"""Effects drawn on pages: boxes follow the ink, and any shape is drawn on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from pagemill.corruption.effect import EFFECTS
from pagemill.corruption.effect.apply import draw_effects, move_boxes
from pagemill.corruption.effect.plan import Effect, EffectConfig, plan_effects
from pagemill.engine.geometry import Box
from pagemill.engine.page import Page, TextLayer, Word
from support.pages import draw_page

BENDS = ("skew", "warp")
KEYS = range(40)


@pytest.fixture(scope="module")
def blank() -> Page:
    return draw_page("ab" * 32, 0, 1)[1]


def sized(page: Page, width: int, height: int, boxes: list[Box] | None = None) -> Page:
    words = tuple(Word("word", box, 0) for box in boxes or [])
    return replace(page, width=width, height=height, x_height=8.0, layer=TextLayer(words=words))


def planned(page: Page, key: int, names: tuple[str, ...] = tuple(EFFECTS)) -> tuple[Effect, ...]:
    """All the named effects."""
    return tuple(
        effect
        for name in names
        for effect in plan_effects(page, key, EffectConfig(share=1.0, effects=(name,)))
    )


def ink_inside(image: np.ndarray, box: Box) -> tuple[float, float]:
    """Ink in the pixels whose middles lie in the box, and all of it."""
    ink = 255.0 - image
    x0, y0, x1, y1 = (round(side) for side in box)
    return float(ink[y0:y1, x0:x1].sum()), float(ink.sum())


def boxes_of(width: int, height: int, rng: np.random.Generator) -> list[Box]:
    """Words, lines, columns and letters, some of them at the edges of the page."""
    boxes = []
    for _ in range(6):
        wide, tall = int(rng.integers(3, width - 8)), int(rng.integers(3, 40))
        wide, tall = (
            (wide, tall) if rng.random() < 0.7 else (tall, int(rng.integers(3, height - 8)))
        )
        x0, y0 = int(rng.integers(4, width - wide - 3)), int(rng.integers(4, height - tall - 3))
        boxes.append((float(x0), float(y0), float(x0 + wide), float(y0 + tall)))
    return boxes


@pytest.mark.parametrize("names", [("skew",), ("warp",), BENDS])
@pytest.mark.parametrize("size", [(300, 420), (700, 260)])
def test_the_moved_box_holds_the_ink(
    blank: Page, names: tuple[str, ...], size: tuple[int, int]
) -> None:
    width, height = size
    rng = np.random.default_rng(width)
    for key in KEYS:
        boxes = boxes_of(width, height, rng)
        effects = planned(sized(blank, width, height, boxes), key, names)
        for box, moved in zip(boxes, move_boxes(boxes, effects, width, height), strict=True):
            image = np.full((height, width), 255, np.uint8)
            x0, y0, x1, y1 = map(int, box)
            image[y0:y1, x0:x1] = 0
            inside, ink = ink_inside(draw_effects(image, effects), moved)
            assert inside >= 0.995 * ink, (key, box, moved)


def test_no_word_leaves_the_page(blank: Page) -> None:
    width, height = 300, 420
    rng = np.random.default_rng(3)
    for key in KEYS:
        boxes = boxes_of(width, height, rng)
        image = np.full((height, width), 255, np.uint8)
        for x0, y0, x1, y1 in boxes:
            image[int(y0) : int(y1), int(x0) : int(x1)] = 0
        effects = planned(sized(blank, width, height, boxes), key, BENDS)
        scale = effects[0].parameters["scale"]
        ink = (255.0 - draw_effects(image, effects)).sum()
        assert ink > 0.97 * scale**2 * (255.0 - image).sum()
        for box in move_boxes(boxes, effects, width, height):
            assert min(box[0], box[1]) >= 0
            assert box[2] <= width
            assert box[3] <= height


def test_text_stays_in_its_box_when_it_is_moved_by_both(blank: Page) -> None:
    image = np.full((500, 400), 255, np.uint8)
    cv2.putText(image, "pagemill", (60, 250), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 2, cv2.LINE_AA)
    rows, columns = np.where((image < 255).any(1))[0], np.where((image < 255).any(0))[0]
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    for key in KEYS:
        effects = planned(sized(blank, 400, 500, [box]), key, BENDS)
        inside, ink = ink_inside(
            draw_effects(image, effects), move_boxes([box], effects, 400, 500)[0]
        )
        assert inside >= 0.995 * ink


def test_boxes_are_left_alone_where_nothing_bends(blank: Page) -> None:
    effects = planned(blank, 1, ("stain", "jpeg"))
    assert move_boxes([[1, 2.5, 3, 4]], effects, 10, 10) == [(1, 2.5, 3, 4)]
    assert move_boxes([], planned(blank, 1), 10, 10) == []


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9), (9, 1), (4, 1), (2, 3), (1, 1, 3), (1, 40, 3), (37, 53, 3), (600, 5)]
)
@pytest.mark.parametrize("filling", ["black", "white", "noise"])
def test_any_image_is_drawn_on(blank: Page, shape: tuple[int, ...], filling: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    image = {"black": np.zeros_like(noise), "white": np.full_like(noise, 255)}.get(filling, noise)
    before = image.copy()
    page = sized(blank, shape[1], shape[0])
    for key in range(4):
        for effects in ((), planned(page, key), *((effect,) for effect in planned(page, key))):
            out = draw_effects(image, effects)
            assert (out.shape, out.dtype) == (image.shape, np.uint8)
            assert not np.shares_memory(out, image)
    assert (image == before).all()


def test_views_and_images_longer_than_opencv_maps_are_drawn_on(blank: Page) -> None:
    image = np.full((40_000, 24), 255, np.uint8)[:, ::-2]
    image[39_000:39_010, 4:8] = 0
    page = sized(blank, 12, 40_000, [(4, 39_000, 8, 39_010)])
    out = draw_effects(image, planned(page, 3, ("bleed_through", "fold_line", "warp", "jpeg")))
    assert out.shape == image.shape
    assert out[38_990:39_020].min() < 100


def test_drawing_is_the_same_in_any_order_and_touches_no_generator(blank: Page) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 90, 3)).astype(np.uint8)
    effects = planned(sized(blank, 90, 120), 7)
    before: Any = np.random.get_state()[1]
    cv2.setRNGSeed(4)
    first = draw_effects(image, effects)
    cv2.setRNGSeed(5)
    assert (draw_effects(image, effects[::-1]) == first).all()
    assert (np.random.get_state()[1] == before).all()


def test_bleed_through_shows_only_what_it_is_given(blank: Page) -> None:
    image = np.full((200, 300), 255, np.uint8)
    effects = planned(sized(blank, 300, 200), 2, ("bleed_through",))
    assert (draw_effects(image, effects) == 255).all()
    image[90:110, 20:60] = 0
    trace = draw_effects(image, effects)[:, 150:]
    assert 255 * 0.7 < trace.min() < 250
