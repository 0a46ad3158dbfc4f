"""Paper is told from ink."""

from __future__ import annotations

import cv2
import numpy as np
from pagemill.corruption.operator.tone import ink_of, paper_of


def test_paper_and_ink_of_dark_and_light_crops():
    crop = np.full((30, 120), 250, np.uint8)
    cv2.putText(crop, "Paper mill 12", (1, 27), 0, 30 / 40, 10, 1)
    assert paper_of(crop) == (250,)
    assert ink_of(crop, (250,))[0] < 60
    assert paper_of(255 - crop) == (5,)
    assert ink_of(255 - crop, (5,))[0] > 190
