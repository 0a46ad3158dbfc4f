"""What pdfinfo prints of a document and the boxes of its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...geometry import Box, intersection

_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"
_SIZE = re.compile(rf"^Page\s+(\d+) size:\s+{_NUMBER} x {_NUMBER} pts", re.MULTILINE)
_ROTATION = re.compile(r"^Page\s+(\d+) rot:\s+(-?\d+)", re.MULTILINE)
_BOX = re.compile(
    rf"^Page\s+(\d+) (Media|Crop)Box:\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page's boxes, pt: x to the right, y up, before rotation and UserUnit."""

    media: Box
    crop: Box
    rotation: int
    user_unit: float | None = None
    """None until it is asked for."""

    @property
    def scale(self) -> float:
        return self.user_unit or 1.0

    @property
    def plain_pt(self) -> tuple[float, float]:
        """Width and height as rotated, before UserUnit."""
        width, height = self.crop[2] - self.crop[0], self.crop[3] - self.crop[1]
        return (height, width) if self.rotation in (90, 270) else (width, height)

    @property
    def size_pt(self) -> tuple[float, float]:
        width, height = self.plain_pt
        return width * self.scale, height * self.scale

    @property
    def offset(self) -> tuple[float, float]:
        """Top left of the crop box from the top left of the media box, both as rotated."""
        left, right = self.crop[0] - self.media[0], self.media[2] - self.crop[2]
        top, bottom = self.media[3] - self.crop[3], self.crop[1] - self.media[1]
        return {0: (left, top), 90: (bottom, left), 180: (right, bottom), 270: (top, right)}[
            self.rotation
        ]


def sheets_of(info: str) -> dict[int, Sheet]:
    """The pages that `pdfinfo -box` measured, by page index."""
    boxes: dict[tuple[int, str], Box] = {}
    for number, kind, *values in _BOX.findall(info):
        x0, y0, x1, y1 = map(float, values)
        boxes[int(number), kind] = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    turns = {int(number): int(turn) % 360 for number, turn in _ROTATION.findall(info)}
    sheets: dict[int, Sheet] = {}
    for number, width, height in _SIZE.findall(info):
        page = int(number)
        if min(float(width), float(height)) <= 0:  # how pdfinfo says that there is no such page
            continue
        media = boxes.get((page, "Media"), (0.0, 0.0, float(width), float(height)))
        crop = intersection(media, boxes.get((page, "Crop"), media))
        # pdfinfo prints boxes with two decimals and sizes with six digits
        crop = (crop[0], crop[3] - float(height), crop[0] + float(width), crop[3])
        turn = turns.get(page, 0)
        sheets[page - 1] = Sheet(media, crop, turn if turn % 90 == 0 else 0)
    return sheets


def field_of(info: str, name: str) -> str:
    """One line of what pdfinfo says of the document, such as `Pages`; "" where it is missing.

    Of several such lines the last: a title of many lines comes before what poppler counts.
    """
    values = re.findall(rf"^{name}:[^\S\n]+(.*)$", info, re.MULTILINE)
    return values[-1].strip() if values else ""
