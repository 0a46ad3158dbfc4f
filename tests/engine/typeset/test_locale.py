"""Every language has all the words of made-up documents, in letters that its fonts must have."""

from __future__ import annotations

import random

import pytest
from pagemill.engine.typeset import fake, notation
from pagemill.engine.typeset.locale import locale_of, locales
from pagemill.engine.typeset.text import BASIC, LETTERS


@pytest.mark.parametrize("language", locales())
def test_every_language_has_all_labels_and_writes_its_own_letters(language):
    locale = locales()[language]
    assert list(locale.labels) == list(locales()["en"].labels)
    assert set(fake.FIELDS) <= set(locale.labels)
    words = [*locale.labels.values(), *locale.first_names, *locale.surnames, *locale.towns]
    words += [*locale.streets, *locale.firms, *locale.goods, notation.country(locale.tag)]
    letters = set("".join(words)) - set(BASIC) - set(" {}!|€£°ºª\u2019")
    assert {c.lower() for c in letters} <= {c.lower() for c in LETTERS[language]} | set(
        "éèêïöüæœñìòùâ"
    )


@pytest.mark.parametrize("language", LETTERS)
def test_a_date_is_in_letters_that_the_fonts_of_the_language_have(language):
    rng = random.Random(3)
    locale = locale_of(language)
    letters = {c for _ in range(400) for c in fake.date(rng, locale)}
    assert letters <= set(BASIC + LETTERS[language] + " "), letters


def test_a_language_without_words_of_its_own_has_its_own_numbers():
    czech = locale_of("cs")
    assert czech.labels["total"] == "Total"
    assert fake.money(1234.5, czech) == "1 234,50 Kč"
    assert locale_of("eo") == locales()["en"]
