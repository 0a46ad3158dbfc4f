"""A small corpus with every fate."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.engine.key import page_key
from pagemill.engine.store.place import Place
from support.reported import (
    document_row,
    page_row,
    save_corpus,
    sha,
    write_pages,
    write_thumbs,
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """5 written, 3 rejected and 2 failed pages of 8 documents, and one that stays shut."""
    place = Place.at(str(tmp_path / "my corpus"))
    rows, entry = write_pages(place, tmp_path, range(5))
    rows += [page_row(0, index) for index in (1, 2)]
    rows += [page_row(5, 0, reason="text_garbled", verdict="garbled", score=0.2)]
    rows += [document_row(5, status="rejected", reason="text_garbled")]
    rows += [
        page_row(6, i, status="failed", stage="render", reason=r, message=f"stopped: {r}")
        for i, r in enumerate(("timeout", "crash"))
    ]
    rows += [document_row(6, status="rejected", reason="crash")]
    rows += [document_row(7, status="failed", reason="encrypted", message="needs a password")]
    write_thumbs(place, [page_key(sha(0), 1), page_key(sha(5), 0)])
    save_corpus(place, rows, (entry,), totals={"run": {"wall_s": 2.0, "pages": 10, "workers": 2}})
    return place
