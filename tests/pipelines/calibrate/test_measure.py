"""A job reads its lines; a line that cannot be read is that line's fate."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import numpy as np
import pytest
from pagemill.corruption.ocr import OCR_ENGINES
from pagemill.pipelines.calibrate.measure import CalibrationJob, OcrWorker
from pagemill.pipelines.calibrate.sample import CalibrationLine, calibration_lines
from support.typeset import PROSE, typeset

TALL_PX = 150


def line_of(text: str, number: int, height: int = 134) -> CalibrationLine:
    image, page = typeset([text], name=f"line {number}")
    blank = np.full((height - image.shape[0], image.shape[1]), 255, np.uint8)
    return CalibrationLine(page, np.concatenate((image, blank)), f"document {number}")


class Fake:
    """Reads every line without error, but none that is taller than `TALL_PX`."""

    name, version = "fake", "1"

    def read_lines(self, crops: Sequence[np.ndarray]) -> list[str]:
        if any(crop.shape[0] > TALL_PX for crop in crops):
            raise ValueError("a line as tall as a tower")
        return [PROSE[0]] * len(crops)

    def read_page(self, image: np.ndarray) -> list[tuple[str, tuple[float, ...]]]:
        raise NotImplementedError


@pytest.fixture
def worker(monkeypatch) -> OcrWorker:
    monkeypatch.setitem(OCR_ENGINES, "fake", Fake)
    lines = [line_of(PROSE[0], 0), line_of(PROSE[0], 1, height=200), line_of("Else", 2)]
    return OcrWorker(["fake"], [lines], seed=1)


def test_errors_are_by_engine_severity_and_line(worker):
    measured = worker.measure(CalibrationJob("gaussian_blur", 0, (0, 2), (0.0, 0.5, 1.0)))
    assert measured.errors.shape == (1, 3, 2)
    assert measured.errors.dtype == np.float32
    assert measured.errors[0].tolist() == [[0.0, 1.0]] * 3
    assert measured.failures == ()


def test_a_line_that_cannot_be_read_leaves_the_others(worker):
    measured = worker.measure(CalibrationJob("", 0, (0, 1, 2), (0.0,)))
    assert measured.errors[0, 0, [0, 2]].tolist() == [0.0, 1.0]
    assert np.isnan(measured.errors[0, 0, 1])
    ((key, message),) = measured.failures
    assert key == line_of(PROSE[0], 1).page.key
    assert "ValueError: a line as tall as a tower" in message


def test_what_is_no_fault_of_a_line_is_raised(worker, monkeypatch):
    def full(self: Fake, crops: Sequence[np.ndarray]) -> list[str]:
        raise MemoryError

    monkeypatch.setattr(Fake, "read_lines", full)
    with pytest.raises(MemoryError):
        worker.measure(CalibrationJob("", 0, (0, 1, 2), (0.0,)))


@pytest.mark.parametrize("name", ["tesseract", "rapidocr"])
def test_an_engine_reads_clean_lines_and_hardly_struck_ones(letters, name):
    if name == "tesseract" and shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    if name == "rapidocr":
        pytest.importorskip("rapidocr")
    worker = OcrWorker([name], calibration_lines(letters, (10.0,), 6), seed=1)
    every = tuple(range(6))
    clean = worker.measure(CalibrationJob("", 0, every, (0.0,))).errors
    blurred = worker.measure(CalibrationJob("gaussian_blur", 0, every, (0.1, 0.6, 1.0))).errors
    assert clean.mean() < 0.1
    assert blurred[0, 0].mean() < 0.15
    assert 0.25 < blurred[0, 1].mean() < 0.8
    assert blurred[0, 2].mean() > 0.8
