"""Keys of a build that have changed their name, and corpora that were built under the old ones."""

from __future__ import annotations

import pytest
from pagemill.engine.config import load, to_tree
from pagemill.engine.errors import ConfigError
from pagemill.engine.store.place import Place
from pagemill.pipelines.build.config import BuildConfig
from pagemill.pipelines.build.history import corpus_at


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("render.engine=poppler", "'render.engine' is now called 'render.backend'"),
        ("render.second_engine=false", "'render.second_engine' is now called 'render.second_ba"),
        ("render.backend=pdfium", "render.backend is 'pdfium'; allowed: mupdf, poppler"),
        ("render.backend=raster", "allowed: mupdf, poppler"),
    ],
)
def test_old_names_and_unknown_backends_are_told(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(BuildConfig, None, [override])


def old_tree(config: BuildConfig) -> dict[str, object]:
    """The configuration as `corpus.json` carried it before the keys were renamed."""
    tree = to_tree(config)
    render = dict(tree["render"])
    render["engine"] = render.pop("backend")
    render["second_engine"] = render.pop("second_backend")
    return {**tree, "render": render}


def test_a_corpus_of_the_old_names_is_continued_and_another_is_not(place: Place) -> None:
    config = load(BuildConfig, None, ["render.dpi=72"])
    info = corpus_at(place, config)
    old = type(info)(
        status="complete",
        created=info.created,
        config=old_tree(config),
        config_hash="0123456789abcdef",
        image_ext=info.image_ext,
    )
    old.save(place)
    assert corpus_at(place, config).created == info.created
    other = load(BuildConfig, None, ["render.dpi=72", "render.backend=poppler"])
    with pytest.raises(ConfigError, match=r"render\.backend is 'mupdf' there and 'poppler' here"):
        corpus_at(place, other)


@pytest.fixture
def place(tmp_path) -> Place:
    return Place.at(str(tmp_path / "corpus"))
