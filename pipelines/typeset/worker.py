"""What a process does: typeset a range of pages and encode them.

A page that fails to typeset is a value, with the traceback; its neighbours are made.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass

import cv2
import orjson

from ...engine.failure import failure_text, is_system_error
from ...engine.image import ImageConfig, encode
from ...engine.key import page_key
from ...engine.record import PageFacts
from ...engine.typeset.compose import Typesetter, compose_page, document_sha256
from ...engine.typeset.material import load_material
from .request import HELD_OUT, PageRange, TypesetRequest


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """One page as it goes into a shard."""

    doc_sha256: str
    key: str
    name: str
    image: bytes
    text: bytes
    """JSON of the page."""
    facts: PageFacts


@dataclass(frozen=True, slots=True)
class FailedPage:
    """A page that could not be typeset."""

    doc_sha256: str
    key: str
    name: str
    message: str
    """The traceback, its middle left out where it is long."""


class PageWorker:
    """Makes pages of a request; its material is read at the first page of each split."""

    def __init__(self, request: TypesetRequest) -> None:
        self._request = request
        self._typesetters: dict[str, Typesetter] = {}

    def pages(self, pages: PageRange) -> list[EncodedPage | FailedPage]:
        """The pages of a range, in order."""
        typesetter = self._typesetter(pages.split)
        return [_page(typesetter, number) for number in range(pages.first, pages.end)]

    def _typesetter(self, split: str) -> Typesetter:
        if split not in self._typesetters:
            request = self._request
            material = load_material(request.data, held_out=split == HELD_OUT)
            self._typesetters[split] = Typesetter(request.config, material, request.seed, split)
        return self._typesetters[split]


_worker: PageWorker | None = None
"""Of this process, where it is one of a pool."""


def start_process(request: TypesetRequest) -> None:
    """Set a process up: it leaves interrupts to the driver, and ends when the driver does."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(1)
    _worker = PageWorker(request)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def pages_here(pages: PageRange) -> list[EncodedPage | FailedPage]:
    """The pages of a range, by the process that `start_process` has set up."""
    assert _worker is not None
    return _worker.pages(pages)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _page(typesetter: Typesetter, number: int) -> EncodedPage | FailedPage:
    try:
        return _encoded(typesetter, number, typesetter.config.image)
    except Exception as err:
        if is_system_error(err):
            raise
        sha256 = document_sha256(typesetter, number)
        name = f"{typesetter.split}-{number:08d}"
        return FailedPage(sha256, page_key(sha256, 0), name, failure_text(err))


def _encoded(typesetter: Typesetter, number: int, config: ImageConfig) -> EncodedPage:
    sample = compose_page(typesetter, number)
    image = encode(sample.image, config)
    name = f"{sample.kind}/{typesetter.split}-{number:08d}"
    columns = sample.page.to_dict()
    columns["image_sha256"] = hashlib.sha256(image).hexdigest()
    columns["source"] = {"uri": name, "member": "", "licence": sample.licence}
    return EncodedPage(
        sample.page.doc_sha256,
        sample.page.key,
        name,
        image,
        orjson.dumps(columns),
        PageFacts.from_page(sample.page),
    )
