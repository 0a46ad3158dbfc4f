"""Where a build is, as often as the driver says so, and who is told: a `BuildListener`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

STAGES = ("find", "read", "write")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSnapshot:
    """Where a build is; counts are totals since the corpus began, never increments."""

    stage: str = "read"
    """`find`, `read` or `write`."""
    documents: int = 0
    """Documents whose fate is known."""
    documents_total: int | None = None
    """Documents found, where it differs from what `Progress` was told; None: not known better."""
    bytes: int = 0
    """Size of the documents whose fate is known; weighs the estimate of the time left."""
    bytes_total: int = 0
    """Size of all documents; 0 where unknown."""
    pages: int = 0
    """Pages whose fate is known."""
    written: int = 0
    rejected: int = 0
    failed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rejected pages by reason."""
    shards: int = 0
    """Shards that are complete."""
    shards_total: int = 0
    workers: int = 0
    """Workers alive."""
    worker_bytes: int = 0
    """Memory of the largest worker; 0 where unknown."""

    @property
    def progress(self) -> float:
        """How much of the current stage's work is done, in the stage's own unit."""
        if self.stage == "write":
            return float(self.shards)
        return float(self.bytes) if self.bytes_total else float(self.documents)


class BuildListener(Protocol):
    """Whoever wants to know where a build is."""

    def update(self, snapshot: BuildSnapshot) -> None:
        """Take the newest state."""
        ...

    def note(self, text: str) -> None:
        """Take something that is said once."""
        ...
