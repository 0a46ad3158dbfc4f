"""Corrupts and reads: one job is one operator at one x-height, at every severity."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...corruption.apply import corrupt
from ...corruption.ocr import OcrEngine, open_ocr
from ...corruption.plan import plan_at
from ...engine.failure import is_system_error, message_of
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
    """Indices of lines of that size."""
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


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one job gave."""

    errors: np.ndarray
    """Error rates, float32 [engines, severities and trims, lines]; NaN for lines that failed."""
    failures: tuple[tuple[str, str], ...] = ()
    """Key of each line that could not be drawn or read, and why."""


class OcrWorker:
    """Does jobs one after another, with its own engines.

    Args:
        engines: names.
        lines: by size.
        seed: of clumps and noise.
    """

    def __init__(
        self, engines: Sequence[str], lines: Sequence[Sequence[CalibrationLine]], seed: int
    ) -> None:
        self._engines: list[OcrEngine] = [open_ocr(name) for name in engines]
        self._lines = lines
        self._seed = seed

    def ping(self) -> int:
        """The process id: the worker is up."""
        return os.getpid()

    def measure(self, job: CalibrationJob) -> Measurement:
        """The error rates of a job; where reading all of it fails, it is read line by line.

        Raises:
            ImportError, MemoryError: nothing that the lines are to blame for.
        """
        lines = [self._lines[job.size][index] for index in job.lines]
        try:
            return Measurement(self._errors(job, lines))
        except Exception as err:
            if is_system_error(err):
                raise
            return self._line_by_line(job, lines)

    def _line_by_line(self, job: CalibrationJob, lines: Sequence[CalibrationLine]) -> Measurement:
        """The lines that can be read, and what is wrong with the others."""
        rounds = len(job.severities) * len(job.trims_px)
        errors = np.full((len(self._engines), rounds, len(lines)), np.nan, np.float32)
        failures = []
        for number, line in enumerate(lines):
            try:
                errors[:, :, number : number + 1] = self._errors(job, [line])
            except Exception as err:
                if is_system_error(err):
                    raise
                failures.append((line.page.key, message_of(err)))
        return Measurement(errors, tuple(failures))

    def _errors(self, job: CalibrationJob, lines: Sequence[CalibrationLine]) -> np.ndarray:
        """float32 [engines, severities and trims, lines]."""
        crops = [
            self._crop(line, job.operator, severity, trim_px)
            for severity in job.severities
            for trim_px in job.trims_px
            for line in lines
        ]
        rounds = len(job.severities) * len(job.trims_px)
        texts = [line.text for line in lines] * rounds
        rates = [
            [
                character_error_rate(read, text, form=LETTERS_ONLY, at_most=1.0)
                for read, text in zip(engine.read_lines(crops), texts, strict=True)
            ]
            for engine in self._engines
        ]
        return np.reshape(np.array(rates, np.float32), (len(rates), rounds, len(lines)))

    def _crop(
        self, line: CalibrationLine, operator: str, severity: float, trim_px: int
    ) -> np.ndarray:
        image = line.image
        if operator and severity > 0:
            plan = plan_at(line.page, line.region, operator, severity, seed=self._seed)
            image = corrupt(image, plan)
        height, width = image.shape
        return image[trim_px : height - trim_px, trim_px : width - trim_px]
