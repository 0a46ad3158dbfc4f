"""Video: which frames are looked at, when they were shown, and which share 64 tokens.

Sampling rule of MiniCPM-V 4.5: at most 180 packages of at most 3 frames by default (6 at most),
up to 10 frames a second; a frame's temporal id is its time in steps of 0.1 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..engine.errors import ConfigError, DataError, DependencyError
from .position import STEP_S

MOST_FPS = 10.0
MOST_PACKAGES = 180
MOST_PACKING = 6
DEFAULT_FPS = 3.0
DEFAULT_PACKING = 3


@dataclass(frozen=True, slots=True)
class Video:
    """Frames that were chosen, when each is shown, and how many share a package."""

    frames: Sequence[Any]
    """Pictures of any kind that `as_picture` takes."""
    times_s: Sequence[float]
    packing: int = DEFAULT_PACKING

    def __post_init__(self) -> None:
        if not self.frames:
            raise DataError("a video without frames")
        if len(self.frames) != len(self.times_s):
            raise DataError(f"{len(self.frames)} frames, but {len(self.times_s)} times")
        check_packing("packing", self.packing)

    def packages(self) -> list[range]:
        """Frame numbers of every package, in order; the last may be shorter."""
        count = len(self.frames)
        return [
            range(start, min(start + self.packing, count))
            for start in range(0, count, self.packing)
        ]

    def temporal_ids(self) -> list[int]:
        """Time of every frame in steps of 0.1 s."""
        return [temporal_id(time) for time in self.times_s]


def temporal_id(time_s: float) -> int:
    """A time in steps of 0.1 s."""
    return max(0, round(time_s / STEP_S))


def sampling(
    duration_s: float,
    native_fps: float,
    *,
    fps: float = DEFAULT_FPS,
    packing: int | None = None,
    most_packing: int = DEFAULT_PACKING,
) -> tuple[int, int]:
    """(frames to take, frames a package) for a video of this length.

    Frames are added until 180 packages of one frame are full; then packages grow to
    `most_packing`, and only after that the rate drops. A given `packing` fixes the package.

    Raises:
        ConfigError: a rate or a package that is not allowed.
    """
    check_settings(fps, packing, most_packing)
    wanted = max(1, round(duration_s * min(fps, native_fps)))
    size = packing or least_packing(wanted, most_packing)
    return min(wanted, size * MOST_PACKAGES), size


def least_packing(frames: int, most_packing: int) -> int:
    """Frames a package that keep so many frames within 180 packages, `most_packing` at most."""
    return min(most_packing, max(1, math.ceil(frames / MOST_PACKAGES)))


def check_settings(fps: float, packing: int | None, most_packing: int) -> None:
    """Refuse a rate or a package that is not allowed."""
    if not 0 < fps <= MOST_FPS:
        raise ConfigError(f"fps is {fps}; it is above 0 and at most {MOST_FPS:g}")
    if packing is not None:
        check_packing("packing", packing)
    check_packing("most_packing", most_packing)


def check_packing(name: str, value: int) -> None:
    """Refuse a number of frames a package that is not allowed."""
    if not 1 <= value <= MOST_PACKING:
        raise ConfigError(f"{name} is {value}; it goes from 1 to {MOST_PACKING}")


def read_video(
    path: str | Path,
    *,
    fps: float = DEFAULT_FPS,
    packing: int | None = None,
    most_packing: int = DEFAULT_PACKING,
) -> Video:
    """The chosen frames of a video file, decoded once from beginning to end.

    Args:
        path: any container that FFmpeg reads.
        fps: frames a second to look at, at most 10.
        packing: frames a package; None lets the length decide.
        most_packing: cap of what the length decides.

    Raises:
        DataError: missing, broken, or without a picture.
        DependencyError: PyAV is not installed.
        ConfigError: a setting that is not allowed.
    """
    try:
        import av
    except ImportError as err:
        raise DependencyError(
            "reading video files needs PyAV: pip install 'pagemill[train]'"
        ) from err
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"{path}: there is no video in this file", reason="unreadable")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            native = float(stream.average_rate or stream.guessed_rate or 25)
            duration = length_s(container, stream, native)
            count, size = sampling(
                duration, native, fps=fps, packing=packing, most_packing=most_packing
            )
            wanted = [(number + 0.5) * duration / count for number in range(count)]
            frames, times = chosen(container.decode(stream), wanted, native)
    except (OSError, av.error.FFmpegError) as err:
        raise DataError(f"{path}: cannot be read as a video: {err}", reason="unreadable") from err
    if not frames:
        raise DataError(f"{path}: no frame could be decoded", reason="unreadable")
    return Video(frames, times, size)


def length_s(container: Any, stream: Any, native_fps: float) -> float:
    """Length in seconds by what the file says, at least one frame."""
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / 1e6
    else:
        seconds = (stream.frames or 1) / native_fps
    return max(seconds, 1 / native_fps)


def chosen(
    decoded: Any, wanted: list[float], native_fps: float
) -> tuple[list[Image.Image], list[float]]:
    """The frame that is on the screen at each wanted time; none twice."""
    frames: list[Image.Image] = []
    times: list[float] = []
    first, last, next_up = None, None, 0
    for number, frame in enumerate(decoded):
        time = frame.time if frame.time is not None else number / native_fps
        first = time if first is None else first
        time -= first
        while next_up < len(wanted) and time > wanted[next_up]:
            next_up += 1
            if last is not None and (not times or last[1] > times[-1]):
                frames.append(upright(last[0]))
                times.append(last[1])
        last = (frame, time)
        if next_up == len(wanted):
            return frames, times
    if last is not None and (not times or last[1] > times[-1]):
        frames.append(upright(last[0]))
        times.append(last[1])
    return frames, times


def upright(frame: Any) -> Image.Image:
    """A decoded frame as a picture, turned as the file says."""
    picture: Image.Image = frame.to_image()
    turn = int(getattr(frame, "rotation", 0) or 0)
    return picture.rotate(turn, expand=True) if turn % 360 else picture


def as_video(
    source: Any,
    *,
    fps: float = DEFAULT_FPS,
    packing: int | None = None,
    most_packing: int = DEFAULT_PACKING,
) -> Video:
    """A `Video`, a path, or a list of frames shown `fps` times a second.

    Frames that are given are all taken, even where they fill more than 180 packages.

    Raises:
        DataError: none of these, or a file that cannot be read.
        ConfigError: a setting that is not allowed.
    """
    check_settings(fps, packing, most_packing)
    if isinstance(source, Video):
        return source
    if isinstance(source, (str, Path)):
        return read_video(source, fps=fps, packing=packing, most_packing=most_packing)
    if getattr(source, "ndim", 0) == 4:
        source = list(source)
    if isinstance(source, (list, tuple)):
        size = packing or least_packing(len(source), most_packing)
        return Video(source, [number / fps for number in range(len(source))], size)
    raise DataError(f"a {type(source).__name__} is not a video: a path or a list of frames is")


def is_video(source: Any) -> bool:
    """Whether this is one video rather than a list of them."""
    if isinstance(source, (Video, str, Path)):
        return True
    if getattr(source, "ndim", 0) == 4:
        return True
    if not isinstance(source, (list, tuple)) or not source:
        return False
    return not isinstance(source[0], (list, tuple, str, Path, Video)) and getattr(
        source[0], "ndim", 3
    ) in (2, 3)


def flat_videos(source: Any) -> list[Any]:
    """The videos of any nesting of lists, in order."""
    if source is None:
        return []
    if is_video(source):
        return [source]
    if isinstance(source, (list, tuple)):
        return [video for part in source for video in flat_videos(part)]
    raise DataError(f"a {type(source).__name__} is not a video: a path or a list of frames is")
