"""A corpus of a folder of documents, built once and kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

from ...engine.files import cache_dir
from ...engine.key import keyed_hash
from .config import BuildConfig
from .run import build
from .snapshot import BuildListener


def files_of(folder: Path) -> list[Path]:
    """All files below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def cached_corpus(folder: Path, *, progress: BuildListener | None = None) -> str:
    """The folder of a corpus of all documents below a folder, with the default configuration.

    The same documents give the same corpus, and its pages the same names wherever they lie. Where
    a file has changed since, another corpus is built.

    Raises:
        ConfigError, DependencyError: as `run.build`.
    """
    states = [
        f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files_of(folder)
    ]
    name = f"{keyed_hash('eval.corpus', str(folder.resolve()), *states):016x}"
    out = str(cache_dir("corpora") / name)
    build([str(folder)], out, BuildConfig(), progress=progress)
    return out
