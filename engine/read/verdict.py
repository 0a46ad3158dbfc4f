"""May a page's text layer be believed? Judged against the page's own pixels.

Evidence first, then rules that a reader can follow from the top: the first that applies names
the verdict. `docs/verdict.md` explains every number, and what cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..page import TextLayer, Verdict, VerdictName, WordFlag
from .ink import best_shift, boxes_of, contrast_of, ink_map, inked_share, uncovered_share
from .script import Script, read_script
from .shape import Shape, judge_shapes, marks
from .xheight import x_height

__all__ = ["judge", "x_height"]

# Shares from which on a page is not believed. Fitted on the development half of the labelled
# set (tests/lying.py) and on real pages; `bench/verdict.py` prints what they do.
_HIDDEN = 0.5
_SOME_HIDDEN = 0.15
_UNMAPPED = 0.05
_MOJIBAKE = 0.5
_INKED = 0.80
_UNCOVERED = 0.33
_OUTSIDE = 0.33
_MISMATCH = 0.20
_MISMATCH_GUESSED = 0.45
"""Where the engine gives no positions of characters."""
_MISMATCH_GROUP = 0.45
"""Of the digits, the small or the capital letters, or one font."""
_BEATEN = 0.10
"""A claim is beaten where more than this share of other characters fits better."""
_LOOKS_LIKE_TEXT = 0.62
"""Mean best correlation under which the pictures are no characters at all."""
_SCAN = 0.85
"""Share of the page under one image, from which on it may be a scan."""
_PAINTED_FIT = 0.90
"""Mean correlation that text painted by the engine reaches, and text over a scan rarely."""
_MISFIT = 1.5
"""Contrast gained by moving the boxes, as a factor, that proves them misplaced."""
_SCANNERS = ("abbyy", "finereader", "tesseract", "ocrmypdf", "paper capture", "omnipage",
             "readiris", "luradocument", "scansoft", "pdf-xchange ocr", "clearscan", "adlib",
             "capture plug-in", "scansnap", "pdfcompressor", "iris")  # fmt: skip


def judge(image: np.ndarray, layer: TextLayer, *, producer: str = "") -> Verdict:
    """Does the text layer say what the pixels show?

    Costs about 5 ms on an ordinary page at 144 dpi; works from 72 to 300 dpi.

    Args:
        image: uint8 [height, width] or [height, width, 3].
        layer: the page's text, in pixels of the image.
        producer: the program that the document names as its maker.

    Returns:
        The verdict; its evidence is explained in `docs/verdict.md`.
    """
    script = read_script(word.text for word in layer.words)
    if not script.characters:
        return Verdict(VerdictName.NONE, 0.0, {"words": 0.0})
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    evidence = _gather(grey, layer, script, producer)
    name, score = _decide(evidence)
    return Verdict(name, round(score, 4), {k: round(v, 4) for k, v in evidence.items()})
