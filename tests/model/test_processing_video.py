"""Videos in prompts: packages, groups of slices, settings."""

from __future__ import annotations

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError, DataError
from pagemill.model import (
    Video,
)
from support.processor import (
    IMAGE,
    VIDEO,
    celled,
    grey,
    greys,
    mixed,
    room,
)


def test_pixels_follow_the_text_in_which_pictures_and_videos_mix(processor):
    pictures, clips = mixed()
    out = processor(
        images=pictures, videos=clips, text=[f"{VIDEO} {IMAGE}", f"{IMAGE} {VIDEO} {IMAGE}"]
    )
    assert greys(out) == [100, 101, 102, 10, 20, 200, 201, 30]
    assert out["temporal_ids"].tolist() == [
        [0, 5], [10, -2], [-1, -2], [-1, -2], [30, -2], [40, -2], [-1, -2],
    ]  # fmt: skip
    assert out["num_tiles"].tolist() == [3, 1, 1, 2, 1]
    assert room(out, processor) == 7 * 64


def test_pictures_alone_have_no_times(processor):
    assert "temporal_ids" not in processor(images=grey(1), text=IMAGE)


def test_the_text_of_a_video_has_no_number_and_a_line_a_package(processor, words):
    _, clips = mixed()
    out = processor(images=grey(1), videos=clips[0], text=f"{VIDEO} then {IMAGE}")
    package = f"<image>{IMAGE * 64}</image>"
    expected = f"{package}\n{package} then <image_id>0</image_id>{package}"
    assert words.decode(out["input_ids"][0]) == expected


def test_slice_g_of_every_frame_is_one_group(processor, words):
    """Three frames of 2 x 2 cells, two a package: the thumbnails, then cell by cell."""
    frames = [celled(2, 2, 40 * number, 10) for number in range(3)]
    video = Video(frames, [0, 1, 2], 2)
    out = processor(videos=video, text=VIDEO, video_max_slice_nums=4)
    thumbnail = [15, 55, 95]
    first = [
        thumbnail[0],
        thumbnail[1],
        *(v for cell in range(4) for v in (10 * cell, 40 + 10 * cell)),
    ]
    last = [thumbnail[2], *(80 + 10 * cell for cell in range(4))]
    assert greys(out) == pytest.approx([*first, *last], abs=1)
    assert out["temporal_ids"].tolist() == [[0, 10]] * 5 + [[20, -2]] * 5
    assert out["num_tiles"].tolist() == [15]
    one = f"<slice>{IMAGE * 64}</slice>"
    group = f"<image>{IMAGE * 64}</image>{one}{one}\n{one}{one}"
    assert words.decode(out["input_ids"][0]) == f"{group}\n{group}"
    assert room(out, processor) == 10 * 64


def test_frames_are_not_cut_unless_asked(processor):
    frames = [celled(2, 2, 40 * number) for number in range(3)]
    out = processor(videos=[frames], text=VIDEO)
    assert len(out["pixel_values"]) == 3


def test_frames_of_one_package_that_are_cut_differently_are_refused(processor):
    video = Video([grey(1, 112, 56), grey(2, 56, 112)], [0, 1], 2)
    with pytest.raises(DataError, match=r"frames 0 to 1 differ in shape .*\(1, 2\), \(2, 1\)"):
        processor(videos=video, text=VIDEO, video_max_slice_nums=4)
    apart = processor(videos=Video(video.frames, [0, 1], 1), text=VIDEO, video_max_slice_nums=4)
    assert len(apart["temporal_ids"]) == 6


def test_frames_of_one_package_may_differ_in_size(processor):
    out = processor(videos=Video([grey(1, 56, 56), grey(2, 90, 40)], [0, 1], 2), text=VIDEO)
    assert out["temporal_ids"].tolist() == [[0, 10]]
    assert greys(out) == [1, 2]


def test_settings_of_a_video(processor, make, tmp_path):
    frames = [grey(n) for n in range(7)]
    out = processor(videos=[frames], text=VIDEO, video_fps=2, video_packing=3)
    assert out["temporal_ids"].tolist() == [[0, 5, 10], [15, 20, 25], [30, -2, -2]]
    processor.video_packing = 2
    assert processor(videos=[frames], text=VIDEO)["temporal_ids"].shape == (4, 2)
    many = make(most_packing=2)(videos=[frames * 60], text=VIDEO)
    assert many["temporal_ids"].shape == (210, 2)


def test_none_leaves_a_setting_as_it_is(processor):
    frames = [grey(n) for n in range(4)]
    settings = {"images": grey(9, 300, 200), "videos": [frames], "text": IMAGE + VIDEO}
    names = ("rate", "video_fps", "video_packing", "video_max_slice_nums", "max_slice_nums")
    expected, out = processor(**settings), processor(**settings, **dict.fromkeys(names))
    assert all(np.array_equal(out[name], expected[name]) for name in expected)


def test_a_frame_that_is_no_picture_is_named(processor):
    with pytest.raises(DataError, match="frame 1: a float is not a picture"):
        processor(videos=Video([grey(1), 0.5], [0, 1]), text=VIDEO)


@pytest.mark.parametrize(
    ("settings", "words_"),
    [
        ({"video_max_slice_nums": 0}, "max_slice_nums is 0"),
        ({"video_packing": 0}, "packing is 0"),
        ({"video_fps": 11.0}, "fps is 11"),
        ({"rate": 2}, "rate is 2"),
    ],
)
def test_settings_of_a_video_that_cannot_be_are_refused(processor, settings, words_):
    with pytest.raises(ConfigError, match=words_):
        processor(videos=[[grey(1)]], text=VIDEO, **settings)
