"""From pictures and text to what the model takes: rooms for tokens, batches, settings, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.model import (
    PagemillConfig,
    Video,
)
from pagemill.model.connector import full_lengths
from support.processor import (
    IMAGE,
    VIDEO,
    celled,
    grey,
    greys,
    room,
)


def test_the_text_of_a_picture_that_is_not_cut(processor, words):
    out = processor(images=grey(1), text=f"See {IMAGE} here.")
    (ids,) = out["input_ids"]
    room_text = IMAGE * 64
    expected = f"See <image_id>0</image_id><image>{room_text}</image> here."
    assert words.decode(ids) == expected
    assert ids == words.encode(expected)


def test_the_text_of_a_picture_that_is_cut(processor, words):
    out = processor(images=celled(2, 3, 10), text=IMAGE)
    one = f"<slice>{IMAGE * 64}</slice>"
    expected = f"<image_id>0</image_id><image>{IMAGE * 64}</image>"
    expected += "\n".join([one * 2] * 3)
    assert words.decode(out["input_ids"][0]) == expected


def test_pictures_are_numbered_in_their_prompt(processor, words):
    text = [f"{IMAGE} and {IMAGE}", f"Then {IMAGE}"]
    out = processor(images=[grey(n) for n in range(3)], text=text)
    numbers = [
        [part[0] for part in words.decode(ids).split("<image_id>")[1:]] for ids in out["input_ids"]
    ]
    assert numbers == [["0", "1"], ["0"]]


def test_numbers_can_be_left_out(make, words):
    out = make(use_image_id=False)(images=grey(1), text=IMAGE)
    assert words.decode(out["input_ids"][0]) == f"<image>{IMAGE * 64}</image>"


def test_no_token_is_added_that_nobody_wrote(processor, words):
    out = processor(text="A page.")
    assert words.decode(out["input_ids"][0]) == "A page."
    assert set(out) == {"input_ids", "attention_mask"}


SIZES = [(56, 56), (1, 1), (300, 20), (20, 300), (112, 112), (200, 150), (150, 400), (641, 480)]


@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
@pytest.mark.parametrize("rate", [1, 4])
@pytest.mark.parametrize("use_image_id", [True, False])
def test_tokens_are_counted_from_sizes_alone(make, words, connector, rate, use_image_id):
    """Twelve pictures in a prompt: from the eleventh on the number has two digits."""
    processor = make(connector=connector, query_num=16, use_image_id=use_image_id)
    sizes = [*SIZES, (97, 113), (113, 97), (500, 90), (56, 57)]
    out = processor(
        images=[grey(n, *size) for n, size in enumerate(sizes)],
        text=" so ".join([IMAGE] * len(sizes)),
        rate=rate,
    )
    between = (len(sizes) - 1) * len(words.encode(" so "))
    counted = [
        processor.image_tokens(*size, image_id=number, rate=rate)
        for number, size in enumerate(sizes)
    ]
    assert len(out["input_ids"][0]) - between == sum(counted)
    parts = words.decode(out["input_ids"][0]).split(" so ")
    assert [len(words.encode(part)) for part in parts] == counted


@pytest.mark.parametrize("cap", [1, 2, 4])
def test_tokens_are_counted_under_another_cap(processor, cap):
    out = processor(images=grey(1, 300, 200), text=IMAGE, max_slice_nums=cap)
    assert len(out["input_ids"][0]) == processor.image_tokens(300, 200, max_slice_nums=cap)


@pytest.mark.parametrize("connector", ["resampler3d", "shuffle_mlp"])
@pytest.mark.parametrize("rate", [1, 4])
def test_every_package_has_its_room(make, connector, rate):
    """As many image tokens as the connector of the model gives, pictures and video alike."""
    processor = make(connector=connector, query_num=16)
    frames = [grey(n, 120, 60) for n in range(5)]
    out = processor(
        images=[grey(9, *size) for size in SIZES],
        videos=[Video(frames, [0, 0.1, 0.2, 0.3, 0.4], 2)],
        text=IMAGE * 4 + VIDEO + IMAGE * 4,
        rate=rate,
        video_max_slice_nums=2,
        return_tensors="pt",
    )
    config = PagemillConfig(connector=connector, query_num=16)
    sizes = [tuple(size) for size in out["tgt_sizes"].tolist()]
    full = full_lengths(config, sizes, out["temporal_ids"])
    assert sum(out["num_tiles"].tolist()) == len(out["pixel_values"]) == len(sizes)
    if rate == 1:
        assert room(out, processor) == sum(full)
    elif connector == "resampler3d":
        assert room(out, processor) == sum(full) // 4
        assert room(out, processor) == 4 * len(out["temporal_ids"])
    else:
        quarters = [-(-height // 4) * -(-width // 4) for height, width in sizes]
        assert room(out, processor) == sum(quarters)


def test_pictures_come_nested_flat_and_alone(processor):
    pictures = [grey(20), celled(2, 1, 50, 40), grey(60)]
    text = [f"{IMAGE} {IMAGE}", f"a {IMAGE}"]
    flat = processor(images=pictures, text=text)
    assert greys(flat) == [20, *greys(processor(images=pictures[1])), 60]
    for nested in ([pictures[:2], pictures[2:]], [[pictures[0], [pictures[1]]], pictures[2]]):
        out = processor(images=nested, text=text)
        assert out["input_ids"] == flat["input_ids"]
        assert np.array_equal(out["pixel_values"], flat["pixel_values"])
    alone = processor(images=pictures[0], text=IMAGE)
    assert greys(alone) == [20]


def test_slices_follow_their_thumbnail(processor):
    out = processor(images=[celled(3, 2, 10), grey(200)], text=IMAGE + IMAGE)
    assert greys(out)[1:] == [10, 20, 30, 40, 50, 60, 200]
    assert out["num_tiles"].tolist() == [7, 1]


def test_pictures_without_text_and_text_without_pictures(processor):
    out = processor(images=[grey(5), grey(6)], return_tensors="pt")
    assert set(out) == {"pixel_values", "tgt_sizes", "num_tiles"}
    assert greys(out) == [5, 6]
    both = processor(text=["One page.", "Two"], padding=True, return_tensors="pt")
    assert set(both) == {"input_ids", "attention_mask"}
    with pytest.raises(ConfigError, match="needs text, images or videos"):
        processor()


def test_batches_are_filled_up_on_the_left(processor, words):
    texts = [f"A long text about {IMAGE}, in many words.", f"b {IMAGE}", "no picture"]
    out = processor(
        images=[celled(2, 2, 10), grey(90)], text=texts, padding=True, return_tensors="pt"
    )
    pad = words.pad_token_id
    for text, picture, ids, mask in zip(
        texts,
        [celled(2, 2, 10), grey(90), None],
        out["input_ids"],
        out["attention_mask"],
        strict=True,
    ):
        (alone,) = processor(images=picture, text=text)["input_ids"]
        missing = len(ids) - len(alone)
        assert ids.tolist() == [pad] * missing + alone
        assert mask.tolist() == [0] * missing + [1] * len(alone)
    assert greys(out) == [25, 10, 20, 30, 40, 90]
