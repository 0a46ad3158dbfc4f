"""Receipts and invoices: things, sums, and totals that add up."""

from __future__ import annotations

from . import fake
from .canvas import Canvas, Style
from .design import PageDesign
from .table import TableGrid, draw_grid


def receipt(design: PageDesign) -> Canvas:
    """A receipt as a till prints it."""
    rng, locale = design.rng, design.locale
    kind = rng.choice(("mono", "mono", "typewriter", "sans", "condensed"))
    design.body = design.heading = design.family(kind)
    width = round(rng.uniform(280, 480))
    size = width / rng.uniform(24, 34)
    style, bold = design.style(size), design.style(size, bold=True)
    canvas = design.canvas(width, 1)
    pad = rng.uniform(0.8, 2.0) * size
    printer = _Printer(
        design, canvas, pad, width - pad, 2.0 * size, rng.uniform(1.15, 1.5) * style.size_px
    )
    printer.centred(rng.choice(locale.firms), design.style(size * 1.25, bold=True))
    printer.centred(fake.street(rng, locale), style)
    printer.centred(" ".join(fake.town(rng, locale)), style)
    if design.chance(0.5):
        printer.centred(f"{design.label('phone')} {fake.phone(rng, locale)}", style)
    printer.gap(0.8)
    printer.pair(fake.date(rng, locale), fake.clock(rng, locale), style)
    printer.pair(f"{design.label('receipt')} {design.label('number')}", fake.code(rng), style)
    printer.divide(rng.choice(("rule", "dashes", "stars")), style)
    total = 0
    for _ in range(rng.randint(1, 18)):
        total += _item(printer, style)
    printer.divide("rule", style)
    printer.pair(design.label("total"), fake.money(total / 100, locale), bold)
    rate = rng.choice(locale.vat)
    tax = round(total * rate / (100 + rate))
    printer.pair(
        f"{design.label('vat')} {fake.percent(rate / 100, locale)}",
        fake.number(tax / 100, locale),
        style,
    )
    if design.chance(0.5):
        paid = total + rng.choice((0, 100 - total % 100, 500 - total % 500))
        printer.pair(design.label("cash"), fake.number(paid / 100, locale), style)
        printer.pair(design.label("change"), fake.number((paid - total) / 100, locale), style)
    else:
        printer.pair(design.label("card"), f"**** {fake.filled('####', rng)}", style)
    printer.gap(0.8)
    if design.chance(0.5):
        name = f"{design.label('cashier')} {fake.person(rng, locale)[0]}"
        printer.centred(name, style)
    printer.centred(design.label("thanks"), style)
    if design.chance(0.4):
        printer.bars()
    canvas.height = round(printer.y + 1.5 * size)
    return canvas


def _item(printer: _Printer, style: Style) -> int:
    """One thing that was bought; returns its sum in cents."""
    design = printer.design
    rng, locale = design.rng, design.locale
    each, count = fake.cents(rng, 10, 9999), rng.choice((1, 1, 1, 2, 3, 6))
    name = fake.goods(rng, locale)
    if design.chance(0.25):
        name = name.upper()
    if design.chance(0.15):
        name = f"{fake.filled('####', rng)} {name}"
    price = fake.number(each * count / 100, locale)
    if design.chance(0.3):
        price += rng.choice((" A", " B", "*", " €" if design.body.draws("€") else ""))
    if count > 1 and design.chance(0.6):
        printer.pair(name, "", style)
        printer.pair(f"  {count} x {fake.number(each / 100, locale)}", price, style)
    else:
        printer.pair(name, price, style)
    return each * count


class _Printer:
    """Prints a narrow strip of paper line by line."""

    def __init__(
        self, design: PageDesign, canvas: Canvas, left: float, right: float, y: float, step: float
    ) -> None:
        self.design, self.canvas = design, canvas
        self.left, self.right, self.y, self.step = left, right, y, step

    def centred(self, text: str, style: Style) -> None:
        words = self._cut(self.design.fit(text), style, self.right - self.left)
        self.y += max(self.step, 1.2 * style.size_px)
        self.canvas.write((self.left + self.right) / 2, self.y, words, style, align="center")

    def pair(self, left: str, right: str, style: Style) -> None:
        """A name on the left, a number on the right."""
        self.y += self.step
        value = self.design.fit(right)
        room = self.right - self.left - (style.width(value) + 1.5 * style.space if value else 0)
        indent = 2 * style.space if left.startswith("  ") else 0.0
        words = self._cut(self.design.fit(left), style, room - indent)
        self.canvas.write(self.left + indent, self.y, words, style)
        self.canvas.write(self.right, self.y, value, style, align="right")

    def gap(self, share: float) -> None:
        self.y += self.step * share
        self.canvas.block()

    def divide(self, look: str, style: Style) -> None:
        """A rule, solid or dashed, or a few stars; rows of signs that nobody counts are drawn."""
        self.gap(0.4)
        if look == "stars":
            self.y += self.step * 0.6
            sign = " ".join("*" * self.design.rng.randint(3, 7))
            self.canvas.write((self.left + self.right) / 2, self.y, sign, style, align="center")
            self.gap(0.0)
            return
        tone, dash = self.design.tone(0.8), style.size_px * 0.4
        if look == "rule":
            self.canvas.rule(self.left, self.right, self.y, tone)
        else:
            for number in range(int((self.right - self.left) / dash / 1.5)):
                x = self.left + number * dash * 1.5
                self.canvas.rule(x, x + dash, self.y, tone, max(1.0, style.size_px / 12))
        self.gap(0.2)

    def bars(self) -> None:
        """A bar code, with its number below."""
        rng = self.design.rng
        style = self.design.style(self.step * 0.7)
        x, end = self.left + 20, self.right - 20
        self.y += self.step
        while x < end:
            width = rng.choice((1, 1, 2, 3))
            self.canvas.fill(
                (x, self.y, min(end, x + width), self.y + 2.5 * self.step), self.design.ink
            )
            x += width + rng.choice((1, 2, 3))
        self.y += 2.6 * self.step
        self.canvas.block()
        self.centred(fake.filled("#############", rng), style)

    @staticmethod
    def _cut(text: str, style: Style, room: float) -> str:
        words = text.split()
        while words and style.width(" ".join(words)) > room:
            words.pop()
        return " ".join(words)


def invoice(design: PageDesign) -> Canvas:
    """An invoice of one page."""
    rng, locale = design.rng, design.locale
    width, height = design.paper_px()
    canvas = design.canvas(width, height)
    side = rng.uniform(0.07, 0.11) * width
    left, right = side, width - side
    size = rng.uniform(8, 10.5) * design.pt
    style, bold = design.style(size), design.style(size, bold=True)
    step = style.size_px * rng.uniform(1.25, 1.5)
    y = _sender(design, canvas, left, right, 0.05 * height, style)
    top = y
    for line in fake.address(rng, locale):
        canvas.write(left, y, design.fit(line), style)
        y += step
    canvas.block()
    low = _references(design, canvas, left + 0.55 * (right - left), right, top, style, step)
    y = max(y, low) + step
    large = design.style(size * rng.uniform(1.4, 2.2), family=design.heading, bold=True)
    y += large.size_px
    title = f"{design.label('invoice')} {design.label('number')} {fake.code(rng)}"
    canvas.write(left, y, design.fit(title, design.heading), large)
    canvas.block()
    y += step
    grid, total = _items(design)
    y = draw_grid(design, canvas, grid, (left, y, right, 0.78 * height), style)
    y += 0.6 * style.size_px
    rate = rng.choice(locale.vat)
    tax = round(total * rate / 100)
    for name, value, line_style in (
        (design.label("subtotal"), total, style),
        (f"{design.label('vat')} {fake.percent(rate / 100, locale)}", tax, style),
        (design.label("total"), total + tax, bold),
    ):
        canvas.write(left + 0.55 * (right - left), y, design.fit(name), line_style)
        text = design.fit(fake.money(value / 100, locale))
        canvas.write(right, y, text, line_style, align="right")
        y += step
    canvas.block()
    foot = design.style(size * 0.85)
    y = max(y + step, 0.9 * height)
    canvas.rule(left, right, y, design.tone(0.5))
    bank = f"IBAN {fake.iban(rng)}"
    contact = f"{fake.phone(rng, locale)} {fake.email(rng, locale)}"
    for line in (bank, contact):
        y += 1.3 * foot.size_px
        canvas.write(left, y, design.fit(line), foot)
    return canvas


def _sender(
    design: PageDesign, canvas: Canvas, left: float, right: float, y: float, style: Style
) -> float:
    rng, locale = design.rng, design.locale
    name = design.style(style.size_px * rng.uniform(1.3, 2.0), family=design.heading, bold=True)
    align = rng.choice(("left", "right"))
    x = left if align == "left" else right
    if design.chance(0.4):
        logo = 3.5 * name.size_px
        x0 = right - logo if align == "left" else left
        canvas.fill((x0, y, x0 + logo, y + logo * 0.7), design.tone(rng.uniform(0.2, 0.8)),
                   radius_px=rng.choice((0.0, logo / 6)))  # fmt: skip
    y += name.size_px
    firm = design.fit(rng.choice(locale.firms), design.heading)
    canvas.write(x, y, firm, name, align=align)
    small = design.style(style.size_px * 0.9)
    for line in (
        fake.street(rng, locale),
        " ".join(fake.town(rng, locale)),
        fake.phone(rng, locale),
    ):
        y += 1.35 * small.size_px
        canvas.write(x, y, design.fit(line), small, align=align)
    canvas.block()
    return y + 4 * style.size_px


def _references(
    design: PageDesign,
    canvas: Canvas,
    left: float,
    right: float,
    y: float,
    style: Style,
    step: float,
) -> float:
    """Number, date and the like, each beside its label; returns the y below."""
    rng, locale = design.rng, design.locale
    form = fake.date_form(rng, locale)
    facts = [
        (design.label("date"), fake.date(rng, locale, form=form)),
        (design.label("due"), fake.date(rng, locale, form=form)),
        (design.label("customer"), fake.code(rng)),
        (design.label("order"), fake.code(rng)),
    ]
    for name, value in facts[: rng.randint(2, 4)]:
        label_px = canvas.write(left, y, design.fit(name), style)
        value = design.fit(value)
        if label_px + style.width(value) + 2 * style.space < right - left:
            canvas.write(right, y, value, style, align="right")
        y += step
    canvas.block()
    return y


def _items(design: PageDesign) -> tuple[TableGrid, int]:
    """The table of an invoice, and the sum of its amounts in cents."""
    rng, locale = design.rng, design.locale
    rows, total = [], 0
    for number in range(rng.randint(1, 14)):
        each, count = fake.cents(rng, 50, 99_999), rng.choice((1, 1, 2, 3, 5, 10, 12))
        total += each * count
        rows.append(
            [
                fake.filled("####", rng) if design.chance(0.5) else str(number + 1),
                design.fit(fake.goods(rng, locale)),
                str(count),
                fake.number(each / 100, locale),
                fake.number(each * count / 100, locale),
            ]
        )
    names = ("number", "description", "quantity", "price", "amount")
    head = [design.fit(design.label(name)) for name in names]
    return TableGrid(head, rows, ["left", "left", "right", "right", "right"]), total
