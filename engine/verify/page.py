"""Does a sample keep its word: JSON that agrees with itself, an image that is the one it means?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from ..errors import DataError
from ..image import decode
from ..key import page_key
from ..page import Page, page_from_dict
from ..record import PageFacts
from ..store.index import IndexRow
from .fault import FaultKind

Finding = tuple[FaultKind, str]
_EDGE_PX = 0.051
_FACTS_COMPARED = (
    *("width", "height", "words", "lines", "blocks", "figures"),
    *("language", "verdict"),
)


def check_page(key: str, image: bytes, text: bytes, row: IndexRow | None) -> list[Finding]:
    """What is wrong with one sample; decodes its image, about 9 ms for a page at 144 dpi.

    Args:
        key: the sample's key in the tar.
        image: the image member.
        text: the JSON member.
        row: what the index says, where there is one.
    """
    try:
        sample = orjson.loads(text)
        page = page_from_dict(sample)
        facts = PageFacts.from_page(page)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as err:
        return [(FaultKind.JSON, f"its JSON cannot be read: {err!r}")]
    findings = [(FaultKind.JSON, what) for what in _contradictions(key, sample)]
    findings += [(FaultKind.IMAGE, what) for what in _image_faults(page, image)]
    if row is not None:
        findings += [(FaultKind.INDEX, what) for what in _index_lies(page, facts, row)]
    return findings


def _contradictions(key: str, sample: dict[str, Any]) -> Iterator[str]:
    if sample["key"] != key:
        yield f"its JSON says that it is {sample['key']}"
    elif page_key(sample["doc_sha256"], sample["page_index"]) != key:
        yield f"its key is not that of page {sample['page_index']} of {sample['doc_sha256']}"
    if not 0 <= sample["page_index"] < sample["page_count"]:
        yield f"it is page {sample['page_index']} of {sample['page_count']}"
    if not isinstance(sample.get("source"), dict):
        yield "its JSON has no source"
    for name in ("words", "lines", "blocks", "figures"):
        wrong = _boxes_outside(sample[name]["bbox"], sample["width"], sample["height"])
        if wrong is not None:
            box = sample[name]["bbox"][wrong]
            yield f"the box of {name}[{wrong}] is not inside the page: {box}"
    ranges = (
        ("words", sample["words"]["line"], len(sample["lines"]["text"])),
        ("lines", sample["lines"]["block"], len(sample["blocks"]["bbox"])),
    )
    for name, parents, count in ranges:
        if parents and not (min(parents) >= 0 and max(parents) < count):
            yield f"{name} belong to parents that are not there"
    spans = (
        ("lines", sample["lines"]["words"], len(sample["words"]["text"])),
        ("blocks", sample["blocks"]["lines"], len(sample["lines"]["text"])),
    )
    for name, pairs, count in spans:
        if any(not 0 <= first <= end <= count for first, end in pairs):
            yield f"{name} span items that are not there"


def _boxes_outside(boxes: Sequence[Sequence[float]], width: int, height: int) -> int | None:
    """The first box that is inverted or leaves the page."""
    if not boxes:
        return None
    array = np.asarray(boxes, np.float64)
    limit = np.array([width, height, width, height]) + _EDGE_PX
    good = (array >= -_EDGE_PX).all(1) & (array <= limit).all(1)
    good &= (array[:, 0] <= array[:, 2]) & (array[:, 1] <= array[:, 3])
    return None if good.all() else int(np.argmin(good))


def _image_faults(page: Page, image: bytes) -> Iterator[str]:
    digest = hashlib.sha256(image).hexdigest()
    if page.image_sha256 != digest:
        yield f"its image has the sha256 {digest}, its JSON says {page.image_sha256}"
    try:
        height, width = decode(image).shape[:2]
    except DataError as err:
        yield str(err)
        return
    if (width, height) != (page.width, page.height):
        yield f"its image is {width}x{height} px, its JSON says {page.width}x{page.height}"


def _index_lies(page: Page, facts: PageFacts, row: IndexRow) -> Iterator[str]:
    for name in ("doc_sha256", "page_index"):
        yield from _lie(row, name, getattr(page, name))
    for name in _FACTS_COMPARED:
        yield from _lie(row, name, getattr(facts, name))


def _lie(row: IndexRow, name: str, actual: object) -> Iterator[str]:
    indexed = getattr(row, name)
    if indexed != actual:
        yield f"the index says {name} {indexed!r}, its JSON {actual!r}"
