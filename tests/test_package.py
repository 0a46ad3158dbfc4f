"""What `import pagemill` offers: names that are imported when they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pagemill
import pytest

ROOT = Path(pagemill.__path__[0])


def test_every_name_is_there_and_listed():
    for name in pagemill.__all__:
        assert getattr(pagemill, name) is getattr(pagemill, name)
        assert name in dir(pagemill)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'open_corpse'"):
        _ = pagemill.open_corpse


def test_the_types_are_of_the_same_names():
    stub = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported | {"__version__"} == set(pagemill.__all__)


@pytest.mark.parametrize(
    ("names", "with_numpy"),
    [("__version__", False), ("Page, open_corpus, plan_page, corrupt", True)],
)
def test_no_name_loads_more_than_it_needs(names, with_numpy):
    code = f"import sys, pagemill\nfrom pagemill import {names}\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(out.stdout.split())
    assert not {"torch", "transformers", "ray"} & modules
    assert ("numpy" in modules) == with_numpy


def test_a_missing_extra_is_named():
    code = "import sys\nsys.modules['torch'] = None\nimport pagemill\npagemill.PageStream"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pagemill.PageStream needs torch: pip install 'pagemill[train]'" in out.stderr


def test_the_stream_is_imported_from_its_package_and_only_when_it_is_named():
    code = (
        "import sys, pagemill.train.stream as room; light = 'torch' not in sys.modules; "
        "print(light, room.PageStream.__name__, room.StreamConfig.__name__)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["True", "PageStream", "StreamConfig"]
