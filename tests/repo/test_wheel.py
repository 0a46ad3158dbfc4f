"""The wheel holds the whole package and nothing else, and works where `model.py` is yours."""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_PACKAGED = {"tests", "bench", "docs", "tools", "examples", "build", "dist", "out", "corpus"}
DECOY = "raise RuntimeError('a module of the user was imported by its bare name')\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what git would hold, so that no build folder is left."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, source],
        check=True,
        capture_output=True,
        timeout=170,
    )
    return next(out.glob("pagemill-*.whl"))


def tracked() -> list[str]:
    """Files that are, or are about to be, in the repository."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def packages() -> dict[str, Path]:
    """Dotted name to folder of every package on disk."""
    found = {"pagemill": ROOT}
    for path in sorted(ROOT.rglob("__init__.py")):
        parts = path.parent.relative_to(ROOT).parts
        if parts and parts[0] not in NOT_PACKAGED and not parts[0].startswith("."):
            found[".".join(["pagemill", *parts])] = path.parent
    return found


def settings() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]


def test_pyproject_lists_every_package_on_disk():
    assert sorted(settings()["packages"]) == sorted(packages())


def test_every_python_file_outside_the_side_folders_is_in_a_package():
    folders = set(packages().values())
    stray = [
        name
        for name in tracked()
        if name.endswith(".py")
        and Path(name).parts[0] not in NOT_PACKAGED
        and (ROOT / name).parent not in folders
    ]
    assert stray == []


def test_the_wheel_holds_every_module_and_every_data_file(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"{package.replace('.', '/')}/{path.name}"
        for package, folder in packages().items()
        for path in folder.glob("*.py")
    }
    for name in tracked():
        path = ROOT / name
        if path.suffix in {
            ".npz",
            ".toml",
            ".html",
            ".css",
            ".js",
            ".json",
            ".jinja",
        } and name.count("/"):
            package = "pagemill/" + path.parent.relative_to(ROOT).as_posix()
            if path.parent in packages().values():
                wanted.add(f"{package}/{path.name}")
    wanted.add("pagemill/py.typed")
    assert sorted(wanted - inside) == []


def test_the_wheel_holds_nothing_else(wheel):
    root_modules = {"__init__.py", "__init__.pyi", "__main__.py", "py.typed"}
    for name in zipfile.ZipFile(wheel).namelist():
        top, _, rest = name.partition("/")
        if top.endswith(".dist-info"):
            continue
        assert top == "pagemill", name
        room = rest.partition("/")[0]
        assert room not in NOT_PACKAGED, name
        assert "/" in rest or room in root_modules, name
        assert not fnmatch.fnmatch(name, "*conftest*"), name


@pytest.mark.ray
def test_the_installed_wheel_builds_beside_decoy_modules(wheel, tmp_path):
    """An empty environment, the wheel, and the libraries of this one on a path file."""
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for path in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(path).iterdir():
            if "pagemill" not in entry.name and not (libraries / entry.name).exists():
                (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    for decoy in ("model", "train", "engine", "pipelines", "corruption"):
        (work / f"{decoy}.py").write_text(DECOY, encoding="utf-8")
    make_pdf(work / "two.pdf")
    shown = subprocess.run(
        [python, "-m", "pagemill", "build", "two.pdf", "--out", "corpus", "--workers", "1"],
        cwd=work, env=clean(), capture_output=True, text=True, timeout=170,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stdout + shown.stderr
    stats = subprocess.run(
        [python, "-m", "pagemill", "stats", "corpus", "--json"],
        cwd=work, env=clean(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert json.loads(stats.stdout)["pages"]["written"] == 2
    where = subprocess.run(
        [python, "-c", "import pagemill; print(pagemill.__file__)"],
        cwd=work, env=clean(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(home)


def clean() -> dict[str, str]:
    """This environment without what points at this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def make_pdf(path: Path) -> None:
    """Two pages of plain text, written by hand: no PDF library is needed to make them."""
    lines = b"BT /F 14 Tf 60 700 Td 20 TL " + b"(The quick brown fox jumps over it) Tj T* " * 9
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]/MediaBox[0 0 595 842]>>",
        *[
            b"<</Type/Page/Parent 2 0 R/Contents 5 0 R/Resources<</Font<</F 6 0 R>>>>>>",
        ]
        * 2,
        b"<</Length %d>>stream\n%sET\nendstream" % (len(lines) + 2, lines),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    path.write_bytes(data)
