"""A page with a few drawn words in exact boxes, and the sample that a shard holds of it."""

from __future__ import annotations

import hashlib
from typing import Any

import cv2
import numpy as np
import orjson
from pagemill.engine.image import ImageConfig, encode
from pagemill.engine.key import page_key
from pagemill.engine.page import Block, Line, Page, TextLayer, Verdict, VerdictName, Word

Sample = tuple[str, list[tuple[str, bytes]]]


def draw_page(doc_sha256: str, page_index: int, page_count: int) -> tuple[np.ndarray, Page]:
    """A page with a few drawn words in exact boxes, and what its text layer says."""
    width, height, words, lines = 200 + 8 * page_index, 160, [], []
    image = np.full((height, width), 255, np.uint8)
    for row in range(3):
        first = len(words)
        for column, text in enumerate((doc_sha256[row : row + 3], f"p{page_index}")):
            x, y = 12.0 + 80 * column, 20.0 + 40 * row
            cv2.putText(image, text, (int(x), int(y) + 18), 0, 0.7, 16 * (row + 1) + column, 2)
            words.append(Word(text, (x, y, x + 60.0, y + 24.0), row))
        text = " ".join(word.text for word in words[first:])
        lines.append(
            Line(text, (12.0, 20.0 + 40 * row, 152.0, 44.0 + 40 * row), (first, len(words)), 0)
        )
    layer = TextLayer(tuple(words), tuple(lines), (Block((12.0, 20.0, 152.0, 124.0), (0, 3)),))
    page = Page(
        key=page_key(doc_sha256, page_index),
        doc_sha256=doc_sha256,
        page_index=page_index,
        page_count=page_count,
        width=width,
        height=height,
        dpi=144.0,
        rotation=0,
        engine="drawn 1",
        layer=layer,
        verdict=Verdict(VerdictName.TRUSTED, 0.97, {"ink_in_boxes": 0.99}),
        language="en",
        x_height=11.0,
        image_sha256="",
    )
    return image, page


def page_sample(doc_sha256: str, page_index: int, page_count: int) -> Sample:
    """A drawn page as it goes into a shard: 4-bit grey PNG and JSON."""
    image, page = draw_page(doc_sha256, page_index, page_count)
    data = encode(image, ImageConfig())
    columns: dict[str, Any] = page.to_dict()
    columns["image_sha256"] = hashlib.sha256(data).hexdigest()
    columns["source"] = {"uri": f"{doc_sha256[:8]}.pdf", "member": "", "licence": ""}
    return page.key, [("png", data), ("json", orjson.dumps(columns))]
