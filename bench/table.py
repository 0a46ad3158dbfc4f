"""Writes docs/benchmarks.md and the table in README.md from bench/results/*.json.

python bench/table.py            # rewrite both
python bench/table.py --check    # exit 1 where one of them is not what the results say
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
BEGIN, END = "<!-- bench: written by bench/table.py -->", "<!-- bench end -->"
INTRO = """# Benchmarks

Written by `bench/table.py` from `bench/results/*.json`; each file is the output of one script in
`bench/`, which prints the same numbers. A ratio compares with a peer or a bound that was measured
in the same run. n is the number of repetitions; median, and the 10th and 90th percentile.
"""


def main() -> int:
    """Rewrite, or compare with `--check`; the exit status."""
    results = load(RESULTS)
    readme = ROOT / "README.md"
    wanted = {
        ROOT / "docs" / "benchmarks.md": page(results),
        readme: between(readme.read_text(encoding="utf-8"), summary(results)),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run python bench/table.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def load(folder: Path) -> list[dict[str, Any]]:
    """Every result file, by name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def page(results: list[dict[str, Any]]) -> str:
    """The text of docs/benchmarks.md."""
    parts = [INTRO]
    for result in results:
        parts.append(f"## {result['title']}\n")
        if result["notes"]:
            parts.append(result["notes"].strip() + "\n")
        parts.append(table(result["results"]))
        parts.append(
            f"`{result['command']}` · commit {result['commit']} · {result['machine']} · "
            f"{result['date']}\n"
        )
    if not results:
        parts.append("No result has been recorded.\n")
    return "\n".join(parts)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows of one result file as a Markdown table."""
    lines = ["| | median | p10 | p90 | n | target |", "|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        values = " | ".join(number(row[name]) for name in ("median", "p10", "p90"))
        target = row["target"].replace(">=", "≥").replace("<=", "≤")
        lines.append(f"| {row['what']} ({row['unit']}) | {values} | {row['n']} | {target} |")
    return "\n".join(lines) + "\n"


def summary(results: list[dict[str, Any]]) -> str:
    """The headline rows, for the README; a sentence where there is none."""
    lines = []
    for result in results:
        for row in result["results"]:
            if row["headline"]:
                value = f"{number(row['median'])} {row['unit']}"
                lines.append(
                    f"| {row['what']} | {value} | {result['machine']} | {result['date']} |"
                )
    if not lines:
        return "No benchmark has been recorded yet.\n"
    head = "| measured | median | machine | date |\n|---|---:|---|---|\n"
    return head + "\n".join(lines) + "\n"


def between(text: str, inner: str) -> str:
    """The text with everything between the two markers replaced.

    Raises:
        ValueError: the markers are missing or not in order.
    """
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start:
        raise ValueError(f"README.md needs the lines {BEGIN!r} and {END!r}")
    return f"{text[: start + len(BEGIN)]}\n{inner}{text[end:]}"


def number(value: float) -> str:
    """Three significant digits, no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
