"""Made-up dates, sums, names, addresses and codes, as a language writes them."""

from __future__ import annotations

import datetime
import random
import string
import unicodedata
from collections.abc import Callable, Sequence

from . import notation
from .locale import Locale
from .notation import DateForm

_DIGITS = string.digits
_CODE_LETTERS = string.ascii_uppercase
_HOSTS = ("example.org", "example.com", "mail.example", "post.test", "firm.example")
"""Reserved for examples; nobody has mail there."""
_SIGNS = ".,:;!?()/-'\"%&+*#@=_"
_SHAPES = (
    "@@-####",
    "####/##",
    "@#@#@#",
    "########",
    "@@@ ###",
    "##-##-####",
    "@###.###",
    "x-####",
)


def filled(shape: str, rng: random.Random) -> str:
    """A shape with `#` made a digit, `@` a capital and `x` a small letter."""
    alphabets = {"#": _DIGITS, "@": _CODE_LETTERS, "x": string.ascii_lowercase}
    return "".join(rng.choice(alphabets[c]) if c in alphabets else c for c in shape)


def code(rng: random.Random) -> str:
    """A number or code, such as an order has."""
    if rng.random() < 0.2:
        return "".join(rng.choices(_DIGITS + _CODE_LETTERS, k=rng.randint(4, 12)))
    return filled(rng.choice(_SHAPES), rng)


def random_string(rng: random.Random) -> str:
    """Letters, digits and signs without any sense."""
    kind = rng.random()
    size = rng.randint(1, 12)
    if kind < 0.3:
        return code(rng)
    if kind < 0.45:
        return "".join(rng.choices(_DIGITS, k=size))
    if kind < 0.6:
        return "".join(rng.choices(string.ascii_lowercase, k=size))
    if kind < 0.8:
        return "".join(rng.choices(string.ascii_letters + _DIGITS, k=size))
    return "".join(rng.choices(string.ascii_letters + _DIGITS + _SIGNS, k=size))


def number(value: float, locale: Locale, *, places: int = 2) -> str:
    """A number with the language's marks."""
    return notation.number(value, locale.tag, places=places)


def percent(share: float, locale: Locale, *, places: int = 0) -> str:
    """A share, such as 0.19, in per cent."""
    return notation.percent(share, locale.tag, places=places)


def money(value: float, locale: Locale) -> str:
    """A sum with its currency."""
    return notation.money(value, locale.tag, locale.currency)


def cents(rng: random.Random, low: int, high: int) -> int:
    """A sum in cents, the small ones as frequent as the large."""
    top = rng.choice([high, high, max(low + 1, high // 10), max(low + 1, high // 100)])
    return rng.randint(low, max(low, top))


def date_form(rng: random.Random, locale: Locale) -> DateForm:
    """One of the language's ways to write dates, for a document that keeps to one."""
    return rng.choice(notation.date_forms(locale.tags))


def date(rng: random.Random, locale: Locale, *, form: DateForm | None = None) -> str:
    """A date of the last fifty years."""
    form = form or date_form(rng, locale)
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1976, 2027)
    return notation.date(datetime.date(year, month, day), form)


def clock(rng: random.Random, locale: Locale) -> str:
    """A time of day when shops are open."""
    return notation.time(datetime.time(rng.randint(6, 22), rng.randint(0, 59)), locale.tag)


def person(rng: random.Random, locale: Locale) -> tuple[str, str]:
    """First name and surname."""
    return rng.choice(locale.first_names), rng.choice(locale.surnames)


def street(rng: random.Random, locale: Locale) -> str:
    """A street with a number."""
    return rng.choice(locale.streets).replace("{}", str(rng.randint(1, 240)))


def town(rng: random.Random, locale: Locale) -> tuple[str, str]:
    """Postcode and town."""
    return filled(locale.postcode, rng), rng.choice(locale.towns)


def address(rng: random.Random, locale: Locale) -> list[str]:
    """A postal address, line by line."""
    first, surname = person(rng, locale)
    postcode, place = town(rng, locale)
    last = f"{place} {postcode}" if locale.town_first else f"{postcode} {place}"
    lines = [f"{first} {surname}", street(rng, locale), last]
    if rng.random() < 0.4:
        lines.insert(0, rng.choice(locale.firms))
    if rng.random() < 0.2:
        lines.append(notation.country(locale.tag))
    return lines


def phone(rng: random.Random, locale: Locale) -> str:
    """A telephone number."""
    text = filled(locale.phone, rng)
    return f"+{rng.randint(30, 59)} {text.lstrip('0')}" if rng.random() < 0.3 else text


def email(rng: random.Random, locale: Locale) -> str:
    """An address under a name that nobody has."""
    first, surname = person(rng, locale)
    bare = unicodedata.normalize("NFD", f"{first}.{surname}".lower())
    plain = "".join(c for c in bare if c in string.ascii_lowercase + ".")
    host = rng.choice(_HOSTS)
    return f"{plain}{rng.choice(['', str(rng.randint(1, 99))])}@{host}"


def iban(rng: random.Random) -> str:
    """An account number, in groups of four."""
    groups = "".join(filled(" ####", rng) for _ in range(rng.randint(4, 5)))
    return filled("@@##", rng) + groups


def goods(rng: random.Random, locale: Locale) -> str:
    """A thing that is sold."""
    return rng.choice(locale.goods)


FIELDS: dict[str, Callable[[random.Random, Locale], str]] = {
    "first_name": lambda rng, locale: person(rng, locale)[0],
    "surname": lambda rng, locale: person(rng, locale)[1],
    "born": lambda rng, locale: date(rng, locale),
    "address": street,
    "postcode": lambda rng, locale: town(rng, locale)[0],
    "town": lambda rng, locale: town(rng, locale)[1],
    "country": lambda rng, locale: notation.country(locale.tag),
    "phone": phone,
    "email": email,
    "iban": lambda rng, locale: iban(rng),
    "number": lambda rng, locale: code(rng),
    "customer": lambda rng, locale: code(rng),
    "date": lambda rng, locale: date(rng, locale),
    "amount": lambda rng, locale: money(cents(rng, 100, 999_999) / 100, locale),
    "order": lambda rng, locale: code(rng),
}
"""What is filled into a form's field, by its label."""


def pick(rng: random.Random, items: Sequence[str], count: int) -> list[str]:
    """Some of the items, each at most once, in a new order."""
    return rng.sample(list(items), min(count, len(items)))
