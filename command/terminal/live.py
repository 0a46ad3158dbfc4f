"""The live display of a build, drawn with rich: three stages, a bar, the fates of the pages."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ...pipelines.build.snapshot import STAGES, BuildSnapshot
from .text import duration, top_reasons

WIDEST_BAR = 48
FEWEST_COLUMNS_FOR_PACE = 60


class LiveDisplay:
    """Redraws one small block at the bottom of a terminal.

    Raises:
        Exception: whatever rich or the terminal raises; `Progress` falls back to plain lines.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, force_terminal=True, highlight=False)
        self._ascii = not (self._console.encoding or "").lower().startswith("utf")
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def draw(
        self,
        snapshot: BuildSnapshot,
        total: int | None,
        pages_per_s: float,
        elapsed_s: float,
        left_s: float | None,
    ) -> None:
        """Show a state at once."""
        rows: list[RenderableType] = [
            self._stages(snapshot, elapsed_s),
            self._bar(snapshot, total, pages_per_s, left_s),
            self._fates(snapshot),
        ]
        if snapshot.workers or snapshot.worker_bytes:
            rows.append(self._workers(snapshot))
        self._live.update(Group(*rows), refresh=True)

    def note(self, text: str) -> None:
        """Print a line above the block."""
        self._console.print(self._text(text), soft_wrap=True)

    def stop(self) -> None:
        """Take the block away and give the terminal back."""
        self._live.stop()

    def _text(self, text: str, style: str = "") -> Text:
        if self._ascii:
            text = text.replace("…", "...").replace("·", "|")
            encoding = self._console.encoding or "ascii"
            text = text.encode(encoding, "backslashreplace").decode(encoding, "replace")
        return Text(text, style=style)

    def _line(self, *parts: tuple[str, str]) -> Text:
        line = Text.assemble(*(self._text(text, style) for text, style in parts))
        line.no_wrap = True
        line.overflow = "crop" if self._ascii else "ellipsis"
        return line

    def _stages(self, snapshot: BuildSnapshot, elapsed_s: float) -> Text:
        arrow = " > " if self._ascii else " › "
        parts: list[tuple[str, str]] = []
        at = STAGES.index(snapshot.stage) if snapshot.stage in STAGES else 0
        for position, stage in enumerate(STAGES):
            style = "bold cyan" if position == at else "green" if position < at else "dim"
            parts += [(arrow, "dim")] * (position > 0) + [(stage, style)]
        return self._line(*parts, (f"   {duration(elapsed_s)}", "dim"))

    def _bar(
        self, snapshot: BuildSnapshot, total: int | None, pages_per_s: float, left_s: float | None
    ) -> Table:
        columns = self._console.width
        goal, done = _goal(snapshot, total)
        grid = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [
            ProgressBar(
                total=goal or None,
                completed=min(done, goal),
                pulse=not goal,
                complete_style="cyan",
                finished_style="green",
                width=max(8, min(WIDEST_BAR, columns // 3)),
            ),
            self._line((_counted(snapshot, total), "")),
        ]
        if columns >= FEWEST_COLUMNS_FOR_PACE and snapshot.stage == "read":
            cells.append(self._line((f"{pages_per_s:,.1f} pages/s", "bold")))
        if left_s is not None:
            cells.append(self._line((f"ETA {duration(left_s)}", "dim")))
        for _ in cells:
            grid.add_column(no_wrap=True)
        grid.add_row(*cells)
        return grid

    def _fates(self, snapshot: BuildSnapshot) -> Text:
        why = top_reasons(snapshot.reasons, limit=3)
        return self._line(
            ("written ", "dim"),
            (f"{snapshot.written:,}", "green"),
            ("   rejected ", "dim"),
            (f"{snapshot.rejected:,}", "yellow"),
            ("   failed ", "dim"),
            (f"{snapshot.failed:,}", "bold red" if snapshot.failed else "dim"),
            (f"   {why}", "dim"),
        )

    def _workers(self, snapshot: BuildSnapshot) -> Text:
        text = f"{snapshot.workers:,} workers" if snapshot.workers else ""
        if snapshot.worker_bytes:
            text += f"   largest {snapshot.worker_bytes / 1e6:,.0f} MB"
        return self._line((text.strip(), "dim"))


def _goal(snapshot: BuildSnapshot, total: int | None) -> tuple[float, float]:
    if snapshot.stage == "find":
        return 0.0, 0.0
    if snapshot.stage == "write":
        return float(snapshot.shards_total), snapshot.progress
    return float(snapshot.bytes_total or total or 0), snapshot.progress


def _counted(snapshot: BuildSnapshot, total: int | None) -> str:
    if snapshot.stage == "write":
        of = f"/{snapshot.shards_total:,}" if snapshot.shards_total else ""
        return f"{snapshot.shards:,}{of} shards"
    of = f"/{total:,}" if total is not None and snapshot.stage != "find" else ""
    return f"{snapshot.documents:,}{of} documents"
