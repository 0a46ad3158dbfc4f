"""OCR engines are opened by name, and a missing one says what to install."""

from __future__ import annotations

import pytest
from pagemill.corruption.ocr import open_ocr
from pagemill.engine.errors import ConfigError, DependencyError


def test_engines_are_named(monkeypatch):
    with pytest.raises(ConfigError, match="tesseract, rapidocr"):
        open_ocr("abbyy")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DependencyError, match="apt-get install tesseract-ocr"):
        open_ocr("tesseract")
