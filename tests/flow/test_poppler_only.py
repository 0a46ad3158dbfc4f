"""Everything works with poppler alone, as for those who cannot take PyMuPDF's licence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ..support.papers import shelf

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "documents"


@pytest.fixture
def without_pymupdf(tmp_path: Path) -> dict[str, str]:
    """An environment in which `import pymupdf` fails in every process."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(
        "import sys\nsys.modules['pymupdf'] = sys.modules['fitz'] = None\n"
    )
    path = os.pathsep.join(filter(None, (str(blocked), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def pagemill(environment: dict[str, str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pagemill", *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.ray
def test_build_verify_and_stats(tmp_path: Path, without_pymupdf: dict[str, str]) -> None:
    dump = shelf(tmp_path / "dump", 3)
    Image.new("L", (400, 300), 200).save(dump / "scan.png")
    out = tmp_path / "out"
    refused = pagemill(without_pymupdf, "build", dump, "--out", out)
    assert refused.returncode == 2
    assert "render.backend=poppler" in refused.stderr
    built = pagemill(
        without_pymupdf, "build", dump, "--out", out, "--set", "render.backend=poppler"
    )
    assert built.returncode == 0, built.stderr
    stats = json.loads(pagemill(without_pymupdf, "stats", out, "--json").stdout)
    assert stats["documents"] == {"found": 4, "opened": 4, "failed": 0, "duplicates": 0}
    assert stats["pages"]["written"] == 6, stats
    assert any(engine.startswith("poppler") for engine in stats["engines"])
    assert pagemill(without_pymupdf, "verify", out).returncode == 0


def test_read_takes_pdfs_and_images(
    tmp_path: Path, without_pymupdf: dict[str, str], nano_folder: Path
) -> None:
    Image.new("L", (200, 150), 200).save(tmp_path / "scan.png")
    command = ["read", EXAMPLES / "paper-en.pdf", tmp_path / "scan.png", "--checkpoint"]
    command += [nano_folder, "--pages", "1", "--dpi", "36", "--most-tokens", "2", "--json"]
    done = pagemill(without_pymupdf, *command)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["paper-en.pdf", "scan.png"]
    refused = pagemill(without_pymupdf, *command, "--backend", "mupdf")
    assert refused.returncode == 2
    assert "poppler" in refused.stderr
