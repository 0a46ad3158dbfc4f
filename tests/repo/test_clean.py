"""Nothing of the machine or the people that made it is left in the tree."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".py", ".md", ".toml", ".txt", ".html", ".svg", ".json", ".yml", ".yaml", ""}
MACHINE = re.compile(r"(?<![\w.])/(?:work|farm|root|home|tmp|Users|opt|scratch)/[\w.-]")
SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}"
)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|\b(?i:for now\b|placeholder(?!=))")
MAKER = re.compile(r"\b(chatgpt|copilot|claude|gemini|llm[- ]generated|as an ai)\b", re.IGNORECASE)
LARGE_BYTES = 2 << 20
TOTAL_BYTES = 12 << 20
WEIGHTS = ROOT / "model" / "pretrained"
LARGE_WEIGHTS_BYTES, TOTAL_WEIGHTS_BYTES = 16 << 20, 80 << 20


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def places(pattern: re.Pattern[str], *, tests: bool) -> list[str]:
    """`file:line: text` of every match; this file, which holds the patterns, is left out."""
    found = []
    for path in tracked():
        place = path.relative_to(ROOT)
        if path.suffix not in TEXT or path == Path(__file__).resolve():
            continue
        if place.parts[0] == "tests" and not tests:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{place}:{number}: {line.strip()[:90]}")
    return found


def test_no_path_of_one_machine():
    assert places(MACHINE, tests=False) == []


def test_no_key_and_no_password():
    assert places(SECRET, tests=True) == []


def test_nothing_is_marked_as_unfinished():
    assert places(UNFINISHED, tests=False) == []


def test_nobody_but_the_authors_signs():
    assert places(MAKER, tests=True) == []


def test_constraints_are_plain_pins_in_order():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line)
    ] == []
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines]
    assert names == sorted(set(names))


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["dev"] + extras["s3"] + extras["train"]
    wanted += extras["calibrate"] + extras["zero"]
    names = {re.match(r"[\w.-]+", item)[0].lower().replace("_", "-") for item in wanted}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    assert {name for name in names - {"pagemill"} if f"{name}==" not in pins} == set()


def test_the_repository_stays_small():
    sizes = {path: path.stat().st_size for path in tracked()}
    weights = {
        path: sizes.pop(path)
        for path in list(sizes)
        if path.is_relative_to(WEIGHTS) and path.suffix == ".safetensors"
    }
    assert [str(path) for path, size in weights.items() if size > LARGE_WEIGHTS_BYTES] == []
    assert sum(weights.values()) < TOTAL_WEIGHTS_BYTES
    assert [str(path) for path, size in sizes.items() if size > LARGE_BYTES] == []
    assert sum(sizes.values()) < TOTAL_BYTES
