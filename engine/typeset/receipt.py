"""Receipts and invoices: things, sums, and totals that add up."""

from __future__ import annotations

from . import fake
from .scene import Scene
from .sheet import Sheet, Style
from .table import TableGrid, draw_grid


def receipt(scene: Scene) -> Sheet:
    """A receipt as a till prints it."""
    rng, locale = scene.rng, scene.locale
    kind = rng.choice(("mono", "mono", "typewriter", "sans", "condensed"))
    scene.body = scene.heading = scene.family(kind)
    width = round(rng.uniform(280, 480))
    size = width / rng.uniform(24, 34)
    style, bold = scene.style(size), scene.style(size, bold=True)
    sheet = scene.sheet(width, 1)
    pad = rng.uniform(0.8, 2.0) * size
    till = _Till(scene, sheet, pad, width - pad, 2.0 * size, rng.uniform(1.15, 1.5) * style.size_px)
    till.centred(rng.choice(locale.firms), scene.style(size * 1.25, bold=True))
    till.centred(fake.street(rng, locale), style)
    till.centred(" ".join(fake.town(rng, locale)), style)
    if scene.chance(0.5):
        till.centred(f"{scene.label('phone')} {fake.phone(rng, locale)}", style)
    till.gap(0.8)
    till.pair(fake.date(rng, locale), fake.clock(rng, locale), style)
    till.pair(f"{scene.label('receipt')} {scene.label('number')}", fake.code(rng), style)
    till.divide(rng.choice(("rule", "dashes", "stars")), style)
    total = 0
    for _ in range(rng.randint(1, 18)):
        total += _item(till, style)
    till.divide("rule", style)
    till.pair(scene.label("total"), fake.money(total / 100, locale), bold)
    rate = rng.choice(locale.vat)
    tax = round(total * rate / (100 + rate))
    till.pair(
        f"{scene.label('vat')} {fake.percent(rate / 100, locale)}",
        fake.number(tax / 100, locale),
        style,
    )
    if scene.chance(0.5):
        paid = total + rng.choice((0, 100 - total % 100, 500 - total % 500))
        till.pair(scene.label("cash"), fake.number(paid / 100, locale), style)
        till.pair(scene.label("change"), fake.number((paid - total) / 100, locale), style)
    else:
        till.pair(scene.label("card"), f"**** {fake.filled('####', rng)}", style)
    till.gap(0.8)
    if scene.chance(0.5):
        name = f"{scene.label('cashier')} {fake.person(rng, locale)[0]}"
        till.centred(name, style)
    till.centred(scene.label("thanks"), style)
    if scene.chance(0.4):
        till.bars()
    sheet.height = round(till.y + 1.5 * size)
    return sheet


def _item(till: _Till, style: Style) -> int:
    """One thing that was bought; returns its sum in cents."""
    scene = till.scene
    rng, locale = scene.rng, scene.locale
    each, count = fake.cents(rng, 10, 9999), rng.choice((1, 1, 1, 2, 3, 6))
    name = fake.goods(rng, locale)
    if scene.chance(0.25):
        name = name.upper()
    if scene.chance(0.15):
        name = f"{fake.filled('####', rng)} {name}"
    price = fake.number(each * count / 100, locale)
    if scene.chance(0.3):
        price += rng.choice((" A", " B", "*", " €" if scene.body.draws("€") else ""))
    if count > 1 and scene.chance(0.6):
        till.pair(name, "", style)
        till.pair(f"  {count} x {fake.number(each / 100, locale)}", price, style)
    else:
        till.pair(name, price, style)
    return each * count


class _Till:
    """A strip that is printed line by line."""

    def __init__(
        self, scene: Scene, sheet: Sheet, left: float, right: float, y: float, step: float
    ) -> None:
        self.scene, self.sheet = scene, sheet
        self.left, self.right, self.y, self.step = left, right, y, step

    def centred(self, text: str, style: Style) -> None:
        words = self._cut(self.scene.fit(text), style, self.right - self.left)
        self.y += max(self.step, 1.2 * style.size_px)
        self.sheet.write((self.left + self.right) / 2, self.y, words, style, align="center")

    def pair(self, left: str, right: str, style: Style) -> None:
        """A name on the left, a number on the right."""
        self.y += self.step
        value = self.scene.fit(right)
        room = self.right - self.left - (style.width(value) + 1.5 * style.space if value else 0)
        indent = 2 * style.space if left.startswith("  ") else 0.0
        words = self._cut(self.scene.fit(left), style, room - indent)
        self.sheet.write(self.left + indent, self.y, words, style)
        self.sheet.write(self.right, self.y, value, style, align="right")

    def gap(self, share: float) -> None:
        self.y += self.step * share
        self.sheet.block()

    def divide(self, look: str, style: Style) -> None:
        """A rule, solid or dashed, or a few stars; rows of signs that nobody counts are drawn."""
        self.gap(0.4)
        if look == "stars":
            self.y += self.step * 0.6
            sign = " ".join("*" * self.scene.rng.randint(3, 7))
            self.sheet.write((self.left + self.right) / 2, self.y, sign, style, align="center")
            self.gap(0.0)
            return
        tone, dash = self.scene.tone(0.8), style.size_px * 0.4
        if look == "rule":
            self.sheet.rule(self.left, self.right, self.y, tone)
        else:
            for number in range(int((self.right - self.left) / dash / 1.5)):
                x = self.left + number * dash * 1.5
                self.sheet.rule(x, x + dash, self.y, tone, max(1.0, style.size_px / 12))
        self.gap(0.2)

    def bars(self) -> None:
        """A bar code, with its number below."""
        rng = self.scene.rng
        style = self.scene.style(self.step * 0.7)
        x, end = self.left + 20, self.right - 20
        self.y += self.step
        while x < end:
            width = rng.choice((1, 1, 2, 3))
            self.sheet.fill(
                (x, self.y, min(end, x + width), self.y + 2.5 * self.step), self.scene.ink
            )
            x += width + rng.choice((1, 2, 3))
        self.y += 2.6 * self.step
        self.sheet.block()
        self.centred(fake.filled("#############", rng), style)

    @staticmethod
    def _cut(text: str, style: Style, room: float) -> str:
        words = text.split()
        while words and style.width(" ".join(words)) > room:
            words.pop()
        return " ".join(words)


def invoice(scene: Scene) -> Sheet:
    """An invoice of one page."""
    rng, locale = scene.rng, scene.locale
    width, height = scene.paper_px()
    sheet = scene.sheet(width, height)
    side = rng.uniform(0.07, 0.11) * width
    left, right = side, width - side
    size = rng.uniform(8, 10.5) * scene.pt
    style, bold = scene.style(size), scene.style(size, bold=True)
    step = style.size_px * rng.uniform(1.25, 1.5)
    y = _sender(scene, sheet, left, right, 0.05 * height, style)
    top = y
    for line in fake.address(rng, locale):
        sheet.write(left, y, scene.fit(line), style)
        y += step
    sheet.block()
    low = _facts(scene, sheet, left + 0.55 * (right - left), right, top, style, step)
    y = max(y, low) + step
    large = scene.style(size * rng.uniform(1.4, 2.2), family=scene.heading, bold=True)
    y += large.size_px
    title = f"{scene.label('invoice')} {scene.label('number')} {fake.code(rng)}"
    sheet.write(left, y, scene.fit(title, scene.heading), large)
    sheet.block()
    y += step
    grid, total = _items(scene)
    y = draw_grid(scene, sheet, grid, (left, y, right, 0.78 * height), style)
    y += 0.6 * style.size_px
    rate = rng.choice(locale.vat)
    tax = round(total * rate / 100)
    for name, value, own in (
        (scene.label("subtotal"), total, style),
        (f"{scene.label('vat')} {fake.percent(rate / 100, locale)}", tax, style),
        (scene.label("total"), total + tax, bold),
    ):
        shown = fake.money(value / 100, locale)
        sheet.write(left + 0.55 * (right - left), y, scene.fit(name), own)
        sheet.write(right, y, scene.fit(shown), own, align="right")
        y += step
    sheet.block()
    foot = scene.style(size * 0.85)
    y = max(y + step, 0.9 * height)
    sheet.rule(left, right, y, scene.tone(0.5))
    bank = f"IBAN {fake.iban(rng)}"
    contact = f"{fake.phone(rng, locale)} {fake.email(rng, locale)}"
    for line in (bank, contact):
        y += 1.3 * foot.size_px
        sheet.write(left, y, scene.fit(line), foot)
    return sheet


def _sender(scene: Scene, sheet: Sheet, left: float, right: float, y: float, style: Style) -> float:
    rng, locale = scene.rng, scene.locale
    name = scene.style(style.size_px * rng.uniform(1.3, 2.0), family=scene.heading, bold=True)
    align = rng.choice(("left", "right"))
    x = left if align == "left" else right
    if scene.chance(0.4):
        logo = 3.5 * name.size_px
        x0 = right - logo if align == "left" else left
        sheet.fill((x0, y, x0 + logo, y + logo * 0.7), scene.tone(rng.uniform(0.2, 0.8)),
                   radius_px=rng.choice((0.0, logo / 6)))  # fmt: skip
    y += name.size_px
    firm = scene.fit(rng.choice(locale.firms), scene.heading)
    sheet.write(x, y, firm, name, align=align)
    small = scene.style(style.size_px * 0.9)
    for line in (
        fake.street(rng, locale),
        " ".join(fake.town(rng, locale)),
        fake.phone(rng, locale),
    ):
        y += 1.35 * small.size_px
        sheet.write(x, y, scene.fit(line), small, align=align)
    sheet.block()
    return y + 4 * style.size_px


def _facts(
    scene: Scene, sheet: Sheet, left: float, right: float, y: float, style: Style, step: float
) -> float:
    """Number, date and the like, each beside its label; returns the y below."""
    rng, locale = scene.rng, scene.locale
    form = fake.date_form(rng, locale)
    facts = [
        (scene.label("date"), fake.date(rng, locale, form=form)),
        (scene.label("due"), fake.date(rng, locale, form=form)),
        (scene.label("customer"), fake.code(rng)),
        (scene.label("order"), fake.code(rng)),
    ]
    for name, value in facts[: rng.randint(2, 4)]:
        used = sheet.write(left, y, scene.fit(name), style)
        value = scene.fit(value)
        if used + style.width(value) + 2 * style.space < right - left:
            sheet.write(right, y, value, style, align="right")
        y += step
    sheet.block()
    return y


def _items(scene: Scene) -> tuple[TableGrid, int]:
    """The table of an invoice, and the sum of its amounts in cents."""
    rng, locale = scene.rng, scene.locale
    rows, total = [], 0
    for number in range(rng.randint(1, 14)):
        each, count = fake.cents(rng, 50, 99_999), rng.choice((1, 1, 2, 3, 5, 10, 12))
        total += each * count
        rows.append(
            [
                fake.filled("####", rng) if scene.chance(0.5) else str(number + 1),
                scene.fit(fake.goods(rng, locale)),
                str(count),
                fake.number(each / 100, locale),
                fake.number(each * count / 100, locale),
            ]
        )
    names = ("number", "description", "quantity", "price", "amount")
    head = [scene.fit(scene.label(name)) for name in names]
    return TableGrid(head, rows, ["left", "left", "right", "right", "right"]), total
