"""What characters say of themselves: missing mappings, and bytes taken for letters."""

from __future__ import annotations

import pytest
from pagemill.engine.verdict.script import read_script
from support.passages import DEV, HELD_OUT


@pytest.mark.parametrize("text", [*DEV.values(), *HELD_OUT.values()])
def test_real_languages_are_neither_unmapped_nor_bytewise(text: str) -> None:
    script = read_script(text.split())
    assert script.unmapped == 0
    assert script.mojibake < 0.1


@pytest.mark.parametrize("language", ["de", "es", "pl", "ru", "el", "zh"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf8_read_byte_by_byte_is_noticed(language: str, encoding: str) -> None:
    text = DEV[language].encode().decode(encoding, "replace")
    assert read_script(text.split()).mojibake > 0.6


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_cyrillic_read_as_latin1_is_noticed(encoding: str) -> None:
    text = DEV["ru"].encode(encoding, "replace").decode("latin-1")
    assert read_script(text.split()).mojibake > 0.5


def test_a_few_accents_in_english_prove_nothing() -> None:
    words = ["The", "café", "in", "Åre", "serves", "smörgås", "to", "naïve", "guests"]
    assert read_script(words).mojibake < 0.1


def test_bullets_of_symbol_fonts_are_not_missing_mappings() -> None:
    assert read_script(["\uf0b7", "first", "\uf0b7", "second"]).unmapped == 0
    assert read_script(["\ue001\ue002\ue003", "first"]).unmapped == pytest.approx(3 / 8)


def test_no_words_no_claims() -> None:
    assert read_script([]).characters == 0
    assert read_script(["", " "]).unmapped == 0
