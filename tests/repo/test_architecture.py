"""The map of the house, its drawings and the maps of the folders say what is there, all of it."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ARCHITECTURE = DOCS / "architecture.md"
PAGES = (
    ARCHITECTURE,
    DOCS / "glossary.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "tools" / "README.md",
)
ROOMS, PAGE_WAY, SAMPLE_WAY = (
    DOCS / f"{name}.svg" for name in ("rooms", "types-of-a-page", "way-of-a-sample")
)
LAYERS = runpy.run_path(str(Path(__file__).with_name("test_layers.py")))
MADE_LATER = (".venv", "shards", "index", "ledger")
"""Folders that commands make."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def packages(root: Path) -> list[Path]:
    """Folders of the package below `root`, which is one itself."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*__init__.py"]
    done = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True)
    return [(root / name).parent for name in done.stdout.split() if not name.startswith("tests/")]


FOLDERS = packages(ROOT)


def missing_paths(text: str, beside: Path) -> list[str]:
    """Paths in backticks or links that lead nowhere, from the root or from the page."""
    spans = re.findall(r"`([^`\n]+)`", text)
    words = [word for span in spans for word in span.split()]
    paths = [word for word in words if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*/?", word)]
    paths = [path for path in paths if "/" in path or path.endswith(".py")]
    paths += re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    return [
        path
        for path in paths
        if path.split("/")[0] not in MADE_LATER
        and not any((at / path).exists() or [*at.glob(path)] for at in (ROOT, beside))
    ]


def modules_of(folder: Path) -> set[str]:
    """Modules and folders that a map must name."""
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    return files | {path.name for path in FOLDERS if path.parent == folder}


def map_faults(folder: Path) -> list[str]:
    """What a folder's docstring leaves out, and what it names that is not there any more."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    modules = modules_of(folder)
    out = sorted(name for name in modules if not re.search(rf"(?m)`{name}[`./]|^ +{name}  ", text))
    gone = sorted(set(re.findall(r"`([a-z0-9_]+)[`/]", text)) - modules - words_below(folder))
    return [f"left out: {name}" for name in out] + [f"gone: {name}" for name in gone]


def words_below(folder: Path) -> set[str]:
    """Words of the code, docstrings apart, and names that are known everywhere."""
    code = "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    bare = re.sub(r'"""[\s\S]*?"""', "", code)
    top = {path.name for path in ROOT.iterdir()}
    return set(re.findall(r"\w+", bare)) | set(sys.stdlib_module_names) | top


def texts(drawing: Path, css: str) -> list[str]:
    return re.findall(rf'<text class="{css}"[^>]*>([^<]*)</text>', drawing.read_text("utf-8"))


def class_names() -> set[str]:
    return set(LAYERS["class_names"](ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_that_is_named_exists(page: Path):
    assert missing_paths(page.read_text("utf-8"), page.parent) == []


def test_a_path_that_is_gone_is_found():
    text = "`engine/page.py`, `engine/cli.py x`, `bench/*.py`, [map](gone.md), `a/b`, `README.md`"
    assert missing_paths(text, ROOT) == ["engine/cli.py", "a/b", "gone.md"]


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_the_map_of_a_folder_names_every_module_of_it_and_no_other(folder: Path):
    assert map_faults(folder) == []


def test_a_map_that_is_stale_is_found(tmp_path: Path):
    (tmp_path / "__init__.py").write_text('"""In order: `page`, `stage` (a pool), `json`."""\n')
    (tmp_path / "page.py").write_text("")
    (tmp_path / "index.py").write_text("")
    assert map_faults(tmp_path) == ["left out: index", "gone: stage"]


def test_every_room_and_every_folder_of_the_package_is_in_the_architecture():
    text = ARCHITECTURE.read_text("utf-8")
    wanted = {name_of(folder) for folder in FOLDERS} | set(LAYERS["MAY_IMPORT"])
    assert [name for name in sorted(wanted - {"", "."}) if f"`{name}/`" not in text] == []


def test_every_heavy_package_stands_with_its_places():
    rows = [row for row in ARCHITECTURE.read_text("utf-8").splitlines() if row.startswith("|")]
    for package, places in LAYERS["ONLY_IN"].items():
        if places:
            wanted = [f"`{place}`" for place in places]
            found = [row for row in rows if re.search(rf"\b{package}\b", row.split("|")[1])]
            assert any(all(place in row for place in wanted) for row in found), package


def test_the_drawing_of_the_rooms_has_all_of_them():
    text = ROOMS.read_text("utf-8")
    rooms = [name for name in LAYERS["MAY_IMPORT"] if name and "/" not in name]
    assert [name for name in rooms if f">{name}</text>" not in text] == []
    parts = [name_of(folder).split("/") for folder in FOLDERS]
    inner = [f"{names[1]}/" for names in parts if len(names) == 2 and names[0] != "train"]
    assert [name for name in [*inner, "stream/", "evaluate/"] if name not in text] == []


@pytest.mark.parametrize("drawing", [PAGE_WAY, SAMPLE_WAY], ids=name_of)
def test_every_type_that_is_drawn_is_a_class(drawing: Path):
    drawn = set(re.findall(r"\b(?:[A-Z][a-z]+){1,}\b", " ".join(texts(drawing, "type"))))
    assert drawn - class_names() == set()
    assert len(drawn) > 10


@pytest.mark.parametrize("drawing", [PAGE_WAY, SAMPLE_WAY], ids=name_of)
def test_every_file_that_is_drawn_exists(drawing: Path):
    folder, missing = "", []
    for text in texts(drawing, "file"):
        for path in re.findall(r"[\w/]+/(?:\w+\.py)?|\w+\.py", text):
            if "/" in path:
                folder = path.rpartition("/")[0]
            whole = path if "/" in path else f"{folder}/{path}"
            if whole.split("/")[0] not in MADE_LATER and not (ROOT / whole).exists():
                missing.append(whole)
    assert missing == []
