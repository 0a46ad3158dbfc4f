"""Tesseract, Debian's `tesseract-ocr`: many crops in one call of the program."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ...engine.errors import DependencyError, PagemillError
from ...engine.geometry import Box

_MARGIN_PX = 8
_DEADLINE_S = 600.0
_LINE_MODE = 7
"""Page segmentation: one line of text."""
_WORD_LEVEL = "5"


class Tesseract:
    """The program `tesseract`.

    Args:
        language: of its trained data, such as `eng`.
        page_mode: page segmentation of whole pages: 3 automatic, 11 sparse text.

    Raises:
        DependencyError: the program is not there.
    """

    def __init__(self, language: str = "eng", page_mode: int = 3) -> None:
        program = shutil.which("tesseract")
        if program is None:
            raise DependencyError(
                "the program tesseract is missing: apt-get install tesseract-ocr, or leave the "
                "OCR engine tesseract away"
            )
        self.name = "tesseract"
        self._program = program
        self._language = language
        self._page_mode = page_mode
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.version = answer.stdout.split()[1]

    def read_lines(self, crops: Sequence[np.ndarray]) -> list[str]:
        """The text of each crop, taken as a single line."""
        if not crops:
            return []
        with tempfile.TemporaryDirectory(prefix="pagemill-") as folder:
            names = []
            for number, crop in enumerate(crops):
                path = Path(folder) / f"{number:05d}.png"
                _write(path, crop)
                names.append(str(path))
            listing = Path(folder) / "list.txt"
            listing.write_text("\n".join(names) + "\n", encoding="utf-8")
            output = self._run([str(listing), "stdout", "--psm", str(_LINE_MODE)])
        texts = [text.strip() for text in output.split("\f")[: len(crops)]]
        if len(texts) != len(crops):
            raise PagemillError(f"tesseract answered {len(texts)} of {len(crops)} crops")
        return texts

    def read_page(self, image: np.ndarray) -> list[tuple[str, Box]]:
        """Words and where they stand."""
        with tempfile.TemporaryDirectory(prefix="pagemill-") as folder:
            path = Path(folder) / "page.png"
            cv2.imwrite(str(path), _bgr(image))
            output = self._run([str(path), "stdout", "--psm", str(self._page_mode), "tsv"])
        rows = csv.DictReader(output.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        pieces = []
        for row in rows:
            text = (row["text"] or "").strip()
            if row["level"] == _WORD_LEVEL and text:
                x, y = float(row["left"]), float(row["top"])
                pieces.append((text, (x, y, x + float(row["width"]), y + float(row["height"]))))
        return pieces

    def _run(self, arguments: list[str]) -> str:
        command = [
            self._program,
            *arguments[:2],
            "-l",
            self._language,
            "--dpi",
            "144",
            *arguments[2:],
        ]
        try:
            process = subprocess.run(
                command,
                capture_output=True,
                timeout=_DEADLINE_S,
                check=False,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            )
        except subprocess.TimeoutExpired as err:
            raise PagemillError(f"tesseract did not answer within {_DEADLINE_S:.0f} s") from err
        if process.returncode:
            raise PagemillError(
                f"tesseract failed: {process.stderr.decode(errors='replace')[:300]}"
            )
        return process.stdout.decode("utf-8", "replace")


def _write(path: Path, crop: np.ndarray) -> None:
    """A crop with a margin of its own border, which Tesseract needs."""
    padded = cv2.copyMakeBorder(
        _bgr(crop), _MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX, cv2.BORDER_REPLICATE
    )
    cv2.imwrite(str(path), padded)


def _bgr(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
