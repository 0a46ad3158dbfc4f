"""May a page's text layer be believed? Judged against the page's own pixels.

Evidence is gathered first; then rules, read from the top: the first whose evidence reaches its
limit names the verdict. `docs/verdict.md` explains every number, and what cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..page import TextLayer, Verdict, VerdictName, WordFlag
from .ink import InkMap, best_shift, boxes_of, ink_map, inked_share, uncovered_share
from .mark import Marks, marks
from .script import Script, read_script
from .shape import Shape, judge_shapes, mismatch
from .x_height import x_height

__all__ = ["judge", "x_height"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A verdict that applies where a piece of evidence reaches its limit."""

    name: VerdictName
    evidence: str
    limit: float
    guessed: float | None = None
    """The limit where positions of characters are guessed from word boxes; None: the same."""


# Limits fitted on real pages and the development half of the labelled set in
# tests/support/lying.py; bench/verdict.py prints what they do on both halves.
_RULES = (
    Rule(VerdictName.MISALIGNED, "misplaced", 1.0),
    Rule(VerdictName.HIDDEN, "hidden", 0.5),
    Rule(VerdictName.HIDDEN, "scanned", 1.0),
    Rule(VerdictName.GARBLED, "unmapped", 0.05),
    Rule(VerdictName.GARBLED, "mojibake", 0.5),
    Rule(VerdictName.PARTIAL, "inkless", 0.2),
    Rule(VerdictName.PARTIAL, "unlike", 1.0),
    Rule(VerdictName.PARTIAL, "uncovered", 0.3),
    Rule(VerdictName.GARBLED, "mismatch", 0.18, guessed=0.55),
    Rule(VerdictName.GARBLED, "mismatch_digit", 0.23, guessed=0.45),
    Rule(VerdictName.GARBLED, "mismatch_small", 0.15, guessed=0.42),
    Rule(VerdictName.GARBLED, "mismatch_capital", 0.2, guessed=0.62),
    Rule(VerdictName.GARBLED, "mismatch_other", 0.45, guessed=0.9),
    Rule(VerdictName.GARBLED, "mismatch_wide", 0.4, guessed=0.6),
    Rule(VerdictName.GARBLED, "mismatch_font", 0.4, guessed=0.9),
    Rule(VerdictName.PARTIAL, "hidden", 0.15),
    Rule(VerdictName.MISALIGNED, "outside", 0.33),
)
_UNLIKE = 0.62
"""Mean correlation with the nearest character under which pictures show no characters."""
_MOVED_GAIN = 1.5
"""Ink under the boxes after the best move, as a factor, that proves them misplaced."""
_REACH_EM = 4.0
"""How far misplaced boxes are sought, in font sizes."""
_SCAN_COVER = 0.6
"""Share of the page under images from which on it may be a scan."""
_WANDER = 0.32
"""How much one character's pictures differ where an OCR program placed the text."""
_FLAT = 0.3
"""Share of one grey on the page under which its paper has the grain of a scan or a photograph."""
_SCANNERS = (
    *("abbyy", "adlib", "clearscan", "finereader", "iris", "luradocument", "ocrmypdf"),
    *("omnipage", "paper capture", "pdfcompressor", "scansnap", "scansoft", "tesseract"),
)
_SCANNER_FONTS = ("glyphless", "hiddenhorzocr", "ocr-")


def judge(image: np.ndarray, layer: TextLayer, *, producer: str = "") -> Verdict:
    """Does the text layer say what the pixels show?

    Costs about 4 ms on an ordinary page at 144 dpi; works from 72 to 300 dpi.

    Args:
        image: uint8 [height, width] or [height, width, 3].
        layer: the page's text, in pixels of the image.
        producer: the program that the document names as its maker.

    Returns:
        The verdict; its evidence is explained in `docs/verdict.md`.
    """
    script = read_script(word.text for word in layer.words)
    if not script.characters:
        return Verdict(VerdictName.NONE, 0.0, {"characters": 0.0})
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    at = marks(layer)
    evidence = _gather(grey, layer, at, script, producer)
    name, score = _decide(evidence, guessed=not at.exact)
    rounded = {key: round(float(value), 4) for key, value in evidence.items()}
    return Verdict(name, round(score, 4), rounded)


def _decide(evidence: dict[str, float], *, guessed: bool) -> tuple[VerdictName, float]:
    """The first rule that applies, and a score from the evidence nearest to its limit."""
    strains = [
        (evidence[rule.evidence] / (rule.guessed if guessed and rule.guessed else rule.limit), rule)
        for rule in _RULES
    ]
    strain = max(value for value, _ in strains)
    name = next((rule.name for value, rule in strains if value >= 1), VerdictName.TRUSTED)
    score = 1 / (1 + strain**2)
    if name is VerdictName.TRUSTED:
        score *= 0.6 + 0.4 * evidence["judged"]
    return name, score


def _gather(
    grey: np.ndarray, layer: TextLayer, at: Marks, script: Script, producer: str
) -> dict[str, float]:
    """Every number the rules look at, and those that explain them."""
    boxes = boxes_of([word.box for word in layer.words])
    ink = ink_map(grey, boxes)
    shape = judge_shapes(grey, at)
    wrong = mismatch(shape)
    weight = np.sqrt(shape.count) * shape.judged
    evidence = {
        "characters": float(script.characters),
        "unmapped": script.unmapped,
        "mojibake": script.mojibake,
        "hidden": _hidden_share(layer),
        "image_cover": layer.image_cover,
        "scanner": float(_is_scanner(layer, producer)),
        "outside": layer.outside / max(1, layer.outside + len(layer.words)),
        "inkless": 1.0 - inked_share(ink, boxes),
        "uncovered": uncovered_share(ink, boxes),
        "flat": ink.flat,
        "fit": _mean(shape.claim, weight),
        "nearest": _mean(shape.best, weight),
        "wander": shape.wander,
        "judged": min(1.0, float(shape.count[shape.judged].sum() / script.characters)),
        "width_fit": _width_fit(shape),
        "mismatch": wrong.every,
        "mismatch_digit": wrong.digit,
        "mismatch_small": wrong.small,
        "mismatch_capital": wrong.capital,
        "mismatch_other": wrong.other,
        "mismatch_wide": wrong.wide,
        "mismatch_font": wrong.font,
    }
    evidence["unlike"] = (1 - evidence["nearest"]) / (1 - _UNLIKE)
    evidence["scanned"] = _scanned(evidence, guessed=not at.exact)
    evidence |= _misplaced(ink, boxes, at, evidence)
    return evidence


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float((np.nan_to_num(values) * weight).sum() / total) if total else 1.0


def _hidden_share(layer: TextLayer) -> float:
    """Share of the characters that the backend does not paint."""
    if layer.glyphs is not None and len(layer.glyphs.hidden):
        return float(layer.glyphs.hidden.mean())
    length = np.array([len(word.text) for word in layer.words])
    invisible = np.array([bool(word.flags & WordFlag.INVISIBLE) for word in layer.words])
    return float(length[invisible].sum() / max(1, length.sum()))


def _is_scanner(layer: TextLayer, producer: str) -> bool:
    """The document names a known OCR program, or uses a font that only those use."""
    fonts = " ".join(layer.glyphs.font_names).lower() if layer.glyphs is not None else ""
    maker = producer.lower()
    return any(name in maker for name in _SCANNERS) or any(f in fonts for f in _SCANNER_FONTS)


def _scanned(evidence: dict[str, float], *, guessed: bool) -> float:
    """From 1 on: painted text that repeats a picture of the page, rather than standing on it.

    A backend paints a letter the same each time; a scan's letters never lie twice alike under
    the words of an OCR program. Where only word boxes are known, every page under a picture is
    taken for a scan.
    """
    if evidence["image_cover"] < _SCAN_COVER:
        return 0.0
    if evidence["scanner"] or guessed:
        return 1.0
    uneasy = 1.4 if evidence["flat"] < _FLAT else 1.0
    return uneasy * evidence["wander"] / _WANDER


def _width_fit(shape: Shape) -> float:
    """Correlation of advance widths with the usual ones; 1 where there is nothing to compare."""
    use = shape.judged & ~np.isnan(shape.expected_em) & (shape.width_em < 3)
    if use.sum() < 8:
        return 1.0
    seen, usual = shape.width_em[use], shape.expected_em[use]
    spread = float(seen.std()), float(usual.std())
    if min(spread) < 0.02:
        return 1.0
    together = (seen - seen.mean()) @ (usual - usual.mean()) / len(seen)
    return float(together) / (spread[0] * spread[1])


def _misplaced(
    ink: InkMap, boxes: np.ndarray, at: Marks, evidence: dict[str, float]
) -> dict[str, float]:
    """Would the boxes lie on more ink elsewhere? Sought only where something is wrong."""
    suspicious = evidence["inkless"] > 0.1 or evidence["hidden"] > 0.5 or evidence["unlike"] > 1
    if not suspicious or not len(at.size_px):
        return {"misplaced": 0.0, "shift_px": 0.0}
    size = float(np.median(at.size_px))
    (dx, dy), there, here = best_shift(ink, boxes, _REACH_EM * size)
    distance = float(np.hypot(dx, dy))
    gain = there / max(here, 1.0)
    return {
        "misplaced": gain / _MOVED_GAIN if distance > 0.3 * size and there > 15 else 0.0,
        "shift_px": distance,
    }
