"""The report of whatever lies in a place: a corpus, or a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..engine.errors import ConfigError
from ..engine.store.corpus import FILE as CORPUS_FILE
from ..engine.store.place import Place
from ..train.log.journal import LOG
from .corpus import write_corpus_report
from .run import holds_run, write_run_report


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """What was drawn, and where the page lies."""

    kind: Literal["corpus", "run"]
    path: str


def write_report(place: str, out: Path | None = None) -> WrittenReport:
    """Draw a corpus or a run as one HTML page.

    Args:
        place: folder or URI of a corpus, or the folder of a run or of its stages.
        out: the file; `report.html` in the place if not given.

    Raises:
        ConfigError: the place holds neither, or the file cannot be written.
        DataError: `corpus.json`, the ledger or the log of the run is damaged.
    """
    corpus = Place.at(place)
    if corpus.exists(CORPUS_FILE):
        return WrittenReport("corpus", write_corpus_report(corpus, out))
    if "://" not in place and holds_run(Path(place)):
        return WrittenReport("run", str(write_run_report(Path(place), out)))
    raise ConfigError(
        f"{place} is neither a corpus nor a run: it has no {CORPUS_FILE}, no {LOG} and no stage "
        "with one. Name the folder that `pagemill build --out` or `pagemill train --out` wrote"
    )
