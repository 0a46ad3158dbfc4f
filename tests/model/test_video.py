"""Which frames of a video are looked at, when they were shown, and which share a package.

Videos are written here with FFmpeg's lossless codec: the grey of a frame is its number.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError, DataError, DependencyError
from pagemill.model.video import (
    MOST_PACKAGES,
    Video,
    as_video,
    chosen,
    flat_videos,
    is_video,
    read_video,
    sampling,
)
from PIL import Image

av = pytest.importorskip("av", reason="needs pagemill[train]")


def write(
    path: Path,
    times_s: Sequence[float],
    *,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    rate: int = 10,
) -> Path:
    """A video of 32 x 16 px: frame n, shown from times_s[n] on, has the grey n."""
    tick = Fraction(1, 1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 32, 16, pixels
        stream.codec_context.time_base = tick
        for number, time_s in enumerate(times_s):
            values = np.full((16, 32, 3), number, np.uint8)
            values[:4, :4] = 255
            frame = av.VideoFrame.from_ndarray(values, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = round(time_s * 1000), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbers(video: Video) -> list[int]:
    """The frames that were chosen, read off their grey."""
    return [frame.getpixel((20, 10))[0] for frame in video.frames]


def steady(seconds: float, rate: int = 10) -> list[float]:
    return [number / rate for number in range(round(seconds * rate))]


# The sampling rule


@pytest.mark.parametrize(
    ("duration_s", "settings", "expected"),
    [
        (10, {}, (30, 1)),  # 3 frames a second
        (60, {}, (180, 1)),  # exactly full
        (61, {}, (183, 2)),
        (120, {}, (360, 2)),
        (121, {}, (363, 3)),
        (180, {}, (540, 3)),
        (3600, {}, (540, 3)),  # then the rate drops
        (3600, {"most_packing": 6}, (1080, 6)),
        (300, {"most_packing": 6}, (900, 5)),
        (3600, {"most_packing": 1}, (180, 1)),
        (10, {"packing": 6}, (30, 6)),
        (3600, {"packing": 4}, (720, 4)),
        (10, {"fps": 10}, (100, 1)),
        (10, {"fps": 0.5}, (5, 1)),
        (0.01, {}, (1, 1)),
        (0, {}, (1, 1)),
    ],
)
def test_the_sampling_rule(duration_s, settings, expected):
    assert sampling(duration_s, 30, **settings) == expected


def test_no_frame_is_looked_at_twice_where_the_video_has_few():
    assert sampling(10, 2) == (20, 1)
    assert sampling(10, 2, fps=1) == (10, 1)


@given(
    st.floats(0, 100_000),
    st.floats(0.1, 240),
    st.floats(0.01, 10),
    st.none() | st.integers(1, 6),
    st.integers(1, 6),
)
def test_there_are_at_most_180_packages(duration_s, native, fps, packing, most):
    frames, size = sampling(duration_s, native, fps=fps, packing=packing, most_packing=most)
    assert size == packing if packing else size <= most
    assert 1 <= frames <= size * MOST_PACKAGES <= 1080
    assert frames <= max(1, duration_s * min(fps, native) + 1)
    video = Video([None] * frames, [0.0] * frames, size)
    assert len(video.packages()) <= MOST_PACKAGES


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fps": 0}, "fps is 0; it is above 0 and at most 10"),
        ({"fps": -1}, "fps is -1"),
        ({"fps": 10.5}, "fps is 10.5"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"packing": 0}, "^packing is 0; it goes from 1 to 6"),
        ({"packing": 7}, "^packing is 7"),
        ({"most_packing": 0}, "most_packing is 0"),
        ({"most_packing": 7}, "most_packing is 7"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(settings, words, tmp_path):
    path = write(tmp_path / "v.mkv", steady(0.3))
    with pytest.raises(ConfigError, match=words):
        sampling(10, 30, **settings)
    for source in (path, [Image.new("L", (4, 4))] * 3, Video([None], [0.0])):
        with pytest.raises(ConfigError, match=words):
            as_video(source, **settings)
    with pytest.raises(ConfigError, match=words):
        read_video(path, **settings)


# Packages and times


@pytest.mark.parametrize(
    ("frames", "packing", "expected"),
    [
        (7, 3, [range(0, 3), range(3, 6), range(6, 7)]),
        (6, 3, [range(0, 3), range(3, 6)]),
        (2, 6, [range(0, 2)]),
        (3, 1, [range(0, 1), range(1, 2), range(2, 3)]),
    ],
)
def test_packages_take_frames_in_order(frames, packing, expected):
    assert Video([None] * frames, [0.0] * frames, packing).packages() == expected


def test_temporal_ids_are_times_in_tenths_of_a_second():
    times = [0, 0.04, 0.06, 0.1, 1 / 3, 59.94, 7200]
    assert Video([None] * 7, times).temporal_ids() == [0, 0, 1, 1, 3, 599, 72_000]
    assert Video([None], [-0.2]).temporal_ids() == [0]


@pytest.mark.parametrize(
    ("frames", "times_s", "packing", "error", "words"),
    [
        ([], [], 1, DataError, "without frames"),
        ([None], [0.0, 1.0], 1, DataError, "1 frames, but 2 times"),
        ([None], [0.0], 0, ConfigError, "packing is 0"),
        ([None], [0.0], 7, ConfigError, "packing is 7; it goes from 1 to 6"),
    ],
)
def test_a_video_that_cannot_be_is_refused(frames, times_s, packing, error, words):
    with pytest.raises(error, match=words):
        Video(frames, times_s, packing)


# Files


def test_frames_are_taken_from_the_middle_of_equal_parts(tmp_path):
    """3 s at 10 frames a second, three looks a second: at 1/6, 1/2, 5/6 … s."""
    video = read_video(write(tmp_path / "v.mkv", steady(3)))
    assert numbers(video) == [1, 5, 8, 11, 15, 18, 21, 25, 28]
    assert video.times_s == pytest.approx([number / 10 for number in numbers(video)])
    assert video.temporal_ids() == numbers(video)
    assert video.packing == 1


@pytest.mark.parametrize("rate", [5, 10, 25, 50])
@pytest.mark.parametrize("fps", [0.5, 1, 3, 10])
def test_the_frame_on_the_screen_is_taken(rate, fps, tmp_path):
    """Against exact arithmetic: at each wanted time the last frame that has begun."""
    frames = 2 * rate
    video = read_video(write(tmp_path / "v.mkv", steady(2, rate), rate=rate), fps=fps)
    count = round(2 * min(fps, rate))
    wanted = [Fraction(2 * number + 1, count) for number in range(count)]
    expected = [int(time * rate) for time in wanted]
    assert numbers(video) == sorted({min(number, frames - 1) for number in expected})
    assert video.times_s == pytest.approx([n / rate for n in numbers(video)], abs=1e-3)


def test_a_rate_above_that_of_the_video_takes_every_frame_once(tmp_path):
    video = read_video(write(tmp_path / "v.mkv", steady(3, 4), rate=4), fps=10)
    assert numbers(video) == list(range(12))


def test_frames_of_varying_length(tmp_path):
    """Looked at every half second: the long ones are met several times, and taken once."""
    times = [0, 1, 2, 2.1, 2.2, 2.3, 2.4, 2.5, 5]
    video = read_video(write(tmp_path / "v.mkv", times), fps=2)
    assert numbers(video) == [0, 1, 4, 7]
    assert video.times_s == pytest.approx([0, 1, 2.2, 2.5])
    assert video.temporal_ids() == [0, 10, 22, 25]


def test_times_count_from_the_first_frame(tmp_path):
    shifted = [2 + time for time in steady(3)]
    video = read_video(write(tmp_path / "v.mkv", shifted))
    assert video.times_s[0] < 0.4
    assert numbers(video) == [round(10 * time) for time in video.times_s]


@pytest.mark.parametrize(("codec", "name"), [("mpeg4", "v.mp4"), ("mjpeg", "v.avi")])
def test_other_codecs_and_containers(codec, name, tmp_path):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    video = read_video(write(tmp_path / name, steady(2), codec=codec, pixels=pixels), fps=5)
    assert len(video.frames) == 10
    assert video.times_s == pytest.approx([0.1 + n / 5 for n in range(10)], abs=0.11)
    assert numbers(video) == pytest.approx([10 * time for time in video.times_s], abs=3)


def test_packages_of_a_file(tmp_path):
    path = write(tmp_path / "v.mkv", steady(3))
    assert [len(group) for group in read_video(path, packing=4).packages()] == [4, 4, 1]
    assert as_video(str(path), packing=6).packing == 6


def test_a_long_video_is_packed_until_the_packages_are_full(tmp_path):
    """250 s at one frame a second, three looks a second: 250 frames, two a package."""
    path = write(tmp_path / "v.mkv", steady(250, 1), rate=1)
    video = read_video(path)
    assert (len(video.frames), video.packing) == (250, 2)
    video = read_video(path, most_packing=1)
    assert (len(video.frames), video.packing) == (180, 1)
    assert numbers(video) == [int((number + 0.5) * 250 / 180) for number in range(180)]


def rotated(path: Path, matrix: list[int]) -> Path:
    """The MP4 with this display matrix in its track header, as telephones write it."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 4 + 20 + 16
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "size", "bright"),
    [
        ([ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30], (32, 16), (1, 1)),
        (
            [0, ONE, 0, -ONE, 0, 0, 16 * ONE, 0, 1 << 30],
            (16, 32),
            (14, 1),
        ),  # a quarter to the right
        ([-ONE, 0, 0, 0, -ONE, 0, 32 * ONE, 16 * ONE, 1 << 30], (32, 16), (30, 14)),
        ([0, -ONE, 0, ONE, 0, 0, 0, 32 * ONE, 1 << 30], (16, 32), (1, 30)),
    ],
)
def test_a_video_that_was_filmed_turned_is_upright(matrix, size, bright, tmp_path):
    """The bright corner stands at the top left as it is stored."""
    path = write(tmp_path / "v.mp4", steady(1), codec="mpeg4", pixels="yuv420p")
    (frame, *_) = read_video(rotated(path, matrix)).frames
    assert frame.size == size
    assert frame.getpixel(bright)[0] > 200
    opposite = (size[0] - 1 - bright[0], size[1] - 1 - bright[1])
    assert frame.getpixel(opposite)[0] < 60


def audio(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), format="s16", layout="mono"
        )
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_file_without_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"a\.wav: there is no video") as caught:
        read_video(audio(tmp_path / "a.wav"))
    assert caught.value.reason == "unreadable"


def test_files_that_are_no_video_are_refused(tmp_path):
    whole = write(tmp_path / "v.mp4", steady(1), codec="mpeg4", pixels="yuv420p").read_bytes()
    for name, data in [
        ("t.mp4", b"no video\n" * 99),
        ("e.mp4", b""),
        ("c.mp4", whole[: whole.index(b"moov") - 4]),
    ]:
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(DataError, match=f"{name}: cannot be read as a video") as caught:
            read_video(path)
        assert caught.value.reason == "unreadable"


def test_missing_files_are_refused(tmp_path):
    for path in (tmp_path / "gone.mp4", tmp_path):
        with pytest.raises(DataError, match=f"{path.name}: cannot be read as a video: .*Errno"):
            as_video(path)
    with pytest.raises(DataError, match=r"127\.0\.0\.1:1/v\.mp4: .*refused"):
        read_video("http://127.0.0.1:1/v.mp4")


def test_a_video_that_breaks_off_gives_what_there_is(tmp_path):
    path = write(tmp_path / "v.mkv", steady(3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = read_video(path)
    assert 1 < len(video.frames) < 9
    assert numbers(video) == [round(10 * time) for time in video.times_s]


def test_a_file_without_one_whole_frame_is_refused(tmp_path):
    path = write(tmp_path / "v.mkv", steady(0.1))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(bytes.fromhex("1f43b675")) + 14])
    with pytest.raises(DataError, match=r"v\.mkv"):
        read_video(path)


def test_a_missing_pyav_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(DependencyError, match=r"pagemill\[train\]"):
        read_video(tmp_path / "v.mkv")


def test_frames_without_times_stand_at_the_rate_of_the_video():
    class Frame:
        time = None
        rotation = 0

        def __init__(self, number: int) -> None:
            self.number = number

        def to_image(self) -> Image.Image:
            return Image.new("RGB", (2, 2), (self.number,) * 3)

    frames, times = chosen((Frame(number) for number in range(9)), [0.3, 1.1, 1.2], 4)
    assert [frame.getpixel((0, 0))[0] for frame in frames] == [1, 4]
    assert times == [0.25, 1.0]


# What a video may be


def test_lists_of_frames_are_shown_at_the_rate():
    frames = [Image.new("L", (4, 4))] * 5
    video = as_video(frames, fps=2)
    assert video.times_s == [0, 0.5, 1, 1.5, 2]
    assert video.packing == 1
    assert as_video(frames, packing=4).packing == 4
    assert as_video(frames * 60).packing == 2
    assert as_video(frames * 60, most_packing=1).packing == 1
    given_video = Video(frames, [0.0, 1.0, 2.0, 3.0, 4.0], 5)
    assert as_video(given_video, fps=2, packing=1) is given_video


@pytest.mark.parametrize("stack", [np.zeros((5, 4, 6, 3), np.uint8), torch.zeros(5, 3, 4, 6)])
def test_stacks_of_frames(stack):
    assert is_video(stack)
    assert len(as_video(stack).frames) == 5


@pytest.mark.parametrize("thing", [7, object(), np.zeros((4, 6)), {"path": "v.mp4"}])
def test_things_that_are_no_video_are_refused(thing):
    for ask in (as_video, flat_videos):
        with pytest.raises(DataError, match="is not a video: a path or a list of frames is"):
            ask(thing)


def test_any_nesting_of_videos_is_made_flat():
    image, grey = Image.new("L", (4, 4)), np.zeros((4, 6), np.uint8)
    stack, video = np.zeros((5, 4, 6, 3), np.uint8), Video([image], [0.0])
    assert flat_videos(None) == flat_videos([]) == flat_videos([[], []]) == []
    assert flat_videos("v.mp4") == ["v.mp4"]
    assert flat_videos([image, image]) == [[image, image]]
    assert flat_videos([grey, grey]) == [[grey, grey]]
    assert flat_videos([[image, image], [image]]) == [[image, image], [image]]
    assert flat_videos([[], ["a.mp4", Path("b.mp4")], [video]]) == ["a.mp4", Path("b.mp4"), video]
    (found,) = flat_videos([[stack]])
    assert found is stack
