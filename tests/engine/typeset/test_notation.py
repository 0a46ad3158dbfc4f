"""Numbers, sums and dates are written as the language does, in characters that people type."""

from __future__ import annotations

import datetime
import random
import unicodedata

import pytest
from pagemill.engine.typeset import fake, notation
from pagemill.engine.typeset.locale import locale_of
from pagemill.engine.typeset.notation import DateForm
from pagemill.engine.typeset.text import LETTERS

DAY = datetime.date(2026, 3, 7)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "£1,234,567.50"),
        ("de", "1.234.567,50 €"),
        ("fr", "1 234 567,50 €"),
        ("nl", "€ 1.234.567,50"),
        ("pl", "1 234 567,50 zł"),
        ("sv", "1 234 567,50 kr"),
    ],
)
def test_sums_are_written_as_the_language_does(language, written):
    assert fake.money(1234567.5, locale_of(language)) == written


def test_numbers_have_as_many_digits_as_asked_for():
    assert notation.number(-0.5, "pl_PL") == "-0,50"
    assert notation.number(1234.5678, "en_GB", places=3) == "1,234.568"
    assert notation.number(1234, "de_DE", places=0) == "1.234"
    assert notation.number(-9, "sv_SE", places=0) == "-9"
    assert notation.percent(0.19, "de_DE") == "19 %"
    assert notation.percent(0.125, "en_GB", places=1) == "12.5%"


def test_dates_are_written_in_digits_and_in_words():
    written = {notation.date(DAY, form) for form in notation.date_forms(("de_DE",))}
    assert written == {"07.03.26", "07.03.2026", "7.3.2026", "7. März 2026", "2026-03-07"}
    assert notation.date(DAY, DateForm("es_ES", "d 'de' MMMM 'de' y")) == "7 de marzo de 2026"
    assert notation.time(datetime.time(14, 5), "da_DK") == "14.05"


@pytest.mark.parametrize("language", LETTERS)
def test_a_no_break_space_is_the_space_that_people_type(language):
    """It would be a character that no reader is asked for, and words would not part there."""
    rng, locale = random.Random(7), locale_of(language)
    texts = [fake.money(-1234567.5, locale), fake.percent(0.5, locale), fake.clock(rng, locale)]
    texts += [fake.date(rng, locale) for _ in range(100)]
    texts.append(notation.time(datetime.time(14, 5), "en_US"))
    for character in set("".join(texts)):
        assert character == " " or unicodedata.category(character)[0] != "Z", texts
        assert character != "\N{MINUS SIGN}"
    assert len(fake.money(1234567.5, locale_of("fr")).split()) == 4
