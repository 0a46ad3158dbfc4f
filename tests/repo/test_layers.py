"""Imports run one way, and heavy packages stay in their rooms.

Read from the syntax tree, so that imports inside functions and `if TYPE_CHECKING` count too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MAY_IMPORT = {
    "engine": {"engine"},
    "corruption": {"engine", "corruption"},
    "pipelines": {"engine", "corruption", "pipelines"},
    "model": {"model", "engine.errors"},
    "train": {"engine", "corruption", "model", "train"},
    "serve": {"engine", "corruption", "model", "train", "serve"},
    "": {
        "", "engine", "corruption", "pipelines", "model", "train", "serve", "cli", "cli_model",
        "cli_stream",
        "cli_train",
        "cli_eval",
        "cli_typeset",
    },
}  # fmt: skip
"""Room to the modules of ours that it may import; "" is the root: cli.py, __main__.py."""

ONLY_IN = {
    "ray": ("pipelines/", "train/"),
    "pymupdf": ("engine/read/backend/mupdf.py",),
    "fitz": (),
    "pdf2image": ("engine/read/backend/poppler.py",),
    "torch": ("model/", "train/", "serve/"),
    "transformers": ("model/", "train/", "serve/"),
    "deepspeed": ("train/parallel.py",),
    "albumentations": ("corruption/operator/kernel.py",),
    "rapidocr": ("corruption/ocr/rapid.py",),
    "tokenizers": ("model/", "train/", "serve/"),
    "safetensors": ("model/", "train/", "serve/"),
    "peft": ("train/", "serve/"),
    "av": ("model/video.py",),
    "apted": ("train/metric.py",),
    "rapidfuzz": ("corruption/ocr/score.py", "train/metric.py"),
}
"""Third-party package to the files, or folders ending in a slash, that may import it."""


def faults(root: Path) -> list[str]:
    """Every import below `root` that breaks a rule: `file:line: what`."""
    found = []
    for path in sorted(root.glob("*.py")):
        found += faults_of(path, root, "")
    for room in MAY_IMPORT:
        for path in sorted((root / room).rglob("*.py")) if room else ():
            found += faults_of(path, root, room)
    return found


def faults_of(path: Path, root: Path, room: str) -> Iterator[str]:
    place = path.relative_to(root).as_posix()
    for line, module in imports(path, root):
        top = module.split(".")[0]
        if top == "pagemill":
            inner = module.partition(".")[2]
            allowed = {*MAY_IMPORT[room], "__version__"}
            if not any(within(inner, one) for one in allowed):
                yield f"{place}:{line}: {room or 'the root'} may not import {module}"
        elif top in ONLY_IN and not any(
            place == spot or (spot.endswith("/") and place.startswith(spot))
            for spot in ONLY_IN[top]
        ):
            yield f"{place}:{line}: {top} may be imported only in: {', '.join(ONLY_IN[top])}"


def within(module: str, room: str) -> bool:
    return module == room or (bool(room) and module.startswith(room + "."))


def imports(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module) of every import; `from x import y` counts as x.y."""
    package = ["pagemill", *path.relative_to(root).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, node.module or ""]).rstrip(".")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, absolute(name.value, package)


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def absolute(name: str, package: list[str]) -> str:
    level = len(name) - len(name.lstrip("."))
    start = package[: len(package) - level + 1] if level else []
    return ".".join([*start, name.lstrip(".")])


def test_imports_run_one_way_and_heavy_packages_stay_in_their_rooms():
    assert faults(ROOT) == []


def test_every_folder_of_the_package_is_a_room_with_a_rule():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms <= set(MAY_IMPORT)
    assert "engine" in rooms


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("engine/page.py", "from ..pipelines.build import build"),
        ("engine/page.py", "from .. import pipelines"),
        ("engine/read/reader.py", "def f():\n    from ...corruption import plan"),
        ("engine/page.py", "from pagemill.cli import main"),
        ("engine/page.py", "import pagemill.train.step"),
        ("corruption/plan.py", "from ..pipelines import stage"),
        ("pipelines/build.py", "from ..train import stream"),
        ("model/config.py", "from ..engine.page import Page"),
        ("train/step.py", "from ..pipelines import build"),
        ("engine/store/verify.py", "import ray"),
        ("engine/read/reader.py", "def f():\n    import pymupdf"),
        ("engine/read/backend/poppler.py", "from pymupdf import open"),
        ("engine/read/reader.py", "import fitz"),
        ("engine/read/backend/mupdf.py", "import pdf2image.exceptions"),
        ("engine/page.py", "import importlib\nimportlib.import_module('torch')"),
        ("engine/page.py", "from importlib import import_module\nimport_module('..cli', __name__)"),
        ("corruption/leak.py", "if 0:\n    from transformers import AutoModel"),
        ("cli.py", "import pymupdf"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, place, source):
    write(tmp_path, place, source)
    assert len(faults(tmp_path)) == 1
    assert faults(tmp_path)[0].startswith(place)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("engine/read/reader.py", "from ..page import Page\nfrom .backend import open_document"),
        ("engine/read/backend/mupdf.py", "import pymupdf"),
        ("corruption/plan.py", "from ..engine.page import Page"),
        ("pipelines/cluster.py", "import ray\nfrom ..engine.errors import PagemillError"),
        ("model/config.py", "from ..engine.errors import ConfigError\nimport torch"),
        ("train/step.py", "from ..model import config\nfrom ..corruption.plan import plan_page"),
        (
            "cli.py",
            "def main():\n    from .pipelines.build import build\nfrom . import __version__",
        ),
        ("__main__.py", "from .cli import main"),
    ],
)
def test_a_permitted_import_is_not_a_fault(tmp_path, place, source):
    write(tmp_path, place, source)
    assert faults(tmp_path) == []


def write(root: Path, place: str, source: str) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source + "\n", encoding="utf-8")
