"""The documents that are mostly numbers: their HTML, from small tables and a fixed seed."""

from __future__ import annotations

import random

SHEET = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<style>{style}</style>{body}"""


def html(lang: str, title: str, style: str, body: str) -> str:
    return SHEET.format(lang=lang, title=title, style=style, body=body)


def invoices_fr() -> str:
    """Six invoices of one supplier, one page each."""
    rng = random.Random(11)
    goods = [
        ("Feutre de laine, trame simple, 61 × 48 cm", 18.20),
        ("Toile métallique, 60 mailles, le mètre", 42.50),
        ("Corde de crin, rouleau de 100 m", 63.00),
        ("Alun de potassium, sac de 5 kg", 21.90),
        ("Gélatine technique, 180 bloom, 10 kg", 96.00),
        ("Chiffon de coton blanc trié, balle de 50 kg", 74.00),
        ("Forme vergée, cadre acajou", 310.00),
        ("Papier buvard, 120 feuilles", 27.40),
        ("Courroie trapézoïdale A52", 12.75),
    ]
    clients = [
        ("Moulin de la Roche", "3, chemin du Bief", "63600 Ambert"),
        ("Atelier Dubois & Filles", "18, rue des Tanneurs", "16000 Angoulême"),
        ("Musée de l’Écriture", "2, place aux Herbes", "84000 Avignon"),
        ("Reliure Lefèvre", "41, quai des Orfèvres", "67000 Strasbourg"),
        ("École d’art de Bourges", "7, rue Édouard-Branly", "18000 Bourges"),
        ("Papeterie du Pont-Neuf", "12, rue de la Monnaie", "31000 Toulouse"),
    ]
    pages = []
    for number, (name, street, town) in enumerate(clients):
        rows, net = [], 0.0
        for label, price in rng.sample(goods, rng.randint(4, 7)):
            count = rng.randint(1, 12)
            net += count * price
            rows.append(
                f"<tr><td>{label}</td><td>{count}</td><td>{euro(price)}</td>"
                f"<td>{euro(count * price)}</td></tr>"
            )
        tax = round(net * 0.2, 2)
        pages.append(
            f"<section><div class=head><div class=logo>Fournitures<br>Garnier</div><div>Fournitures "
            f"Garnier SARL<br>Zone artisanale des Prés<br>26400 Crest<br>SIRET 000 000 000 00000</div>"
            f"</div><div class=to>{name}<br>{street}<br>{town}</div><h1>Facture n° "
            f"{2108 + 7 * number}</h1><p>Date : {3 + 4 * number:02d}/0{1 + number}/2026 &nbsp; "
            f"Échéance : 30 jours &nbsp; Réf. client : C-{410 + 13 * number}</p>"
            f"<table><tr><th>Désignation</th><th>Qté</th><th>P.U. HT</th><th>Montant HT</th></tr>"
            f"{''.join(rows)}</table><table class=sum><tr><td>Total HT</td><td>{euro(net)}</td></tr>"
            f"<tr><td>TVA 20 %</td><td>{euro(tax)}</td></tr><tr><td><b>Total TTC</b></td><td><b>"
            f"{euro(net + tax)}</b></td></tr></table><p class=foot>En cas de retard de paiement, une "
            f"pénalité égale à trois fois le taux d’intérêt légal sera exigible, ainsi qu’une "
            f"indemnité forfaitaire de 40 € pour frais de recouvrement. Pas d’escompte pour paiement "
            f"anticipé. Les marchandises restent notre propriété jusqu’au paiement complet.</p></section>"
        )
    style = """@page { size: A4; margin: 18mm } body { font: 10pt/1.4 "Liberation Sans"; margin: 0 }
    section { break-after: page; height: 258mm; position: relative } section:last-child { break-after: auto }
    .head { display: flex; justify-content: space-between; font-size: 9pt } .logo { font: bold 20pt/1 "Liberation Serif";
    color: #1d5c3a } .to { margin: 22mm 0 14mm 95mm; font-size: 11pt } h1 { font-size: 16pt; margin: 0 0 2mm }
    table { border-collapse: collapse; width: 100%; margin-top: 6mm } th { background: #1d5c3a; color: #fff; text-align: left;
    -webkit-print-color-adjust: exact; print-color-adjust: exact } td, th { padding: 1.8mm 2.5mm } td { border-bottom: .4pt solid #aaa }
    td:nth-child(n+2), th:nth-child(n+2) { text-align: right; white-space: nowrap } .sum { width: 70mm; margin-left: auto }
    .foot { position: absolute; bottom: 0; font-size: 7.5pt; color: #444 }"""
    return html("fr", "Factures", style, "".join(pages))


def euro(value: float) -> str:
    whole, cents = f"{value:,.2f}".split(".")
    return whole.replace(",", "\u202f") + "," + cents + "\u00a0€"


def report_es() -> str:
    """An annual report: eight pages, most of them tables, two charts."""
    rng = random.Random(23)
    months = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    rows = []
    totals = [0] * 5
    for month in months.split():
        values = [rng.randint(*r) for r in ((380, 990), (40, 260), (90, 410), (1100, 5200), (20, 160))]
        totals = [a + b for a, b in zip(totals, values)]
        rows.append([month.capitalize(), *values])
    visits = [row[1] for row in rows]
    bars = "".join(
        f'<rect x="{20 + 33 * i}" y="{150 - v / 8:.0f}" width="22" height="{v / 8:.0f}" fill="#a3542c"/>'
        f'<text x="{31 + 33 * i}" y="164" text-anchor="middle">{rows[i][0][:3].lower()}</text>'
        for i, v in enumerate(visits)
    )
    chart = f'<svg viewBox="0 0 430 172" width="100%"><path d="M14 8V150H424" stroke="#333" fill="none"/>{bars}</svg>'
    stock = []
    names = ["Papel verjurado", "Papel avitelado", "Cartulina", "Papel secante", "Papel marmoleado", "Cuaderno", "Sobre", "Tarjeta"]
    colours = ["crudo", "blanco", "azul", "gris", "ocre"]
    for index in range(66):
        stock.append([
            f"{rng.choice('ABCDE')}-{1000 + 37 * index}", f"{rng.choice(names)} {rng.choice(colours)}",
            f"{rng.choice((90, 120, 180, 240))}", rng.randint(0, 480), rng.randint(0, 220), f"{rng.uniform(0.4, 38):.2f}".replace(".", ","),
        ])
    spend = [("Personal", 61240, 58900), ("Materias primas", 18415, 20110), ("Energía y agua", 7932, 9044), ("Seguros", 5210, 5020),
             ("Mantenimiento", 12870, 6415), ("Publicidad", 2144, 3008), ("Formación", 1890, 1250), ("Amortización", 9300, 9300)]
    earn = [("Entradas", 38115, 31990), ("Talleres", 27480, 24300), ("Tienda", 41926, 40077), ("Subvenciones", 15000, 15000), ("Donativos", 6820, 4115)]

    def money(lines: list[tuple[str, int, int]]) -> str:
        body = "".join(f"<tr><td>{n}</td><td>{es(a)}</td><td>{es(b)}</td><td>{change(a, b)}</td></tr>" for n, a, b in lines)
        a, b = sum(x[1] for x in lines), sum(x[2] for x in lines)
        return f"<table><tr><th>Concepto</th><th>2025 (€)</th><th>2024 (€)</th><th>Variación</th></tr>{body}<tr class=t><td>Total</td><td>{es(a)}</td><td>{es(b)}</td><td></td></tr></table>"

    def grid(head: str, lines: list[list[object]], total: list[int] | None = None) -> str:
        top = "".join(f"<th>{h}</th>" for h in head.split("|"))
        body = "".join("<tr>" + "".join(f"<td>{es(c) if isinstance(c, int) else c}</td>" for c in line) + "</tr>" for line in lines)
        last = "<tr class=t><td>Total</td>" + "".join(f"<td>{es(v)}</td>" for v in total) + "</tr>" if total else ""
        return f"<table><tr>{top}</tr>{body}{last}</table>"

    head = "Código|Artículo|g/m²|Existencias|Vendidos|Precio (€)"
    body = f"""<div class=cover><h1>Memoria anual 2025</h1><p>Fundación Molino de Papel de Valdehuerta</p></div>
<h2>1. Resumen</h2><p>El molino abrió 302 días y recibió a {es(totals[0])} visitantes, la cifra más alta desde que se lleva la cuenta. Los talleres crecieron gracias al convenio con los institutos de la comarca, y la tienda mantuvo sus ventas a pesar de las seis semanas de obras en la entrada.</p>
<p>El resultado del ejercicio es positivo por tercer año consecutivo. El patronato propone destinarlo a la reparación de la presa, cuyo informe técnico se adjunta en el archivo de la fundación y puede consultarse en horario de oficina.</p>
<p>Durante el año se fabricaron {es(totals[3])} hojas, de las que un siete por ciento se devolvió a la tina por defectos. El consumo de agua por hoja bajó de 4,1 a 3,6 litros después de cambiar las juntas de la segunda tina.</p>
<h3>Visitantes por mes</h3>{chart}
<h2>2. Actividad por meses</h2>{grid("Mes|Visitantes|Alumnos|Talleres (h)|Hojas|Pedidos", rows, totals)}<p>Las horas de taller incluyen la preparación de la pasta. Los pedidos por teléfono se anotan en el mes en que se sirven y no en el que se reciben.</p>
<h2>3. Cuentas</h2><h3>Ingresos</h3>{money(earn)}<h3>Gastos</h3>{money(spend)}
<p>El aumento del mantenimiento corresponde a la reparación del eje de la rueda, que no estaba prevista. Las materias primas bajan porque en 2024 se compró algodón para dos años.</p>
<h2>4. Inventario de la tienda</h2>{grid(head, stock[:33])}<h2>Inventario (continuación)</h2>{grid(head, stock[33:])}
<h2>5. Personas</h2><p>La plantilla la forman cinco personas, dos de ellas a media jornada. Treinta y un voluntarios han dedicado al molino 2.418 horas, sobre todo en los fines de semana y en la limpieza del canal.</p><table><tr><th>Puesto</th><th>Jornada</th><th>Antigüedad</th></tr><tr><td>Dirección</td><td>completa</td><td>9 años</td></tr><tr><td>Maestra papelera</td><td>completa</td><td>22 años</td></tr><tr><td>Aprendiz</td><td>completa</td><td>1 año</td></tr><tr><td>Tienda</td><td>media</td><td>4 años</td></tr><tr><td>Administración</td><td>media</td><td>6 años</td></tr></table>
<h3>Objetivos para 2026</h3><ol><li>Terminar la reparación de la presa antes de las lluvias de otoño.</li><li>Ofrecer la visita guiada en portugués y en lengua de signos.</li><li>Publicar el catálogo de filigranas, con 214 calcos.</li><li>Reducir el agua por hoja a 3,2 litros.</li></ol>"""
    style = """@page { size: A4; margin: 20mm 20mm 22mm } body { font: 10pt/1.42 "Noto Sans"; margin: 0 } .cover { height: 120mm; padding-top: 100mm }
    .cover h1 { font-size: 34pt; color: #a3542c; margin: 0 } .cover p { font-size: 14pt } h2 { break-before: page; font-size: 16pt; color: #a3542c } h3 { font-size: 12pt; margin: 6mm 0 2mm; break-after: avoid }
    table { border-collapse: collapse; width: 100%; font-size: 9pt; margin: 2mm 0 4mm } th { border-bottom: 1.2pt solid #a3542c; text-align: left } td, th { padding: 1.15mm 2mm }
    tr:nth-child(even) td { background: #f6eee8; -webkit-print-color-adjust: exact; print-color-adjust: exact } td:nth-child(n+3), th:nth-child(n+3) { text-align: right }
    .t td { border-top: .8pt solid #333; font-weight: bold } svg text { font: 10px "Noto Sans" }"""
    return html("es", "Memoria anual 2025", style, body)


def change(now: int, before: int) -> str:
    return f"{(now - before) / before * 100:+.1f} %".replace(".", ",").replace("-", "−")


def es(value: object) -> str:
    return f"{value:,}".replace(",", ".")


def table_pl() -> str:
    """A wide production table, to be turned by 90 degrees."""
    rng = random.Random(5)
    days = ["poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota"]
    rows = []
    for week in range(1, 5):
        for day in days:
            sheets = rng.randint(140, 420)
            faults = rng.randint(2, 40)
            notes = ["", "", "", "mróz, woda 4 °C", "wymiana filcu", "pęknięta lina", "zajęcia dla szkół", "brak prądu do 10:00"]
            rows.append(
                f"<tr><td>{week}</td><td>{day}</td><td>{rng.choice(['bawełna', 'len', 'konopie', 'mieszanka'])}</td><td>{rng.choice([90, 120, 180])}</td>"
                f"<td>{sheets}</td><td>{faults}</td><td>{faults / sheets * 100:.1f}".replace(".", ",") + f"</td><td>{rng.randint(4, 22)}</td><td>{rng.randint(38, 88)}</td><td>{rng.choice(notes)}</td></tr>"
            )
    style = """@page { size: A4 landscape; margin: 12mm } body { font: 9.5pt/1.25 "Liberation Sans"; margin: 0 } h1 { font-size: 14pt; margin: 0 0 3mm } table { border-collapse: collapse; width: 100% }
    td, th { border: .5pt solid #444; padding: .9mm 2mm } th { background: #ddd; -webkit-print-color-adjust: exact; print-color-adjust: exact } td:nth-child(n+4):nth-child(-n+9) { text-align: right }"""
    head = "Tydzień|Dzień|Surowiec|g/m²|Arkusze|Braki|Braki (%)|Woda (°C)|Wilgotność (%)|Uwagi"
    body = f"<h1>Zestawienie produkcji papieru czerpanego, luty</h1><table><tr>{''.join(f'<th>{h}</th>' for h in head.split('|'))}</tr>{''.join(rows)}</table>"
    return html("pl", "Zestawienie produkcji", style, body)


def note_pl() -> str:
    """The letter that goes with the table."""
    style = """@page { size: A4; margin: 24mm } body { font: 11.5pt/1.5 "Liberation Serif"; margin: 0; text-align: justify } h1 { font-size: 15pt }"""
    body = """<h1>Sprawozdanie czerpalni za luty</h1><p>Luty był w tym roku chłodny i suchy. Woda w kanale przez dziewięć dni miała poniżej pięciu stopni, co dobrze służy włóknu, lecz źle rękom. Mimo to udało się zaczerpnąć więcej arkuszy niż w styczniu, a liczba braków nie przekroczyła przyjętej granicy.</p>
<p>Największą trudność sprawiły filce. Dwa komplety, tkane jeszcze przed remontem, są już tak cienkie, że arkusze przyklejają się do nich przy odkładaniu. Prosimy o zgodę na zakup nowych; porównanie trzech ofert znajduje się w sekretariacie.</p>
<p>W trzecim tygodniu pękła lina w suszarni. Nikt nie ucierpiał, ale sto dwadzieścia arkuszy trzeba było wrzucić z powrotem do kadzi. Wszystkie liny wymieniono na nowe, z końskiego włosia, i obciążono próbnie podwójną masą.</p>
<p>Zajęcia dla szkół odbyły się osiem razy. Dzieci zaczerpnęły łącznie trzysta siedemdziesiąt arkuszy, z których żaden nie był prostokątny, za to każdy został zabrany do domu.</p>
<p>Szczegółowe zestawienie dzień po dniu podaje tabela na następnej stronie. Wilgotność mierzono o godzinie siódmej rano przy północnej ścianie suszarni.</p><p style="text-align:right">Kierowniczka czerpalni<br>Zofia Wąsowska-Żak</p>"""
    return html("pl", "Sprawozdanie", style, body)


def receipt_en() -> str:
    """A till receipt on an 80 mm roll."""
    lines = [("Notebook A6 laid", "2", "13.00"), ("Envelope C6, pack", "1", "4.20"), ("Felt remnant", "3", "7.50"), ("Postcard wheel", "5", "4.50"), ("Plum cake", "2", "7.00")]
    body = "".join(f"<tr><td>{a}</td><td>{b}</td><td>{c}</td></tr>" for a, b, c in lines)
    style = """@page { size: 80mm 150mm; margin: 5mm } body { font: 9.5pt/1.35 "Liberation Mono"; margin: 0 } .c { text-align: center } table { width: 100%; border-collapse: collapse; border-top: 1pt dashed #000; border-bottom: 1pt dashed #000; margin: 3mm 0 } td { padding: .4mm 0; vertical-align: top } td:nth-child(n+2) { text-align: right }"""
    return html("en", "Receipt", style, f"""<div class=c><b>OTTERMERE MILL SHOP</b><br>Mill Lane, Ottermere<br>VAT 000 0000 00</div><p>14/06/2026 15:42 &nbsp; till 1<br>receipt 004417</p><table>{body}</table><table style="border:0;margin:0"><tr><td><b>TOTAL</b></td><td><b>36.20</b></td></tr><tr><td>Cash</td><td>40.00</td></tr><tr><td>Change</td><td>3.80</td></tr></table><p class=c>Thank you for your visit.<br>The heron says hello.</p>""")


def timetable_en() -> str:
    """Guided tours and the bus to the mill: two pages of times."""
    rng = random.Random(3)

    def times(first: int, step: int, count: int) -> list[str]:
        return [f"{(first + i * step) // 60:02d}:{(first + i * step) % 60:02d}" for i in range(count)]

    stops = ["Station", "Market Place", "Hospital", "Kersey Bridge", "Tenter Lane", "Sluice House", "Ottermere Church", "Paper Mill"]
    pages = []
    for title, start in (("Monday to Friday", 380), ("Saturday and Sunday", 465)):
        rows, at = [], start
        for stop in stops:
            rows.append(f"<tr><td>{stop}</td>{''.join(f'<td>{t}</td>' for t in times(at, 65, 11))}</tr>")
            at += rng.randint(3, 9)
        pages.append(f"<section><h1>Bus 41 · Station to Paper Mill</h1><h2>{title}</h2><table>{''.join(rows)}</table><p>Does not run on the second Monday in May. Bicycles are carried when there is room. The last bus waits for the end of the evening tour.</p><h2>Guided tours</h2><table><tr><td>Mill and wheel</td>{''.join(f'<td>{t}</td>' for t in times(600, 75, 6))}</tr><tr><td>Vat and press</td>{''.join(f'<td>{t}</td>' for t in times(630, 75, 6))}</tr><tr><td>Drying loft</td>{''.join(f'<td>{t}</td>' for t in times(645, 150, 3))}<td></td><td></td><td></td></tr></table></section>")
    style = """@page { size: A4 landscape; margin: 15mm } body { font: 11pt/1.4 "Liberation Sans"; margin: 0 } section { break-after: page } section:last-child { break-after: auto } h1 { font-size: 18pt; background: #14396b; color: #fff; padding: 3mm 5mm; margin: 0; -webkit-print-color-adjust: exact; print-color-adjust: exact } h2 { font-size: 13pt; margin: 5mm 0 2mm } table { border-collapse: collapse; width: 100% } td { padding: 1.4mm 2mm; border-bottom: .4pt solid #bbb } td:nth-child(n+2) { text-align: right; font-variant-numeric: tabular-nums }"""
    return html("en", "Timetable", style, "".join(pages))
