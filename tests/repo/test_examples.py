"""The documents and the configuration that ship: small, complete, and what their table says."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from pagemill.corruption import CorruptionConfig
from pagemill.engine.config import describe, load
from pagemill.pipelines.build.config import BuildConfig
from pagemill.train.stream.config import StreamConfig

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DOCUMENTS = EXAMPLES / "documents"


def flat(tree: dict, prefix: str = "") -> dict:
    found = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("build.toml", BuildConfig),
        ("corruption.toml", CorruptionConfig),
        ("stream.toml", StreamConfig),
    ],
)
def test_the_example_configuration_names_every_key_with_its_default(name, kind):
    path = EXAMPLES / name
    given = flat(tomllib.loads(path.read_text(encoding="utf-8")))
    known = {key: default for key, default, _ in describe(kind)}
    assert sorted(given) == sorted(known)
    assert load(kind, path) == kind()


def test_the_tables_name_every_document_and_every_script():
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([\w.-]+)`", row.split("|")[1])}
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert named == {path.name for path in DOCUMENTS.iterdir()} | scripts


def test_the_documents_are_small():
    assert sum(path.stat().st_size for path in DOCUMENTS.iterdir()) < 3_000_000


def test_the_broken_one_is_broken_and_the_others_end_as_pdfs_do():
    for path in DOCUMENTS.glob("*.pdf"):
        data = path.read_bytes()
        assert data.startswith(b"%PDF-"), path.name
        assert (b"%%EOF" in data[-32:]) == ("truncated" not in path.name), path.name


def test_the_archive_holds_two_documents_and_one_file_that_is_none():
    names = zipfile.ZipFile(DOCUMENTS / "shop-dump.zip").namelist()
    assert sorted(Path(name).suffix for name in names) == [".pdf", ".pdf", ".txt"]
