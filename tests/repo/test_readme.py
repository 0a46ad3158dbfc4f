"""README and the guides name only commands, options, targets and files that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pagemill import __version__
from pagemill.command import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE_LATER = (
    "corpus",
    "out",
    "dist",
    ".venv",
    "shards",
    "index",
    "ledger",
    "dump",
    "scans",
    "reports",
)
"""Folders that the commands make: their paths are named before they exist."""


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fenced(text: str, kind: str) -> list[str]:
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```", text)


def commands(text: str) -> list[str]:
    """Every `pagemill …` line in a fenced block, continued lines joined, comments dropped."""
    lines = []
    for block in fenced(text, r"[a-z]*"):
        for line in block.replace("\\\n", " ").splitlines():
            line = re.sub(r"\s#\s.*", "", line).strip().removeprefix(".venv/bin/")
            if line.startswith("pagemill "):
                lines.append(line)
    return lines


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_pagemill_line_is_one_that_the_command_accepts(path):
    for line in commands(path.read_text(encoding="utf-8")):
        words = shlex.split(line)[1:]
        assert accepts(words), f"{path.name}: the command refuses: {line}"


def accepts(words: list[str]) -> bool:
    try:
        main.parser().parse_args(words)
    except SystemExit as stop:
        return stop.code == 0
    return True


def test_readme_shows_a_build():
    assert any("build" in line for line in commands(PAGES[0].read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_make_target_that_is_named_exists(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", text))
    for block in fenced(text, r"[a-z]*"):
        named |= set(re.findall(r"(?m)^\s*make ([a-z-]+)", block))
    assert named <= targets


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_path_that_is_named_exists(path):
    text = path.read_text(encoding="utf-8")
    code = re.findall(r"`([\w.-]+(?:/[\w.*-]+)+/?)`", text)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)=\"([^\":]+)\"", text)
    missing = [
        name
        for name in [*code, *(one or two for one, two in links)]
        if name.split("/")[0] not in MADE_LATER
        and "*" not in name
        and not (ROOT / name).exists()
        and not (path.parent / name).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_configuration_key_that_is_named_exists(path):
    from pagemill.corruption import CorruptionConfig
    from pagemill.engine.config import describe
    from pagemill.pipelines.build.config import BuildConfig

    known = {key for kind in (BuildConfig, CorruptionConfig) for key, _, _ in describe(kind)}
    sections = {key.split(".")[0] for key in known}
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:\w+)\.(?:\w+))(?:=[^`]*)?`", text))
    named |= set(re.findall(r"--set (\w+\.\w+)=", text))
    wrong = {key for key in named if key.split(".")[0] in sections and key not in known}
    assert wrong == set()


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_wheel_that_is_named_is_of_this_version(path):
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"pagemill-([0-9.]+)-py3", text)) <= {__version__}


def test_the_snippets_of_python_compile():
    for path in PAGES:
        for block in fenced(path.read_text(encoding="utf-8"), "python"):
            compile(block, path.name, "exec")


def test_every_command_is_in_the_help():
    shown = subprocess.run(
        [sys.executable, "-m", "pagemill", "--help"], capture_output=True, text=True, check=True
    ).stdout
    used = {
        line.split()[1] for path in PAGES for line in commands(path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if not name.startswith("-")} <= set(re.findall(r"\w+", shown))


def test_make_help_lists_every_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = [
        "setup",
        "demo",
        "test",
        "check",
        "bench",
        "format",
        "lint",
        "types",
        "wheel",
        "clean",
        "test-slow",
        "gpu",
    ]
    assert set(wanted) <= set(re.findall(r"make ([a-z-]+)", shown.stdout))


def test_benchmark_pages_are_what_the_results_say():
    done = subprocess.run(
        [sys.executable, "bench/table.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tables_of_the_guides_are_what_the_code_says():
    done = subprocess.run(
        [sys.executable, "tools/make_tables.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
