"""What is redrawn in place on a terminal, by rich: the bar of a step, the display of a build.

Whatever rich or the terminal raises goes up to `screen`, which falls back to plain lines.
"""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from ...pipelines.build.snapshot import STAGES, BuildSnapshot
from .number import duration, top_reasons

WIDEST_BAR_COLUMNS = 48
FEWEST_COLUMNS_FOR_RATE = 60


class Bar:
    """A bar with words around it; drawn when it is asked for, never by a thread."""

    def __init__(self, console: Console, label: str = "") -> None:
        columns = max(8, min(WIDEST_BAR_COLUMNS, console.width // 3))
        self.progress = Progress(
            *([TextColumn("{task.description}", markup=False)] if label else []),
            BarColumn(columns, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[text]}", markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task: TaskID = self.progress.add_task(label, total=None, text="")

    def set(self, done: float, total: float, text: str) -> None:
        """Fill the bar; a total of 0 is not known yet."""
        self.progress.update(self._task, completed=min(done, total), total=total or None, text=text)


class StepBar:
    """The bar of one long step."""

    def __init__(self, stream: TextIO, label: str) -> None:
        self._console = console_on(stream)
        self._bar = Bar(self._console, label)
        self._started = False

    def draw(self, done: float, total: float, text: str) -> None:
        """Show a state at once; nothing is drawn before the first one."""
        self._bar.set(done, total, printable(text, self._console))
        if not self._started:
            self._bar.progress.start()
            self._started = True
        self._bar.progress.refresh()

    def stop(self) -> None:
        """Wipe it."""
        if self._started:
            self._bar.progress.stop()


class BuildDisplay:
    """A small block at the bottom of a terminal: stages, a bar, the fates of the pages."""

    def __init__(self, stream: TextIO) -> None:
        self._console = console_on(stream)
        self._bar = Bar(self._console)
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
        words = [counted(snapshot, total)]
        if self._console.width >= FEWEST_COLUMNS_FOR_RATE and snapshot.stage == "read":
            words.append(f"{pages_per_s:,.1f} pages/s")
        if left_s is not None:
            words.append(f"ETA {duration(left_s)}")
        done, goal = goal_of(snapshot, total)
        self._bar.set(done, goal, "  ".join(words))
        rows: list[RenderableType] = [
            self._stages(snapshot, elapsed_s),
            self._bar.progress.get_renderable(),
            self._fates(snapshot),
        ]
        if snapshot.workers or snapshot.worker_bytes:
            rows.append(self._workers(snapshot))
        self._live.update(Group(*rows), refresh=True)

    def note(self, text: str) -> None:
        """Print a line above the block."""
        self._console.print(Text(printable(text, self._console)), soft_wrap=True)

    def stop(self) -> None:
        """Take the block away and give the terminal back."""
        self._live.stop()

    def _line(self, *parts: tuple[str, str]) -> Text:
        line = Text.assemble(*((printable(text, self._console), style) for text, style in parts))
        line.no_wrap = True
        line.overflow = "ellipsis" if is_unicode(self._console) else "crop"
        return line

    def _stages(self, snapshot: BuildSnapshot, elapsed_s: float) -> Text:
        parts: list[tuple[str, str]] = []
        current = STAGES.index(snapshot.stage) if snapshot.stage in STAGES else 0
        for position, stage in enumerate(STAGES):
            style = "bold cyan" if position == current else "green" if position < current else "dim"
            parts += [(" › ", "dim")] * (position > 0) + [(stage, style)]
        return self._line(*parts, (f"   {duration(elapsed_s)}", "dim"))

    def _fates(self, snapshot: BuildSnapshot) -> Text:
        return self._line(
            ("written ", "dim"),
            (f"{snapshot.written:,}", "green"),
            ("   rejected ", "dim"),
            (f"{snapshot.rejected:,}", "yellow"),
            ("   failed ", "dim"),
            (f"{snapshot.failed:,}", "bold red" if snapshot.failed else "dim"),
            (f"   {top_reasons(snapshot.reasons, limit=3)}", "dim"),
        )

    def _workers(self, snapshot: BuildSnapshot) -> Text:
        text = f"{snapshot.workers:,} workers" if snapshot.workers else ""
        if snapshot.worker_bytes:
            text += f"   largest {snapshot.worker_bytes / 1e6:,.0f} MB"
        return self._line((text.strip(), "dim"))


def console_on(stream: TextIO) -> Console:
    """A console that draws on the stream as on a terminal."""
    return Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)


def is_unicode(console: Console) -> bool:
    """Whether the terminal takes any character."""
    return (console.encoding or "").lower().startswith("utf")


def printable(text: str, console: Console) -> str:
    """The text in the terminal's encoding."""
    if is_unicode(console):
        return text
    for character, plain in (("…", "..."), ("·", "|"), ("›", ">")):
        text = text.replace(character, plain)
    encoding = console.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding, "replace")


def goal_of(snapshot: BuildSnapshot, total: int | None) -> tuple[float, float]:
    """How far the stage is, and where it ends; 0 where that is not known yet."""
    if snapshot.stage == "find":
        return 0.0, 0.0
    if snapshot.stage == "write":
        return snapshot.progress, float(snapshot.shards_total)
    return snapshot.progress, float(snapshot.bytes_total or total or 0)


def counted(snapshot: BuildSnapshot, total: int | None) -> str:
    """Documents or shards that are done, of how many."""
    if snapshot.stage == "write":
        of = f"/{snapshot.shards_total:,}" if snapshot.shards_total else ""
        return f"{snapshot.shards:,}{of} shards"
    of = f"/{total:,}" if total is not None and snapshot.stage != "find" else ""
    return f"{snapshot.documents:,}{of} documents"
