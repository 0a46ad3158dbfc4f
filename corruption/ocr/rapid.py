"""RapidOCR from PyPI, whose package carries the weights of PP-OCR; one thread of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np

from ...engine.errors import DependencyError
from ...engine.geometry import Box, union


class Rapid:
    """PP-OCR through RapidOCR.

    Raises:
        DependencyError: the extra `calibrate` is not installed.
    """

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError as err:
            raise DependencyError(
                "the OCR engine rapidocr is missing: pip install 'pagemill[calibrate]', or do "
                "without it: --ocr tesseract"
            ) from err
        self.name = "rapidocr"
        self.version = version("rapidocr")
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read_lines(self, crops: Sequence[np.ndarray]) -> list[str]:
        """The text of each crop, taken as a single line."""
        texts = []
        for crop in crops:
            reading = self._engine(_bgr(crop), use_det=False, use_cls=False, use_rec=True)
            texts.append("".join(reading.txts or ()))
        return texts

    def read_page(self, image: np.ndarray) -> list[tuple[str, Box]]:
        """Lines, or parts of lines, and where they stand."""
        reading = self._engine(_bgr(image), use_det=True, use_cls=False, use_rec=True)
        if reading.boxes is None:
            return []
        return [
            (text, union([(x, y, x, y) for x, y in corners.tolist()]))
            for text, corners in zip(reading.txts, reading.boxes, strict=True)
        ]


def _bgr(image: np.ndarray) -> np.ndarray:
    code = cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
    return np.asarray(cv2.cvtColor(image, code))
