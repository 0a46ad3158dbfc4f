"""Settings come from TOML and the command line; mistakes are named with the nearest key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pagemill.engine.config import (
    describe,
    fingerprint,
    from_tree,
    load,
    to_toml,
    to_tree,
    upgraded,
    with_overrides,
)
from pagemill.engine.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Render:
    renamed_keys: ClassVar[Mapping[str, str]] = {"resolution": "dpi"}
    dpi: float = 144.0
    "Resolution."
    engine: Literal["mupdf", "poppler"] = "mupdf"
    "Which engine."
    deep: bool = True
    "Look twice."


@dataclass(frozen=True, kw_only=True)
class Build:
    renamed_keys: ClassVar[Mapping[str, str]] = {"draw": "render"}
    render: Render = field(default_factory=Render)
    languages: tuple[str, ...] = ()
    "Kept languages."
    note: str | None = None
    "Anything."


def test_defaults_file_and_override_in_that_order(tmp_path: Path) -> None:
    path = tmp_path / "build.toml"
    path.write_text("[render]\ndpi = 100\nengine = 'poppler'\n")
    config = load(Build, path, ["render.dpi=72", "languages=['en', 'de']", "note=plain text"])
    assert config == Build(
        render=Render(dpi=72.0, engine="poppler"), languages=("en", "de"), note="plain text"
    )
    assert isinstance(config.render.dpi, float)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("render.resolution=72", "'render.resolution' is now called 'render.dpi'"),
        ("draw.dpi=72", "'draw' is now called 'render'"),
        ("render.dpj=72", "nearest is 'render.dpi'"),
        ("rendr.dpi=72", "nearest is 'render'"),
        ("render.dpi=fast", "render.dpi is 'fast'"),
        ("render.dpi=true", "float"),
        ("render.deep=1", "bool"),
        ("render.engine=pdfium", "allowed: mupdf, poppler"),
        ("render=3", "section"),
        ("render.dpi", "KEY=VALUE"),
        ("render.dpi.x=3", "is 'x'|is a section|value|type"),
    ],
)
def test_mistakes_are_named(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(Build, None, [override])


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load(Build, tmp_path / "gone.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("dpi = = 3")
    with pytest.raises(ConfigError, match="not TOML"):
        load(Build, bad)


def test_fingerprint_follows_every_value_but_those_left_out() -> None:
    base = Build()
    assert fingerprint(base) == fingerprint(Build())
    assert fingerprint(base) != fingerprint(Build(render=Render(dpi=100)))
    changed = Build(note="x")
    assert fingerprint(base, without=("note",)) == fingerprint(changed, without=("note",))


def test_a_stored_tree_gives_the_configuration_back() -> None:
    config = Build(languages=("fr",), render=Render(deep=False))
    assert with_overrides(Build, to_tree(config), []) == config


def test_printed_toml_is_complete_explained_and_loads(tmp_path: Path) -> None:
    config = Build(languages=("fr",), note="n")
    path = tmp_path / "all.toml"
    path.write_text(to_toml(config))
    assert load(Build, path) == config
    assert "# Resolution." in path.read_text()


def test_every_field_has_a_meaning() -> None:
    assert [(name, meaning) for name, _, meaning in describe(Build)] == [
        ("render.dpi", "Resolution."),
        ("render.engine", "Which engine."),
        ("render.deep", "Look twice."),
        ("languages", "Kept languages."),
        ("note", "Anything."),
    ]


def test_what_an_older_version_wrote_is_read_under_the_names_of_today() -> None:
    old = {"draw": {"resolution": 100.0, "deep": False}, "note": "n", "licence": "kept as it is"}
    tree = upgraded(Build, old)
    assert tree == {
        "render": {"dpi": 100.0, "deep": False},
        "note": "n",
        "licence": "kept as it is",
    }
    del tree["licence"]
    assert from_tree(Build, tree) == Build(render=Render(dpi=100.0, deep=False), note="n")
    assert old["draw"] == {"resolution": 100.0, "deep": False}


def test_old_names_of_a_parent_count_in_its_children() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Limits:
        renamed_keys: ClassVar[Mapping[str, str]] = {"seconds": "deadline_s"}
        deadline_s: float = 1.0

    @dataclass(frozen=True, kw_only=True)
    class AllLimits(Limits):
        renamed_keys: ClassVar[Mapping[str, str]] = {"memory": "memory_bytes"}
        memory_bytes: int = 1

    assert upgraded(AllLimits, {"seconds": 2.0, "memory": 3}) == {
        "deadline_s": 2.0,
        "memory_bytes": 3,
    }
