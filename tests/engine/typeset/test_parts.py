"""The parts of a page: which glyphs there are, how lines break, how sums and dates are written."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.config import describe, load
from pagemill.engine.errors import ConfigError
from pagemill.engine.typeset import fake
from pagemill.engine.typeset.cmap import characters
from pagemill.engine.typeset.config import TypesetConfig
from pagemill.engine.typeset.flow import break_lines, styled
from pagemill.engine.typeset.font import face_of, sized
from pagemill.engine.typeset.locale import LABELS, LOCALES
from pagemill.engine.typeset.material import load_material
from pagemill.engine.typeset.sheet import Style
from pagemill.engine.typeset.text import LETTERS
from PIL import ImageFont

FONT = ImageFont.load_default(10).path.getvalue()
STYLE = Style(sized(face_of("aileron", FONT, flags=0), 14.0))


def test_a_font_says_which_characters_it_has():
    found = characters(FONT)
    assert set(map(ord, "azAZ09%")) <= found
    assert ord("ł") not in found


@pytest.mark.parametrize("data", [b"", b"GIF89a", FONT[:200], b"\0\1\0\0" + b"\xff" * 60])
def test_a_file_that_is_no_font_is_refused(data):
    with pytest.raises(ValueError, match="font"):
        face_of("broken", data, flags=0)


@given(
    st.lists(st.text("abcdeiou", min_size=1, max_size=14), max_size=40),
    st.floats(60, 400),
    st.booleans(),
)
def test_lines_hold_all_words_in_order_and_are_no_wider(words, width, hyphenate):
    lines = break_lines(styled(words, STYLE), width, hyphenate=hyphenate)
    for line in lines:
        total = sum(STYLE.width(text) for text, _ in line) + STYLE.space * (len(line) - 1)
        assert total <= width + 1e-6
    joined = "".join(text for line in lines for text, _ in line).replace("-", "")
    fitting = [word for word in words if STYLE.width(word) <= width]
    if len(fitting) == len(words):
        assert joined == "".join(words)
    if not hyphenate:
        assert [text for line in lines for text, _ in line] == fitting


@pytest.mark.parametrize("language", LOCALES)
def test_every_locale_has_all_labels_and_writes_its_own_letters(language):
    locale = LOCALES[language]
    assert len(locale.labels.split("|")) == len(LABELS)
    assert len(locale.months.split(",")) == 12
    letters = set("".join(str(value) for value in vars(locale).values()))
    common = set(map(chr, range(32, 127))) | set("€£°ºª\u2019")
    assert {c.lower() for c in letters - common} <= {c.lower() for c in LETTERS[language]} | set(
        "éèêïöüæœñìòùâ"
    )
    rng = random.Random(3)
    for form in locale.dates.split("|"):
        assert "{" not in fake.date(rng, locale, form=form)


def test_sums_are_written_as_the_language_does():
    assert fake.money(1234567.5, LOCALES["en"]) == "£1,234,567.50"
    assert fake.money(1234.5, LOCALES["de"]) == "1.234,50 €"
    assert fake.money(1234.5, LOCALES["fr"]) == "1 234,50 €"
    assert fake.number(-0.5, LOCALES["pl"]) == "-0,50"


def test_every_setting_says_what_it_means():
    assert all(meaning for _, _, meaning in describe(TypesetConfig))
    config = load(TypesetConfig, None, ["kind.line=0.5", "look.min_dpi=90"])
    assert (config.kind.line, config.look.min_dpi) == (0.5, 90.0)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("kind.line=-1", "kind.line is -1"),
        ("kind.lines=1", "nearest is 'kind.line'"),
        ("text.english=2", "at most 1"),
        ("text.words=0.95", "together at most 1"),
        ("look.min_dpi=20", "72 to 300"),
        ("look.min_x_height_px=50", "lower one first"),
        ("shard_pages=0", "shard_pages is 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(override, message):
    with pytest.raises(ConfigError, match=message):
        load(TypesetConfig, None, [override])


def test_a_folder_that_is_none_is_refused(tmp_path, folder):
    with pytest.raises(ConfigError, match="make_small_data"):
        load_material(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b'{"schema": "other"}')
    with pytest.raises(ConfigError, match="is not a manifest"):
        load_material(tmp_path)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    for section, message in (("fonts", "no fonts"), ("texts", "no language")):
        broken = {**manifest, section: []}
        for path in folder.rglob("*.*"):
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
        (tmp_path / "manifest.json").write_bytes(orjson.dumps(broken))
        with pytest.raises(ConfigError, match=message):
            load_material(tmp_path)
    manifest["texts"][0]["bytes"] += 1
    (tmp_path / "manifest.json").write_bytes(orjson.dumps(manifest))
    with pytest.raises(ConfigError, match="the manifest says"):
        load_material(tmp_path)
