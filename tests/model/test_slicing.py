"""The partition of an image, against a slow reference in exact fractions written from methods §2.

The reference knows no logarithm, no square root and no rounding but whole numbers'.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import isqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.model.slicing import QUARTER, grid, package_tokens, plan, visual_tokens

A4_PT, LETTER_PT = (595, 842), (612, 792)
SCALE, PATCH = 448, 14

sides = st.integers(1, 20_000)
caps = st.sampled_from([1, 2, 3, 4, 9, 16, 36])


def page(size_pt: tuple[int, int], dpi: int) -> tuple[int, int]:
    """Pixels of a page as PDFs have it, rounded as a renderer does."""
    return round(Fraction(size_pt[0] * dpi, 72)), round(Fraction(size_pt[1] * dpi, 72))


def nearest_grids(width: int, height: int, most: int) -> list[tuple[int, int]]:
    """Every grid whose aspect is nearest; several where aspects tie. Exact."""
    pieces = min(-(-width * height // SCALE**2), most)
    if pieces <= 1:
        return [(1, 1)]
    candidates = [
        (cols, rows)
        for cols in range(1, pieces + 2)
        for rows in range(1, pieces + 2)
        if cols * rows in {pieces - 1, pieces, pieces + 1} - {1} and cols * rows <= most
    ]

    def distance(one: tuple[int, int]) -> Fraction:
        """|ln a - ln b| grows with max(a / b, b / a)."""
        factor = Fraction(width * one[1], height * one[0])
        return max(factor, 1 / factor)

    least = min(map(distance, candidates))
    return [one for one in candidates if distance(one) == least]


def nearest_multiple(length: Fraction | int, unit: int) -> int:
    """By trying: the nearest multiple from one on; of two as near the even one."""
    below = int(length // unit)
    tries = {max(below, 1), below + 1}
    return unit * min(tries, key=lambda count: (abs(count * unit - length), count % 2))


def fits(width: Fraction | int, height: Fraction | int) -> set[tuple[int, int]]:
    """About 448² px at this aspect: the height cut to whole pixels first, the width from it.

    Where a root or a product is a whole number on paper, floating point may fall one short of it:
    then both are right.
    """
    aspect = Fraction(width) / Fraction(height)
    root = isqrt(int(SCALE**2 / aspect))
    found = set()
    for high in near(root, root**2 == SCALE**2 / aspect):
        product = int(high * aspect)
        for wide in near(product, product == high * aspect):
            if min(wide, high) < PATCH:
                strip = SCALE**2 // PATCH
                found.add((strip, PATCH) if aspect > 1 else (PATCH, strip))
            else:
                found.add((nearest_multiple(wide, PATCH), nearest_multiple(high, PATCH)))
    return found


def near(whole: int, exact: bool) -> list[int]:
    """A number that was cut, and the one below where nothing was cut off."""
    return [whole, whole - 1] if exact else [whole]


def cells(width: int, height: int, cols: int, rows: int) -> set[tuple[int, int]]:
    """Sizes in px of a slice of a given grid."""
    if cols * rows == 1:
        return {(0, 0)}
    return fits(
        Fraction(nearest_multiple(width, cols), cols),
        Fraction(nearest_multiple(height, rows), rows),
    )


def check(width: int, height: int, most: int = 9) -> None:
    """Everything that the reference says about one size."""
    allowed = nearest_grids(width, height, most)
    chosen = grid(width, height, max_slice_nums=most)
    assert chosen in allowed
    found = plan(width, height, max_slice_nums=most)
    assert (found.cols, found.rows) == chosen
    assert found.whole in fits(width, height)
    assert found.cell in cells(width, height, *chosen)
    slices = chosen[0] * chosen[1]
    packages = 1 + slices * (slices > 1)
    assert visual_tokens(width, height, max_slice_nums=most) == 64 * packages
    thumbnail = (found.whole[1] // PATCH, found.whole[0] // PATCH)
    fine = (found.cell[1] // PATCH, found.cell[0] // PATCH)
    assert found.tgt_sizes == [thumbnail] + [fine] * (packages - 1)


@pytest.mark.parametrize(
    ("size_pt", "dpi", "most", "expected", "tokens"),
    [
        (A4_PT, 144, 9, (2, 4), 576),
        (A4_PT, 200, 9, (2, 4), 576),
        (A4_PT, 300, 9, (2, 4), 576),
        (LETTER_PT, 144, 9, (3, 3), 640),
        (LETTER_PT, 200, 9, (3, 3), 640),
        (LETTER_PT, 300, 9, (3, 3), 640),
        (A4_PT, 100, 9, (2, 3), 448),
        (A4_PT, 72, 9, (1, 2), 192),
        (A4_PT, 200, 36, (4, 5), 1344),
        (A4_PT, 300, 36, (5, 7), 2304),
    ],
)
def test_the_checks_of_the_released_rule(size_pt, dpi, most, expected, tokens):
    width, height = page(size_pt, dpi)
    assert grid(width, height, max_slice_nums=most) == expected
    assert visual_tokens(width, height, max_slice_nums=most) == tokens


@pytest.mark.parametrize("most", [1, 2, 9, 36])
@pytest.mark.parametrize("dpi", range(30, 601, 15))
@pytest.mark.parametrize("turned", [False, True])
def test_pages_at_any_resolution_equal_the_reference(dpi, most, turned):
    for size_pt in (A4_PT, LETTER_PT):
        width, height = page(size_pt, dpi)
        check(*((height, width) if turned else (width, height)), most)


def test_a4_stands_on_the_edge_between_two_grids():
    """1 : sqrt(2) is as far from 2 x 4 as from 3 x 3, so one pixel of rounding decides."""
    assert grid(1190, 1684) == (2, 4)
    assert grid(1191, 1684) == (3, 3)
    assert grid(2480, 3508) == (2, 4)


def test_a_thousand_sizes_equal_the_reference():
    rng = random.Random(20_260_501)
    for _ in range(1000):
        width, height = (int(10 ** rng.uniform(0, 4.30103)) for _ in range(2))
        check(width, height, rng.choice([1, 2, 3, 9, 16, 36]))


@given(sides, sides, caps)
@example(20_000, 1, 9)
@example(1, 20_000, 9)
@example(448, 448, 9)
@example(449, 448, 9)
@example(14_328, 4776, 36)
def test_any_size_equals_the_reference(width, height, most):
    check(width, height, most)


@given(sides, sides, caps)
def test_cells_make_up_the_refined_image(width, height, most):
    found = plan(width, height, max_slice_nums=most)
    assert found.refined == (found.cell[0] * found.cols, found.cell[1] * found.rows)
    assert found.sliced == (found.cols * found.rows > 1)
    lengths = (*found.whole, *(found.cell if found.sliced else ()))
    assert all(length >= PATCH and length % PATCH == 0 for length in lengths)


@given(sides, sides)
def test_a_thumbnail_is_never_larger_than_its_image(width, height):
    """But for rounding to whole patches, and to one at least."""
    found = plan(width, height)
    if found.sliced:
        assert found.whole[0] <= max(width + PATCH / 2, PATCH)
        assert found.whole[1] <= max(height + PATCH / 2, PATCH)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_an_image_that_is_not_cut_is_scaled_to_the_area_of_one_slice(width, height):
    found = plan(width, height, max_slice_nums=1)
    aspect = min(width / height, height / width)
    if aspect > 1 / 16:
        area = found.whole[0] * found.whole[1]
        assert 0.86 < area / SCALE**2 < 1.12
        assert found.whole[0] / found.whole[1] == pytest.approx(width / height, rel=0.13)


@given(
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    caps,
    st.integers(1, 1000),
    st.integers(1, 32),
)
@example(178_000_000, 1, 9, 448, 14)
@example(200_704, 1, 9, 448, 14)
@example(2, 500_000, 9, 448, 14)
def test_no_aspect_explodes(width, height, most, scale, patch):
    """A slice has at most a third more patches than a square one, however thin the image."""
    found = plan(width, height, max_slice_nums=most, scale_resolution=scale, patch_size=patch)
    square = max(scale / patch, 1) ** 2
    assert len(found.tgt_sizes) <= 1 + most
    for high, wide in found.tgt_sizes:
        assert high >= 1
        assert wide >= 1
        assert high * wide <= square * 4 / 3 + 2 * max(scale / patch, 1) + 1


def test_a_thin_strip_keeps_its_direction():
    assert plan(20_000, 1).whole == (14_336, 14)
    assert plan(1, 20_000).whole == (14, 14_336)
    assert plan(500_000, 2).cell == (14_336, 14)


def test_the_first_grid_found_wins_a_tie():
    """Two slices of a square: 1 x 2 before 2 x 1."""
    assert grid(600, 600, max_slice_nums=2) == (1, 2)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([1, 4]))
def test_the_shuffling_connector_gives_tokens_by_the_number_of_patches(width, height, rate):
    found = plan(width, height)
    side = 2 if rate == 1 else 4
    blocks = [
        len(range(0, high, side)) * len(range(0, wide, side)) for high, wide in found.tgt_sizes
    ]
    assert visual_tokens(width, height, connector="shuffle_mlp", rate=rate) == sum(blocks)


def test_the_resampler_gives_its_queries_whatever_the_size():
    frames = [(32, 32)] * 6
    assert package_tokens(frames) == package_tokens(frames[:1]) == 64
    assert package_tokens(frames, rate=QUARTER) == 16
    assert package_tokens(frames, query_num=8, rate=QUARTER) == 2
    assert visual_tokens(1190, 1684, query_num=16) == 9 * 16
    assert visual_tokens(1190, 1684, rate=QUARTER) == 9 * 16


def test_one_square_slice_has_256_or_64_shuffled_tokens():
    assert package_tokens([(32, 32)], connector="shuffle_mlp") == 256
    assert package_tokens([(32, 32)], connector="shuffle_mlp", rate=QUARTER) == 64
    assert package_tokens([(31, 33), (1, 1)], connector="shuffle_mlp") == 16 * 17 + 1


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0), (-1, 5), (5, -448), (float("nan"), 5)])
@pytest.mark.parametrize("asked", [grid, plan, visual_tokens])
def test_a_size_without_pixels_is_refused(asked, size):
    with pytest.raises(ConfigError, match=f"{size[0]} x {size[1]} px has no pixels"):
        asked(*size)


@pytest.mark.parametrize("name", ["max_slice_nums", "scale_resolution", "patch_size"])
@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize("asked", [grid, plan, visual_tokens])
def test_a_setting_that_is_not_positive_is_refused(asked, name, value):
    with pytest.raises(ConfigError, match=f"{name} is {value}; it must be at least 1"):
        asked(500, 500, **{name: value})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"connector": "mlp"}, "'mlp'; there are: resampler3d, shuffle_mlp"),
        ({"rate": 2}, "rate is 2; it is 1"),
        ({"rate": 0}, "rate is 0"),
        ({"query_num": 0}, "query_num is 0"),
        ({"query_num": -4}, "query_num is -4"),
        ({"query_num": 6, "rate": 4}, "query_num is 6; it must be a multiple of 4"),
    ],
)
def test_a_connector_that_cannot_be_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        visual_tokens(500, 500, **settings)
