"""One page, from an open document to its fate, where something of ours goes wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.engine.read import reader
from pagemill.engine.read.backend.registry import open_document
from pagemill.engine.read.reader import ReadConfig, read_page
from pagemill.engine.reason import Reason

DOCUMENT = Path(__file__).resolve().parents[3] / "examples" / "documents" / "constitution-en.pdf"


def failing(*_args: object, **_more: object) -> None:
    raise ZeroDivisionError("planted")


@pytest.mark.parametrize(("name", "stage"), [("judge", "judge"), ("encode", "encode")])
def test_a_fault_of_ours_is_not_blamed_on_the_backend(monkeypatch, name, stage):
    monkeypatch.setattr(reader, name, failing)
    document = open_document("mupdf", DOCUMENT, None)
    fate = read_page(document, 0, "0" * 64, ReadConfig())
    document.close()
    assert fate.failed
    assert (fate.reason, fate.stage) == (Reason.INTERNAL_ERROR, stage)
    assert fate.message.startswith("ZeroDivisionError: planted\n  pagemill/engine/read/reader.py:")
    assert fate.engine.startswith("mupdf ")


def test_memory_at_its_end_is_no_fault_of_the_page(monkeypatch):
    def exhausted(*_args: object, **_more: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reader, "judge", exhausted)
    document = open_document("mupdf", DOCUMENT, None)
    with pytest.raises(MemoryError):
        read_page(document, 0, "0" * 64, ReadConfig())
    document.close()
