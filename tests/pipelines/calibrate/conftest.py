"""A corpus with lines of every size."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.command import main
from pagemill.engine.store.place import Place


@pytest.fixture(scope="session")
def letters(tmp_path_factory) -> Place:
    """A corpus of two of the example documents, at a resolution at which every size is there."""
    folder = tmp_path_factory.mktemp("calibrate")
    examples = Path(__file__).resolve().parents[3] / "examples" / "documents"
    names = ["constitution-en.pdf", "paper-en.pdf"]
    sources = [str(examples / name) for name in names]
    out = str(folder / "corpus")
    arguments = ["build", *sources, "--out", out, "--workers", "1", "--set", "render.dpi=288"]
    assert main.main(arguments) == 0
    return Place.at(out)
