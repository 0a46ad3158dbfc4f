"""A view of a stream as `train.stream.inspect` gives it, made by hand."""

from __future__ import annotations

import numpy as np
from pagemill.train.stream.inspect import PackView, SampleDetail, SampleView, StreamView
from pagemill.train.stream.picture import PatchPicture


def stream_view() -> StreamView:
    """One pack of three samples: one with boxes, one of an unknown task, one that was lost."""
    grey = np.full((28, 28, 3), 255, np.uint8)
    picture = PatchPicture(grey, np.tile(grey, (2, 2, 1)), 2, 2)
    read = SampleView("ab_00001", "read", 40, 5, 9, (9, 0, 0, 0))
    strange = SampleView("ab_00002", "talk", 40, 5, 9, (0, 9, 0, 0))
    lost = SampleView("cd_00003", "lost", 20, 1, 0, (0, 0, 0, 0), "the image is cut off")
    answer = (("first line\nsecond", 1), (" end", -1))
    details = (
        SampleDetail(read, "<|im_start|>user\nRead", answer, (picture,), ((0, 0, 500, 500),) * 2),
        SampleDetail(strange, "What?", answer, (PatchPicture(grey, None, 1, 1),), ()),
    )
    pack = PackView((read, strange, lost), 120, 12)
    return StreamView(("s3://bucket/scans",), 3, 7, ((pack,),), details, 0.5)
