"""Imports run one way, without circles, and heavy packages stay in their rooms.

Read from the syntax tree, so that imports inside functions and `if TYPE_CHECKING` count too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BELOW_REPORT = ("engine", "corruption", "model", "train", "serve", "pipelines")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "engine": ("engine",),
    "corruption": ("engine", "corruption"),
    "model": ("engine.errors", "model"),
    "train/stream": ("engine", "corruption", "model", "train.stream"),
    "train/evaluate": ("engine", "corruption", "model", "train.stream", "train.evaluate"),
    "train": ("engine", "corruption", "model", "train"),
    "serve": ("engine", "model", "serve"),
    "pipelines": ("engine", "corruption", "serve", "pipelines"),
    "report": (*BELOW_REPORT, "report"),
    "command": (*BELOW_REPORT, "report", "command"),
    "": (*BELOW_REPORT, "report", "command", ""),
}
"""Room to what it may import of ours; the longest room that holds a file counts; "" is the root."""

ONLY_IN = {
    "ray": ("pipelines/", "train/ray.py"),
    "pymupdf": ("engine/read/backend/mupdf.py",),
    "fitz": (),
    "pdf2image": ("engine/read/backend/poppler.py",),
    "torch": ("model/", "train/", "serve/"),
    "transformers": ("model/", "train/", "serve/"),
    "deepspeed": ("train/backend/deepspeed.py",),
    "albumentations": ("corruption/operator/albumentations.py",),
    "rapidocr": ("corruption/ocr/rapid.py",),
    "scipy": ("pipelines/calibrate/fit.py",),
    "tokenizers": ("model/", "train/", "serve/"),
    "safetensors": ("model/", "train/", "serve/"),
    "peft": ("train/", "serve/"),
    "av": ("model/video.py",),
    "apted": ("engine/score/table.py",),
    "rapidfuzz": ("engine/score/", "report/run/difference.py"),
    "fontTools": ("engine/typeset/font.py",),
    "babel": ("engine/typeset/",),
    "jinja2": ("report/kit/", "model/"),
    "rich": ("command/terminal/",),
    "filelock": ("engine/files.py",),
    "platformdirs": ("engine/files.py",),
    "faiss": ("engine/curate/",),
}
"""Third-party package to the files, or folders ending in a slash, that may import it."""


def source_files(root: Path) -> list[Path]:
    """All Python files of the package below `root`."""
    rooms = sorted({room.partition("/")[0] for room in MAY_IMPORT if room})
    below = [path for room in rooms for path in sorted((root / room).rglob("*.py"))]
    return [*sorted(root.glob("*.py")), *below]


def room_of(place: str) -> str:
    """The longest room of `MAY_IMPORT` that holds a file."""
    return max((room for room in MAY_IMPORT if not room or place.startswith(room + "/")), key=len)


def faults(root: Path) -> list[str]:
    """Every import below `root` that breaks a rule: `file:line: what`."""
    return [text for path in source_files(root) for text in faults_of(path, root)]


def faults_of(path: Path, root: Path) -> Iterator[str]:
    place = path.relative_to(root).as_posix()
    room = room_of(place)
    for line, module in imports(path, root):
        top = module.split(".")[0]
        if top == "pagemill":
            inner = module.partition(".")[2]
            allowed = (*MAY_IMPORT[room], "__version__")
            if not any(within(inner, name) for name in allowed):
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


def file_graph(root: Path) -> dict[str, set[str]]:
    """File to the files of ours that it imports."""
    files = {path.relative_to(root).as_posix(): path for path in source_files(root)}
    graph: dict[str, set[str]] = {}
    for place, path in files.items():
        targets = {target_of(module, files) for _, module in imports(path, root)}
        graph[place] = targets - {"", place}
    return graph


def target_of(module: str, files: dict[str, Path]) -> str:
    """The file that an import reads: the module itself, or the package that holds the name."""
    parts = module.split(".")
    if parts[0] != "pagemill":
        return ""
    for names in (parts[1:], parts[1:-1]):
        stem = "/".join(names)
        for place in (f"{stem}.py", f"{stem}/__init__.py" if stem else "__init__.py"):
            if place in files:
                return place
    return ""


def room_graphs(files: dict[str, set[str]]) -> dict[str, dict[str, set[str]]]:
    """Folder to a graph of what lies in it: its files and folders, and which import which.

    An import counts at the one level at which its two ends lie in different files or folders.
    """
    graphs: dict[str, dict[str, set[str]]] = {}
    for place, targets in files.items():
        for target in targets:
            here, there = place.split("/"), target.split("/")
            depth = next(n for n in range(len(here)) if here[n] != there[n])
            graph = graphs.setdefault("/".join(here[:depth]), {})
            graph.setdefault(here[depth], set()).add(there[depth])
    return graphs


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of the graph, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as err:
        return list(err.args[1])
    return []


def class_names(root: Path) -> dict[str, list[str]]:
    """Public class to the files that define it at their top."""
    defined: dict[str, list[str]] = {}
    for path in source_files(root):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined.setdefault(node.name, []).append(path.relative_to(root).as_posix())
    return defined


def shared_names(root: Path) -> dict[str, list[str]]:
    """Public classes that bear the name of another one."""
    return {name: places for name, places in class_names(root).items() if len(places) > 1}


def test_imports_run_one_way_and_heavy_packages_stay_in_their_rooms():
    assert faults(ROOT) == []


def test_no_file_imports_itself_by_way_of_others():
    assert circle(file_graph(ROOT)) == []


def test_no_folder_imports_itself_by_way_of_others():
    graphs = room_graphs(file_graph(ROOT))
    assert {folder: circle(graph) for folder, graph in graphs.items() if circle(graph)} == {}


def test_no_two_public_classes_share_a_name():
    assert shared_names(ROOT) == {}


def test_every_folder_of_the_package_is_a_room_with_a_rule():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms <= set(MAY_IMPORT)
    assert "engine" in rooms


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("engine/page.py", "from ..pipelines.build.run import build"),
        ("engine/page.py", "from .. import pipelines"),
        ("engine/read/reader.py", "def f():\n    from ...corruption import plan"),
        ("engine/page.py", "from pagemill.command.main import main"),
        ("engine/page.py", "import pagemill.train.backend.torch"),
        ("corruption/plan.py", "from ..pipelines import pool"),
        ("pipelines/build/run.py", "from ...train.stream import stream"),
        ("pipelines/build/run.py", "from ...report.corpus import write_report"),
        ("pipelines/build/run.py", "from ...command.terminal import progress"),
        ("model/config.py", "from ..engine.page import Page"),
        ("train/backend/torch.py", "from ...pipelines.build import run"),
        ("train/stream/sample.py", "from ..recipe import recipe"),
        ("train/evaluate/case.py", "from .. import trainer"),
        ("serve/read/read.py", "from ...train.evaluate import case"),
        ("serve/read/read.py", "from ...corruption.schedule import DEFAULT"),
        ("report/corpus/write.py", "from ...command import main"),
        ("engine/verify/corpus.py", "import ray"),
        ("engine/read/reader.py", "def f():\n    import pymupdf"),
        ("engine/read/backend/poppler.py", "from pymupdf import open"),
        ("engine/read/reader.py", "import fitz"),
        ("engine/read/backend/mupdf.py", "import pdf2image.exceptions"),
        ("engine/page.py", "import importlib\nimportlib.import_module('torch')"),
        ("engine/page.py", "from importlib import import_module\nimport_module('..cli', __name__)"),
        ("corruption/leak.py", "if 0:\n    from transformers import AutoModel"),
        ("command/main.py", "import pymupdf"),
    ],
)  # fmt: skip
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
        ("train/stream/sample.py", "from ...model import config\nfrom ...corruption import plan"),
        ("train/trainer.py", "from .stream.stream import PageStream\nfrom .evaluate import case"),
        ("report/run/write.py", "from ...train.log import journal"),
        ("command/main.py", "def f():\n    from ..pipelines.build.run import build"),
        ("__main__.py", "from .command.main import main\nfrom . import __version__"),
    ],
)
def test_a_permitted_import_is_not_a_fault(tmp_path, place, source):
    write(tmp_path, place, source)
    assert faults(tmp_path) == []


def test_a_planted_circle_of_files_is_found(tmp_path):
    write(tmp_path, "engine/key.py", "from .page import Page")
    write(tmp_path, "engine/page.py", "def f():\n    from .text import visible")
    write(tmp_path, "engine/text.py", "from . import key")
    assert set(circle(file_graph(tmp_path))) == {
        "engine/key.py", "engine/page.py", "engine/text.py",
    }  # fmt: skip


def test_a_planted_circle_of_folders_is_found(tmp_path):
    write(tmp_path, "engine/read/reader.py", "from ..store.shard import write_shard")
    write(tmp_path, "engine/store/place.py", "from ..read.message import send")
    write(tmp_path, "engine/read/message.py", "")
    write(tmp_path, "engine/store/shard.py", "")
    graph = file_graph(tmp_path)
    assert circle(graph) == []
    assert set(circle(room_graphs(graph)["engine"])) == {"read", "store"}


def test_two_classes_of_one_name_are_found(tmp_path):
    write(tmp_path, "engine/page.py", "class Line: ...")
    write(tmp_path, "report/run/chart.py", "class Line: ...\nclass _Row: ...")
    write(tmp_path, "report/run/write.py", "class _Row: ...")
    assert shared_names(tmp_path) == {"Line": ["engine/page.py", "report/run/chart.py"]}


def write(root: Path, place: str, source: str) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source + "\n", encoding="utf-8")
