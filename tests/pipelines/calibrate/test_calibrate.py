"""Lines are cut out truly, curves fitted rightly, and a stopped run goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.command import main
from pagemill.corruption.ocr import open_ocr
from pagemill.corruption.severity import load_table
from pagemill.engine.errors import ConfigError, DependencyError
from pagemill.engine.store.place import Place
from pagemill.pipelines.calibrate.fit import never_falling, rise
from pagemill.pipelines.calibrate.run import X_HEIGHTS, _Notes
from pagemill.pipelines.calibrate.sample import calibration_lines
from pagemill.pipelines.calibrate.worker import CalibrationJob, OcrWorker


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
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


@given(st.lists(st.floats(-0.2, 1.2), min_size=1, max_size=20))
def test_fitted_curves_never_fall_and_stay_close(values):
    fitted = never_falling(np.array(values))
    assert (np.diff(fitted) >= 0).all()
    assert fitted.min() >= 0
    assert fitted.max() <= 1
    if (np.diff(values) >= 0).all():
        assert np.allclose(fitted, np.clip(values, 0, 1))


def test_neighbours_out_of_order_share_their_mean():
    assert never_falling(np.array([0.0, 0.4, 0.2, 0.9])).tolist() == pytest.approx(
        [0.0, 0.3, 0.3, 0.9]
    )


def test_rise_is_over_the_clean_line():
    measured = np.array([[[0.2, 0.5], [0.4, 0.9]]])
    assert rise(measured, np.array([[0.1, 0.5]]))[0].tolist() == pytest.approx([0.05, 0.35])


def test_lines_are_cut_out_at_the_asked_size(letters):
    found = calibration_lines(letters, X_HEIGHTS, 10)
    for height, lines in zip(X_HEIGHTS, found, strict=True):
        assert len(lines) == 10
        for one in lines:
            assert one.page.x_height == height
            assert one.image.shape == (one.page.height, one.page.width)
            x0, y0, x1, y1 = one.page.layer.lines[0].box
            inside = one.image[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
            assert (255 - inside.astype(int)).sum() >= 0.97 * (255 - one.image.astype(int)).sum()
    again = calibration_lines(letters, X_HEIGHTS, 10)
    assert [[one.page.key for one in lines] for lines in again] == [
        [one.page.key for one in lines] for lines in found
    ]


def test_notes_of_a_stopped_run_are_taken_up_and_foreign_ones_are_not(tmp_path):
    path = tmp_path / "severity.part.jsonl"
    notes = _Notes(path, "one")
    notes.add("blur:0", np.full((1, 2, 2), 0.25, np.float32))
    notes.add("blur:1", np.full((1, 2, 2), 0.5, np.float32))
    path.write_bytes(path.read_bytes()[:-9])
    taken = _Notes(path, "one")
    assert list(taken.results) == ["blur:0"]
    taken.add("blur:1", np.full((1, 2, 2), 0.75, np.float32))
    assert _Notes(path, "one").results["blur:1"].tolist() == [[[0.75] * 2] * 2]
    assert _Notes(path, "other").results == {}


def test_engines_are_named(monkeypatch):
    with pytest.raises(ConfigError, match="tesseract, rapidocr"):
        open_ocr("abbyy")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DependencyError, match="apt-get install tesseract-ocr"):
        open_ocr("tesseract")


@pytest.mark.parametrize("name", ["tesseract", "rapidocr"])
def test_an_engine_reads_clean_lines_and_hardly_struck_ones(letters, name):
    if name == "tesseract":
        needs("tesseract")
    else:
        pytest.importorskip("rapidocr")
    found = calibration_lines(letters, (10.0,), 6)
    reader = OcrWorker([name], found, seed=1)
    clean = reader.measure(CalibrationJob("", 0, tuple(range(6)), (0.0,)))
    hard = reader.measure(CalibrationJob("gaussian_blur", 0, tuple(range(6)), (0.1, 0.6, 1.0)))
    assert clean.mean() < 0.1
    assert hard[0, 0].mean() < 0.15
    assert 0.25 < hard[0, 1].mean() < 0.8
    assert hard[0, 2].mean() > 0.8


@pytest.mark.slow
@pytest.mark.ray
def test_calibrate_writes_a_table(letters, tmp_path, monkeypatch):
    needs("tesseract")
    monkeypatch.setattr("pagemill.pipelines.calibrate.run.X_HEIGHTS", (9.0, 14.0))
    out = tmp_path / "severity.json"
    arguments = ["calibrate", letters.uri, "--out", str(out), "--ocr", "tesseract"]
    assert main.main([*arguments, "--lines", "8", "--workers", "2"]) == 0
    table = load_table(out)
    assert table.x_heights == (9.0, 14.0)
    assert table.engines == ("tesseract",)
    assert not out.with_suffix(".part.jsonl").exists()
    header = orjson.loads(out.read_bytes())
    assert header["command"].startswith("pagemill calibrate corpus")
    for curve in table.curves.values():
        assert (np.diff(curve, axis=2) >= 0).all()
        assert curve[..., -1].min() > 0.5


def test_a_corpus_with_too_few_lines_is_refused(corpus, tmp_path):
    needs("tesseract")
    from pagemill.pipelines.calibrate.run import Calibration, calibrate

    with pytest.raises(ConfigError, match=r"0 lines of 12 to 64 characters"):
        calibrate(
            corpus,
            tmp_path / "severity.json",
            Calibration(engines=("tesseract",)),
            lambda done, total: None,
        )
