"""Made-up dates, sums, names, addresses and codes, as a language writes them."""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Callable, Sequence

from .locale import Locale

_DIGITS = string.digits
_CODE_LETTERS = string.ascii_uppercase
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
    drawn = {"#": _DIGITS, "@": _CODE_LETTERS, "x": string.ascii_lowercase}
    return "".join(rng.choice(drawn[c]) if c in drawn else c for c in shape)


def code(rng: random.Random) -> str:
    """A number or code, such as an order has."""
    if rng.random() < 0.2:
        return "".join(rng.choices(_DIGITS + _CODE_LETTERS, k=rng.randint(4, 12)))
    return filled(rng.choice(_SHAPES), rng)


def string_of(rng: random.Random) -> str:
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
    whole, _, rest = f"{abs(value):,.{places}f}".partition(".")
    text = whole.replace(",", locale.group)
    if rest:
        text += locale.decimal + rest
    return f"-{text}" if value < 0 else text


def money(value: float, locale: Locale) -> str:
    """A sum with its currency."""
    return locale.money.replace("#", number(value, locale))


def cents(rng: random.Random, low: int, high: int) -> int:
    """A sum in cents, the small ones as frequent as the large."""
    top = rng.choice([high, high, max(low + 1, high // 10), max(low + 1, high // 100)])
    return rng.randint(low, max(low, top))


def date(rng: random.Random, locale: Locale, *, form: str = "") -> str:
    """A date of the last fifty years."""
    form = form or rng.choice(locale.dates.split("|"))
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1976, 2027)
    values = {
        "dd": f"{day:02d}", "mm": f"{month:02d}", "yy": f"{year % 100:02d}",
        "d": str(day), "m": str(month), "y": str(year), "M": locale.months.split(",")[month - 1],
    }  # fmt: skip
    return form.format_map(values)


def clock(rng: random.Random) -> str:
    """A time of day."""
    return f"{rng.randint(6, 22):02d}:{rng.randint(0, 59):02d}"


def person(rng: random.Random, locale: Locale) -> tuple[str, str]:
    """First name and surname."""
    return rng.choice(locale.firsts.split(",")), rng.choice(locale.surnames.split(","))


def street(rng: random.Random, locale: Locale) -> str:
    """A street with a number."""
    return rng.choice(locale.streets.split(",")).replace("{}", str(rng.randint(1, 240)))


def town(rng: random.Random, locale: Locale) -> tuple[str, str]:
    """Postcode and town."""
    return filled(locale.postcode, rng), rng.choice(locale.towns.split(","))


def address(rng: random.Random, locale: Locale) -> list[str]:
    """A postal address, line by line."""
    first, surname = person(rng, locale)
    postcode, place = town(rng, locale)
    last = f"{place} {postcode}" if locale.decimal == "." else f"{postcode} {place}"
    lines = [f"{first} {surname}", street(rng, locale), last]
    if rng.random() < 0.4:
        lines.insert(0, rng.choice(locale.firms.split(",")))
    if rng.random() < 0.2:
        lines.append(locale.country)
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
    host = rng.choice(["example.org", "example.com", "mail.example", "post.test", "firm.example"])
    return f"{plain}{rng.choice(['', str(rng.randint(1, 99))])}@{host}"


def iban(rng: random.Random) -> str:
    """An account number, in groups of four."""
    groups = "".join(filled(" ####", rng) for _ in range(rng.randint(4, 5)))
    return filled("@@##", rng) + groups


def goods(rng: random.Random, locale: Locale) -> str:
    """A thing that is sold."""
    return rng.choice(locale.goods.split(","))


FIELDS: dict[str, Callable[[random.Random, Locale], str]] = {
    "first_name": lambda rng, locale: person(rng, locale)[0],
    "surname": lambda rng, locale: person(rng, locale)[1],
    "born": lambda rng, locale: date(rng, locale),
    "address": street,
    "postcode": lambda rng, locale: town(rng, locale)[0],
    "town": lambda rng, locale: town(rng, locale)[1],
    "country": lambda rng, locale: locale.country,
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
