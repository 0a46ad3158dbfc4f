"""Memory for a giant document against a small one: 5,000 pages, and a file of 1 GB.

python bench/giant.py [--pages 5000] [--bytes 1000000000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pymupdf
from memory import Memory
from record import Measure, save

TEXT = "A page of a long report, with plain lines of text that say little and repeat it often. "


def write_pdf(path: Path, pages: int, padding_bytes: int = 0) -> None:
    """A PDF of so many pages; the padding is an embedded file that does not compress."""
    document = pymupdf.open()
    for number in range(pages):
        page = document.new_page()
        for line in range(40):
            page.insert_text((50, 60 + 17 * line), f"{number}.{line} {TEXT}", fontsize=9)
    if padding_bytes:
        document.embfile_add("padding", os.urandom(padding_bytes))
    document.save(path)


def measure(name: str, path: Path, work: Path) -> tuple[float, float]:
    """Peak MB of the reader process and of the Ray worker beside it."""
    folder = work / name
    folder.mkdir()
    path.rename(folder / path.name)
    command = [
        sys.executable,
        "-m",
        "pagemill",
        "build",
        str(folder),
        "--out",
        str(work / f"{name}-out"),
        "--workers",
        "1",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    memory = Memory(process.pid)
    memory.start()
    if process.wait():
        sys.exit(f"the build of {name} failed")
    reader, worker = max(memory.readers), max(memory.workers)
    print(f"{name:12s} reader {reader:6.0f} MB   Ray worker {worker:6.0f} MB")
    return reader, worker


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pages", type=int, default=5000)
    arguments.add_argument("--bytes", type=int, default=1_000_000_000)
    chosen = arguments.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-giant-"))
    try:
        found = {}
        for name, pages, padding in (
            ("small", 50, 0),
            ("many-pages", chosen.pages, 0),
            ("large-file", 50, chosen.bytes),
        ):
            path = work / f"{name}.pdf"
            write_pdf(path, pages, padding)
            found[name] = measure(name, path, work)
    finally:
        shutil.rmtree(work)
    base = sum(found["small"])
    save(
        "giant",
        "Giant documents",
        [Measure(f"reader, {name}", "MB", [reader]) for name, (reader, _) in found.items()]
        + [Measure(f"Ray worker, {name}", "MB", [worker]) for name, (_, worker) in found.items()]
        + [
            Measure(f"both, {name} over small", "x", [sum(found[name]) / base], "<= 1.1")
            for name in ("many-pages", "large-file")
        ],
        notes=f"small: 50 pages; many-pages: {chosen.pages} pages; large-file: 50 pages and "
        f"{chosen.bytes / 1e9:g} GB. One worker.",
    )


if __name__ == "__main__":
    main()
