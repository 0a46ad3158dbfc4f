"""What made-up documents say in each language, from `locale.toml`."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("locale.toml")
_NUMBERS_ONLY = {"sv": ("sv_SE", "SEK"), "da": ("da_DK", "DKK"), "cs": ("cs_CZ", "CZK")}
"""Languages without words of their own: their numbers and dates are theirs, the words English."""


@dataclass(frozen=True, kw_only=True)
class Locale:
    """One language's words, and the shapes of its codes; see `fake.filled`."""

    tags: tuple[str, ...]
    """The language's countries, as Babel names them; numbers are written as in the first."""
    currency: str
    """ISO 4217 code."""
    postcode: str
    phone: str
    vat: tuple[int, ...]
    """Rates, per cent."""
    first_names: tuple[str, ...]
    surnames: tuple[str, ...]
    towns: tuple[str, ...]
    streets: tuple[str, ...]
    """`{}` stands for the house number."""
    firms: tuple[str, ...]
    goods: tuple[str, ...]
    labels: Mapping[str, str]
    """What `total` and the like are called."""
    town_first: bool = False
    """Whether the town stands before its postcode."""

    @property
    def tag(self) -> str:
        """The country whose numbers are written."""
        return self.tags[0]


@functools.cache
def locales() -> dict[str, Locale]:
    """By language: those in which documents are made up."""
    tree = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {language: Locale(**_frozen(entry)) for language, entry in tree.items()}


@functools.cache
def locale_of(language: str) -> Locale:
    """The conventions of a language; English ones where it is not known."""
    if language in _NUMBERS_ONLY:
        tag, currency = _NUMBERS_ONLY[language]
        return replace(locales()["en"], tags=(tag,), currency=currency)
    return locales().get(language, locales()["en"])


def _frozen(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }
