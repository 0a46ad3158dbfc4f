"""What a benchmark leaves behind: one JSON file in bench/results, read by `bench/table.py`.

from record import Measure, save
save("build", "Building a corpus", [Measure("pages/s, this project", "pages/s", values)])
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(os.environ.get("BENCH_RESULTS") or Path(__file__).resolve().parent / "results")
"""Another folder, named by the environment, keeps tries out of the tables."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One quantity, measured once or more in the same run."""

    what: str
    """What was measured, as a reader of the table sees it."""
    unit: str
    """`pages/s`, `ms`, `MB`, or `x` for a ratio against a peer or a bound of the same run."""
    values: Sequence[float]
    target: str = ""
    """The promise it is held against, such as `>= 5`; empty where there is none."""
    headline: bool = False
    """Shown in the README too."""

    def row(self) -> dict[str, Any]:
        """The measure as JSON carries it: count, median and the two deciles.

        Raises:
            ValueError: nothing was measured.
        """
        if not self.values:
            raise ValueError(f"{self.what}: there is no measurement to write")
        return {
            "what": self.what,
            "unit": self.unit,
            "n": len(self.values),
            "median": statistics.median(self.values),
            "p10": quantile(self.values, 0.1),
            "p90": quantile(self.values, 0.9),
            "target": self.target,
            "headline": self.headline,
        }


def save(
    name: str, title: str, measures: Sequence[Measure], *, notes: str = "", folder: Path = RESULTS
) -> Path:
    """Write bench/results/NAME.json, with the command, commit, machine and date; its path.

    Args:
        name: file name without suffix; a later run with the same name replaces it.
        title: heading in docs/benchmarks.md.
        measures: rows of the table, in order.
        notes: what was measured on what, and what the numbers leave out; Markdown.
        folder: where to write.
    """
    data = {
        "title": title,
        "notes": notes,
        "command": command(),
        "commit": commit(),
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "results": [measure.row() for measure in measures],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile, linear between the two nearest values."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def command() -> str:
    """The command line, without the folders of this machine."""
    script = Path(sys.argv[0])
    shown = script.resolve()
    first = str(shown.relative_to(ROOT)) if shown.is_relative_to(ROOT) else script.name
    rest = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return shlex.join(["python", first, *rest])


def commit() -> str:
    """The commit that was measured; `+` where the tree had other changes than results."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "--short=12", "HEAD")
    changed = git("status", "--porcelain", "--", ".", ":!bench/results", ":!docs", ":!README.md")
    return (head or "none") + ("+" if changed else "")


def machine() -> str:
    """Processor, cores and memory: enough to compare, not enough to find the machine."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    return f"{model}, {os.cpu_count()} cores{memory}, Python {platform.python_version()}"
