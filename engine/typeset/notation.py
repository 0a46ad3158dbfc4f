"""Numbers, sums, dates and times as a language writes them, by Babel's data (CLDR).

CLDR sets no-break spaces and the typographer's minus; an office types a space and a hyphen, and so
do these pages. Text is split into words at spaces: `1 234,50 €` is three words, as on paper.

A language is named by a tag such as `de_DE`. Parsed patterns are kept, since parsing one takes
several times as long as using it.
"""

from __future__ import annotations

import datetime
import functools
import re
from typing import NamedTuple

from ..errors import DependencyError

try:
    import babel
    from babel import dates, numbers
except ImportError as err:
    raise DependencyError("typesetting needs Babel: pip install 'pagemill[train]'") from err

VERSION = babel.__version__
"""Other versions may write other forms; a corpus records which one made it."""

_TYPED = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})
_FRACTION = re.compile(r"\.[0#]+")
_ISO_DATE = "y-MM-dd"


class DateForm(NamedTuple):
    """One way to write a date."""

    tag: str
    pattern: str
    """In the letters of CLDR: `d. MMMM y`."""


def number(value: float, tag: str, *, places: int = 2) -> str:
    """A number with the language's marks."""
    pattern = _number_pattern(tag, "decimal", places)
    return _typed(pattern.apply(value, _locale(tag)))


def percent(share: float, tag: str, *, places: int = 0) -> str:
    """A share, such as 0.19, in per cent."""
    pattern = _number_pattern(tag, "percent", places)
    return _typed(pattern.apply(share, _locale(tag)))


def money(value: float, tag: str, currency: str) -> str:
    """A sum with the sign of its currency, an ISO code such as `EUR`."""
    pattern = _number_pattern(tag, "currency", 2)
    return _typed(pattern.apply(value, _locale(tag), currency=currency))


def date(day: datetime.date, form: DateForm) -> str:
    """A date in one of `date_forms`."""
    return _typed(_date_pattern(form.pattern).apply(day, _locale(form.tag)))


def time(moment: datetime.time, tag: str) -> str:
    """Hours and minutes."""
    pattern = _locale(tag).time_formats["short"].pattern
    return _typed(_date_pattern(pattern).apply(moment, _locale(tag)))


@functools.cache
def date_forms(tags: tuple[str, ...]) -> tuple[DateForm, ...]:
    """How those who write a language write dates: in digits, in words, and as ISO 8601 has it."""
    forms: dict[DateForm, None] = {}
    for tag in tags:
        locale = _locale(tag)
        patterns = [locale.date_formats[width].pattern for width in ("short", "medium", "long")]
        for pattern in (*patterns, locale.datetime_skeletons["yMd"].pattern, _ISO_DATE):
            forms[DateForm(tag, pattern)] = None
    return tuple(forms)


def country(tag: str) -> str:
    """The country of a tag, in its own language."""
    locale = _locale(tag)
    return str(locale.territories[locale.territory])


def _typed(text: str) -> str:
    return text.translate(_TYPED)


@functools.cache
def _locale(tag: str) -> babel.Locale:
    return babel.Locale.parse(tag)


@functools.cache
def _number_pattern(tag: str, kind: str, places: int) -> numbers.NumberPattern:
    """The language's pattern with so many digits after the mark."""
    locale = _locale(tag)
    pattern = {
        "decimal": lambda: locale.decimal_formats[None],
        "percent": lambda: locale.percent_formats[None],
        "currency": lambda: locale.currency_formats["standard"],
    }[kind]().pattern
    fraction = "." + "0" * places if places else ""
    return numbers.parse_pattern(_last_digits(_FRACTION.sub("", pattern), fraction))


def _last_digits(pattern: str, fraction: str) -> str:
    """The pattern with a fraction after the digits of each of its parts."""
    return re.sub(r"[#,0]*0", lambda digits: digits[0] + fraction, pattern)


@functools.cache
def _date_pattern(pattern: str) -> dates.DateTimePattern:
    return dates.parse_pattern(pattern)
