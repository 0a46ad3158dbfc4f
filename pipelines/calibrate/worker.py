"""Corrupts and reads: one job is one operator at one x-height, at every severity."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...corruption.apply import corrupt
from ...corruption.ocr import OcrEngine, open_ocr
from ...corruption.plan import plan_at
from ...engine.score.text import LETTERS_ONLY, character_error_rate
from .sample import CalibrationLine


@dataclass(frozen=True, slots=True)
class CalibrationJob:
    """What is measured in one go."""

    operator: str
    """Empty: the clean lines."""
    size: int
    """Index of the x-height."""
    lines: tuple[int, ...]
    """Indices of specimens of that size."""
    severities: tuple[float, ...]
    trims_px: tuple[int, ...] = (0,)
    """px cut off all around, each in its turn."""

    @property
    def name(self) -> str:
        """Names the job in what a stopped run leaves behind."""
        return f"{self.operator or 'clean'}:{self.size}"

    @property
    def readings(self) -> int:
        """Crops that one engine reads."""
        return len(self.lines) * len(self.severities) * len(self.trims_px)


class OcrWorker:
    """Does jobs one after another, with its own engines.

    Args:
        engines: names.
        specimens: by size.
        seed: of clumps and noise.
    """

    def __init__(
        self, engines: Sequence[str], specimens: Sequence[Sequence[CalibrationLine]], seed: int
    ) -> None:
        self._engines: list[OcrEngine] = [open_ocr(name) for name in engines]
        self._specimens = specimens
        self._seed = seed

    def ping(self) -> int:
        """The process id: the worker is up."""
        return os.getpid()

    def measure(self, job: CalibrationJob) -> np.ndarray:
        """Error rates, float32 [engines, severities and trims, lines]."""
        chosen = [self._specimens[job.size][index] for index in job.lines]
        crops = [
            self._crop(one, job.operator, severity, trim_px)
            for severity in job.severities
            for trim_px in job.trims_px
            for one in chosen
        ]
        rounds = len(job.severities) * len(job.trims_px)
        texts = [one.text for one in chosen] * rounds
        shape = (rounds, len(chosen))
        return np.array(
            [
                np.reshape(
                    [
                        character_error_rate(read, text, form=LETTERS_ONLY, at_most=1.0)
                        for read, text in zip(engine.read_lines(crops), texts, strict=True)
                    ],
                    shape,
                )
                for engine in self._engines
            ],
            np.float32,
        )

    def _crop(
        self, one: CalibrationLine, operator: str, severity: float, trim_px: int
    ) -> np.ndarray:
        image = one.image
        if operator and severity > 0:
            plan = plan_at(one.page, one.region, operator, severity, seed=self._seed)
            image = corrupt(image, plan)
        height, width = image.shape
        return image[trim_px : height - trim_px, trim_px : width - trim_px]
