"""Pages of a corpus for benchmarks: trusted ones with text, in a keyed order, grey."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
from pagemill.engine.image import decode, to_grey
from pagemill.engine.key import keyed_hash
from pagemill.engine.page import Page, page_from_dict
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import read_index
from pagemill.engine.store.place import Place

LEAST_WORDS = 20


def read_pages(place: Place) -> Iterator[tuple[np.ndarray, Page]]:
    """Image, uint8 [height, width], and page."""
    rows = [
        (entry, row)
        for entry in CorpusInfo.load(place).shards
        for row in read_index(place, entry.index)
        if row.verdict == "trusted" and row.words >= LEAST_WORDS
    ]
    for entry, row in sorted(rows, key=lambda pair: keyed_hash("bench", pair[1].key)):
        image = decode(place.read_range(entry.tar, row.image_offset, row.image_bytes))
        text = place.read_range(entry.tar, row.json_offset, row.json_bytes)
        yield image if image.ndim == 2 else to_grey(image), page_from_dict(orjson.loads(text))
