"""Trains the shipped tokenizer anew, from free texts that Debian 12 packages.

python tools/make_tokenizer.py --out model/tokenizer                  # about 570 MB to download
python tools/make_tokenizer.py --out FOLDER --cache FOLDER             # keeps the packages

Needs `apt-get` and `dpkg` with the lists of Debian 12, but no rights: nothing is installed. The
same package versions give the same files, byte for byte; Debian's point releases change texts.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import random
import re
import struct
import subprocess
import sys
import tempfile
import textwrap
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from html.parser import HTMLParser
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import NamedTuple

from pagemill.model.vocabulary import train, wrap

Reader = Callable[[Path, str], Iterable[str]]


class Family(NamedTuple):
    """Packages that are read alike; the first group of `files` is the code of the language."""

    packages: str
    licence: str
    read: str
    files: str


FAMILIES = (
    Family(
        "libreoffice-help-en-us libreoffice-help-ca libreoffice-help-cs libreoffice-help-da"
        " libreoffice-help-de libreoffice-help-es libreoffice-help-et libreoffice-help-fi"
        " libreoffice-help-fr libreoffice-help-hu libreoffice-help-it libreoffice-help-nl"
        " libreoffice-help-pl libreoffice-help-pt libreoffice-help-pt-br libreoffice-help-sk"
        " libreoffice-help-sl libreoffice-help-sv libreoffice-help-tr",
        "MPL-2.0",
        "markup",
        r"libreoffice/help/([\w-]+)/text/.*\.html",
    ),
    Family("gnome-user-docs", "CC-BY-SA-3.0", "markup", r"share/help/([\w@]+)/.*\.page"),
    Family(
        "gnucash-docs",
        "GFDL-1.1+ without invariant sections",
        "markup",
        r"share/help/([\w@]+)/gnucash-\w+/(?:ch_|help_|chapter|gnc-gloss).*\.xml",
    ),
    Family("debian-handbook", "GPL-2+ or CC-BY-SA-3.0", "markup", r"html/([\w-]+)/(?!ix).*\.html"),
    Family(
        "installation-guide-amd64",
        "GPL-2",
        "markup",
        r"installation-guide-amd64/([\w-]+)/(?:ch|ap[a-d]|pr).*\.html",
    ),
    Family(
        "wesnoth-1.16-data wesnoth-1.16-did wesnoth-1.16-ei wesnoth-1.16-httt wesnoth-1.16-low"
        " wesnoth-1.16-nr wesnoth-1.16-sof wesnoth-1.16-thot wesnoth-1.16-trow wesnoth-1.16-tsg"
        " wesnoth-1.16-utbs",
        "GPL-2+",
        "catalogue",
        r"locale/([\w@]+)/LC_MESSAGES/.*\.mo",
    ),
    Family("cataclysm-dda-data", "CC-BY-SA-3.0", "catalogue", r"locale/(\w+)/LC_MESSAGES/.*\.mo"),
    Family("gnucash-common homebank-data", "GPL-2+", "catalogue", r"locale/([\w@]+)/.*\.mo"),
    Family("iso-codes", "LGPL-2.1+", "catalogue", r"locale/([\w@]+)/.*/iso_(?:3166-1|4217)\.mo"),
    Family(
        "tryton-modules-account tryton-modules-account-asset tryton-modules-account-dunning"
        " tryton-modules-account-invoice tryton-modules-account-payment"
        " tryton-modules-account-statement tryton-modules-bank tryton-modules-carrier"
        " tryton-modules-company tryton-modules-country tryton-modules-currency"
        " tryton-modules-customs tryton-modules-incoterm tryton-modules-party"
        " tryton-modules-product tryton-modules-production tryton-modules-project"
        " tryton-modules-purchase tryton-modules-sale tryton-modules-stock"
        " tryton-modules-timesheet",
        "GPL-3+",
        "messages",
        r"locale/([\w@]+)\.po",
    ),
    Family("wordnet-base", "WordNet 3.0", "glosses", r"wordnet/data\.(?:adj|adv|noun|verb)"),
    Family("dict-gcide", "GPL-2+", "dictionary", r"dictd/gcide\.dict\.dz"),
    Family("miscfiles", "GPL-2+, the texts public domain", "plain", r"state/us-.*\.gz"),
)
"""Package, licence as its copyright file says, and how it is read. A family without a language
code is English."""

TEXT_CHARS = 32_000_000
PERCENT = {
    "en": 45, "de": 7, "fr": 7, "es": 6, "it": 5, "pt": 5, "nl": 4, "pl": 3.5, "cs": 2.5,
    "hu": 2.5, "sv": 2.5, "tr": 2.5, "da": 2, "fi": 2.5, "ro": 1.5, "nb": 1, "sk": 0.7, "ca": 0.6,
    "sl": 0.5, "et": 0.4, "hr": 0.4, "lt": 0.3, "lv": 0.3,
}  # fmt: skip
"""Of TEXT_CHARS. A language that has less gives what it has."""

FORM_PAGES = 8_000
SYMBOL_LINES = 15_000


def main() -> int:
    """Download, read, train, write; the exit status."""
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch) / "debs"
        cache.mkdir(parents=True, exist_ok=True)
        fetch(cache)
        roots = unpacked(cache, Path(scratch) / "unpacked")
        lines = chosen(collected(roots))
    for language, found in lines.items():
        print(f"{language}: {sum(map(len, found)) / 1e6:.2f} million characters", file=sys.stderr)
    wrap(train(texts(lines))).save_pretrained(options.out)
    return 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for tokenizer.json")
    parser.add_argument("--cache", type=Path, help="folder that keeps the downloaded packages")
    return parser.parse_args()


def texts(lines: Mapping[str, list[str]]) -> Iterator[str]:
    """What the tokenizer is trained on: pages of prose, of forms and of symbols."""
    for language, found in lines.items():
        yield from prose(language, found)
    order = [language for language in FORMS for _ in range(ceil(PERCENT[language] / 5))]
    for number, language in zip(range(FORM_PAGES), cycle(order), strict=False):
        yield form(language, lines[language], random.Random(number))
    yield from symbols(random.Random(0))


# ---------------------------------------------------------------------------- packages to lines


def fetch(cache: Path) -> None:
    """Download what `cache` lacks; only apt-get's own errors stop it."""
    names = [name for family in FAMILIES for name in family.packages.split()]
    missing = [name for name in names if not list(cache.glob(f"{name}_*.deb"))]
    if missing:
        subprocess.run(["apt-get", "download", "-q", *missing], cwd=cache, check=True)


def unpacked(cache: Path, folder: Path) -> list[tuple[Family, Path]]:
    """(family, root of one package), in the order of the table."""
    roots = []
    for family in FAMILIES:
        for name in family.packages.split():
            root = folder / name
            root.mkdir(parents=True)
            deb = sorted(cache.glob(f"{name}_*.deb"))[-1]
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
            roots.append((family, root))
    return roots


def collected(roots: Iterable[tuple[Family, Path]]) -> dict[str, list[list[str]]]:
    """Language to one list of lines per family; a line counts once in a language.

    What stands in English in another language's package was not translated, and is dropped.
    """
    found: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for family, root in roots:
        pattern = re.compile(family.files)
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            match = pattern.search(path.as_posix())
            for language in languages(match, family.read) if match else ():
                kept = map(cleaned, READERS[family.read](path, language))
                found[language][family.packages].update(dict.fromkeys(filter(None, kept)))
    return {language: distinct(found, language) for language in PERCENT}


def distinct(
    found: Mapping[str, Mapping[str, Mapping[str, None]]], language: str
) -> list[list[str]]:
    """One list of lines per family, without those of the families before it and of English."""
    english = {line for lines in found["en"].values() for line in lines}
    seen = english if language != "en" else set()
    families = []
    for lines in found[language].values():
        families.append([line for line in lines if line not in seen])
        seen = seen | set(lines)
    return families


def languages(match: re.Match[str], read: str) -> list[str]:
    """The language of a file; three languages' catalogues also give the English originals."""
    code = match[1] if match.re.groups else "en"
    if "@" in code:
        return []
    base = re.split(r"[_-]", code)[0]
    language = {"C": "en", "no": "nb"}.get(base, base)
    original = read in ("catalogue", "messages") and language in ("de", "fr", "es")
    return [one for one in (language, "en" if original else "") if one in PERCENT]


def chosen(found: Mapping[str, list[list[str]]]) -> dict[str, list[str]]:
    """Each language's share, its families as even as they reach."""
    result = {}
    for language, families in found.items():
        left = TEXT_CHARS * PERCENT[language] / 100
        lines: list[str] = []
        ordered = sorted(families, key=lambda one: sum(map(len, one)))
        for rest, family in zip(range(len(ordered), 0, -1), ordered, strict=True):
            taken = list(up_to(sorted(family, key=draw), left / rest))
            left -= sum(map(len, taken))
            lines += taken
        result[language] = sorted(lines, key=draw)
    return result


def up_to(lines: Iterable[str], chars: float) -> Iterator[str]:
    for line in lines:
        if chars < len(line):
            return
        chars -= len(line)
        yield line


def draw(line: str) -> tuple[int, str]:
    """An even, repeatable number of a line, and the line against ties."""
    return zlib.crc32(line.encode()), line


# ---------------------------------------------------------------------------- readers


class Paragraphs(HTMLParser):
    """The text of the block elements of HTML, Mallard or DocBook; code and navigation left out."""

    BLOCKS = "p li td th h1 h2 h3 h4 h5 h6 dt dd title desc item para term entry simpara"
    SKIPPED = (
        "head header footer aside nav script style pre code screen programlisting credit mal:credit"
        " cmd file filename kbd revhistory"
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.text = ""
        self.skipping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.SKIPPED.split():
            self.skipping.append(tag)
        elif tag in self.BLOCKS.split():
            self.flush()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.skipping:
            del self.skipping[self.skipping.index(tag) :]
        elif tag in self.BLOCKS.split():
            self.flush()

    def handle_data(self, data: str) -> None:
        # A command left out leaves a hole: its sentence is dropped by `cleaned`.
        self.text += "|" if self.skipping and self.text else "" if self.skipping else data

    def flush(self) -> None:
        self.found.append(self.text)
        self.text = ""


def markup(path: Path, language: str) -> list[str]:
    parser = Paragraphs()
    parser.feed(path.read_text(encoding="utf-8", errors="replace"))
    parser.flush()
    return parser.found


def catalogue(path: Path, language: str) -> Iterator[str]:
    """Translations of a gettext `.mo`, or for English what was translated."""
    data = path.read_bytes()
    _, _, count, originals, translations = struct.unpack_from("<5I", data)
    table = originals if language == "en" else translations
    for row in range(count):
        length, start = struct.unpack_from("<2I", data, table + 8 * row)
        if length and struct.unpack_from("<I", data, originals + 8 * row)[0]:
            text = data[start : start + length].decode("utf-8", "replace")
            for plural in text.rpartition("\x04")[2].split("\0"):
                yield from spoken(plural)


def messages(path: Path, language: str) -> Iterator[str]:
    """The same of a gettext `.po`."""
    word = "msgid" if language == "en" else "msgstr"
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(rf'(?m)^{word} ((?:".*"\n?)+)', text):
        yield from spoken("".join(map(ast.literal_eval, match[1].splitlines())))


def spoken(text: str) -> Iterator[str]:
    """Lines of a message without its context, accelerators, tags and variables."""
    text = re.sub(r"^\w+(?:[ _]\w+)*\^", "", text)
    text = re.sub(r"<[^<>]*>|%\(\w+\)[sd]|%[-\d.]*[a-z]|\$[\w|.]+", "", text)
    yield from re.sub(r"[_&](?=\w)", "", text).splitlines()


def glosses(path: Path, language: str) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield from line.partition(" | ")[2].split("; ")


def dictionary(path: Path, language: str) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        text = re.sub(r"\[1913 Webster\]|\[PJC\]|[{}]", "", file.read())
    yield from re.split(r"\n\s*\n", text)


def plain(path: Path, language: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return re.split(r"\n\s*\n", file.read())


READERS: dict[str, Reader] = {
    "markup": markup,
    "catalogue": catalogue,
    "messages": messages,
    "glosses": glosses,
    "dictionary": dictionary,
    "plain": plain,
}

CODE = re.compile(r"[{}<>\\|_=#@~^\ufffd]|://|/\w+/|--|\w\(\)|\.(?:png|conf|html)\b|\bX{3}|TO[D]O")
BRAND = re.compile(
    r"LibreOffice|Debian|GNOME|Gnu[Cc]ash|HomeBank|Wesnoth|Linux|Tryton|Calc\b|Writer\b|Impress\b"
    r"|dpkg|apt-get|(?i:zombi|mutant)"
)


def cleaned(line: str) -> str:
    """The line with single spaces, or nothing where it is code, names a product or is no text."""
    line = re.sub(r"[ \t\r\n]+", " ", line).strip()
    letters = sum(char.isalpha() or char == " " for char in line)
    if len(line) < 3 or letters < 0.75 * len(line) or CODE.search(line) or BRAND.search(line):
        return ""
    return line


# ---------------------------------------------------------------------------- prose

QUOTES = {
    "en": "“”", "de": "„“", "fr": "«»", "es": "«»", "it": "«»", "pt": "«»", "nl": "“”",
    "pl": "„”", "cs": "„“", "sv": "””", "da": "»«", "fi": "””", "hu": "„”", "ro": "„”",
    "tr": "“”", "nb": "«»",
}  # fmt: skip


def prose(language: str, lines: list[str]) -> Iterator[str]:
    """Pages of twelve paragraphs, set as books and forms are: broken lines, typographic marks."""
    for start in range(0, len(lines), 12):
        page = [typeset(line, language) for line in lines[start : start + 12]]
        yield ("\n\n" if draw(page[0])[0] % 3 else "\n").join(page)


def typeset(line: str, language: str) -> str:
    """The line as it would stand on a page, which its own checksum decides."""
    number = draw(line)[0]
    if number % 2:
        opening, closing = QUOTES.get(language, "“”")
        line = re.sub(r'"([^"]+)"', rf"{opening}\1{closing}", line)
        line = re.sub(r"(?<=\w)'(?=\w)", "’", line).replace(" - ", " – ").replace("...", "…")
    if number % 16 == 2 and len(line) < 90:
        line = capital(line, language)
    elif number % 32 == 3 and len(line) < 60 and language == "en":
        line = line.title()
    elif number % 32 == 4:
        line = f"{'•–-*'[number % 4]} {line}"
    if number % 250 == 5:
        line = line.replace("ffi", "ﬃ").replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ")
    return textwrap.fill(line, 40 + number % 60, break_long_words=False, break_on_hyphens=False)


def capital(line: str, language: str) -> str:
    return (line.replace("i", "İ") if language == "tr" else line).upper()


# ---------------------------------------------------------------------------- forms


class Form(NamedTuple):
    """What a language's forms say."""

    labels: str
    months: str
    money: str
    date: str


FORMS = {
    "en": Form(
        "Invoice|Invoice No.|Invoice Number|Invoice Date|Due Date|Date|Customer No.|Quantity|Qty"
        "|Description|Item|Unit Price|Price|Amount|Amount Due|Subtotal|Discount|Tax|VAT|Sales Tax"
        "|Total|Grand Total|Balance|Payment Terms|Bill To|Ship To|Order No.|Purchase Order|Receipt"
        "|Account Number|Bank|Page|Name|First Name|Last Name|Date of Birth|Address|Street|City"
        "|State|ZIP Code|Country|Phone|Fax|E-mail|Signature|Company|Department|Reference|Yes|No"
        "|Male|Female|Please print|Contents|Chapter|Section|Table|Figure|Appendix|Report|Contract",
        "January February March April May June July August September October November December",
        "${}|£{}|USD {}|{} USD|€{}",
        "{month} {day}, {year}|{mm}/{dd}/{year}|{day} {month} {year}|{year}-{mm}-{dd}",
    ),
    "de": Form(
        "Rechnung|Rechnung Nr.|Rechnungsnummer|Rechnungsdatum|Fällig am|Datum|Kundennummer|Menge"
        "|Anzahl|Bezeichnung|Artikel|Einzelpreis|Preis|Betrag|Gesamtbetrag|Zwischensumme|Rabatt"
        "|MwSt.|USt-IdNr.|Summe|Gesamt|Zahlungsbedingungen|Lieferadresse|Bestellung|Lieferschein"
        "|Bankverbindung|Seite|Name|Vorname|Geburtsdatum|Anschrift|Straße|PLZ|Ort|Land|Telefon"
        "|Unterschrift|Firma|Abteilung|Ja|Nein|Steuernummer|Inhalt|Kapitel|Abschnitt|Tabelle"
        "|Abbildung|Anhang|Bericht|Vertrag|Bitte ankreuzen",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "{} €|EUR {}|{} EUR",
        "{day}. {month} {year}|{dd}.{mm}.{year}|{dd}.{mm}.{yy}",
    ),
    "fr": Form(
        "Facture|Facture n°|Numéro de facture|Date de facture|Échéance|Date|N° client|Quantité|Qté"
        "|Désignation|Article|Prix unitaire|Prix|Montant|Montant HT|Sous-total|Remise|TVA|Total HT"
        "|Total TTC|Net à payer|Conditions de paiement|Adresse de livraison|Commande|Devis|Reçu"
        "|Page|Nom|Prénom|Date de naissance|Adresse|Rue|Code postal|Ville|Pays|Téléphone"
        "|Signature|Société|Service|Oui|Non|Sommaire|Chapitre|Tableau|Figure|Annexe|Rapport"
        "|Contrat|Lu et approuvé",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "{} €|{} EUR",
        "{day} {month} {year}|{dd}/{mm}/{year}|{dd}.{mm}.{yy}",
    ),
    "es": Form(
        "Factura|Factura n.º|Número de factura|Fecha de factura|Vencimiento|Fecha|N.º de cliente"
        "|Cantidad|Descripción|Artículo|Precio unitario|Precio|Importe|Base imponible|Subtotal"
        "|Descuento|IVA|Total|Total a pagar|Forma de pago|Dirección de envío|Pedido|Recibo|Página"
        "|Nombre|Apellidos|Fecha de nacimiento|Dirección|Calle|Código postal|Ciudad|País|Teléfono"
        "|Firma|Empresa|Departamento|Sí|No|NIF|Índice|Capítulo|Sección|Tabla|Figura|Anexo|Informe"
        "|Contrato",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "{} €|{} EUR|$ {}",
        "{day} de {month} de {year}|{dd}/{mm}/{year}|{dd}-{mm}-{year}",
    ),
    "it": Form(
        "Fattura|Fattura n.|Numero fattura|Data fattura|Scadenza|Data|Codice cliente|Quantità"
        "|Descrizione|Articolo|Prezzo unitario|Prezzo|Importo|Imponibile|Subtotale|Sconto|IVA"
        "|Totale|Totale da pagare|Pagamento|Spedizione|Ordine|Ricevuta|Pagina|Nome|Cognome"
        "|Data di nascita|Indirizzo|Via|CAP|Città|Paese|Telefono|Firma|Società|Ufficio|Sì|No"
        "|Partita IVA|Codice fiscale|Indice|Capitolo|Sezione|Tabella|Figura|Allegato|Relazione"
        "|Contratto",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
        " dicembre",
        "€ {}|{} €|EUR {}",
        "{day} {month} {year}|{dd}/{mm}/{year}|{dd}.{mm}.{year}",
    ),
    "pt": Form(
        "Fatura|Fatura n.º|Nota fiscal|Número da fatura|Data da fatura|Vencimento|Data|Cliente"
        "|Quantidade|Descrição|Artigo|Preço unitário|Preço|Valor|Valor total|Subtotal|Desconto|IVA"
        "|Total|Total a pagar|Pagamento|Entrega|Pedido|Encomenda|Recibo|Página|Nome|Sobrenome"
        "|Data de nascimento|Endereço|Morada|Rua|CEP|Cidade|País|Telefone|Assinatura|Empresa"
        "|Departamento|Sim|Não|NIF|CNPJ|Índice|Capítulo|Seção|Tabela|Figura|Anexo|Relatório"
        "|Contrato",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "R$ {}|{} €|€ {}",
        "{day} de {month} de {year}|{dd}/{mm}/{year}|{dd}-{mm}-{year}",
    ),
    "nl": Form(
        "Factuur|Factuurnummer|Factuurdatum|Vervaldatum|Datum|Klantnummer|Aantal|Omschrijving"
        "|Artikel|Prijs per stuk|Prijs|Bedrag|Totaalbedrag|Subtotaal|Korting|btw|Totaal"
        "|Te betalen|Betalingsvoorwaarden|Afleveradres|Bestelling|Ontvangstbewijs|Pagina|Naam"
        "|Voornaam|Achternaam|Geboortedatum|Adres|Straat|Postcode|Plaats|Land|Telefoon"
        "|Handtekening|Bedrijf|Afdeling|Ja|Nee|Inhoud|Hoofdstuk|Tabel|Figuur|Bijlage|Verslag"
        "|Overeenkomst",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "€ {}|€{}|EUR {}",
        "{day} {month} {year}|{dd}-{mm}-{year}|{dd}/{mm}/{year}",
    ),
    "pl": Form(
        "Faktura|Faktura VAT nr|Numer faktury|Data wystawienia|Termin płatności|Data|Nabywca"
        "|Sprzedawca|Ilość|Nazwa towaru|Opis|Cena jednostkowa|Cena netto|Kwota|Wartość netto"
        "|Wartość brutto|Rabat|VAT|Razem|Do zapłaty|Sposób płatności|Zamówienie|Paragon|Strona"
        "|Nazwisko|Imię|Data urodzenia|Adres|Ulica|Kod pocztowy|Miejscowość|Kraj|Telefon|Podpis"
        "|Firma|Tak|Nie|NIP|Spis treści|Rozdział|Tabela|Rysunek|Załącznik|Sprawozdanie|Umowa",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października"
        " listopada grudnia",
        "{} zł|{} PLN",
        "{day} {month} {year} r.|{dd}.{mm}.{year}|{year}-{mm}-{dd}",
    ),
    "cs": Form(
        "Faktura|Faktura č.|Číslo faktury|Datum vystavení|Datum splatnosti|Datum|Odběratel"
        "|Dodavatel|Množství|Popis|Označení|Jednotková cena|Cena|Částka|Základ daně|Sleva|DPH"
        "|Celkem|Celkem k úhradě|Způsob platby|Objednávka|Účtenka|Strana|Příjmení|Jméno"
        "|Datum narození|Adresa|Ulice|PSČ|Město|Stát|Telefon|Podpis|Firma|Ano|Ne|IČO|DIČ|Obsah"
        "|Kapitola|Tabulka|Obrázek|Příloha|Zpráva|Smlouva",
        "ledna února března dubna května června července srpna září října listopadu prosince",
        "{} Kč|{} CZK",
        "{day}. {month} {year}|{day}. {mm}. {year}|{dd}.{mm}.{year}",
    ),
    "sv": Form(
        "Faktura|Fakturanummer|Fakturadatum|Förfallodatum|Datum|Kundnummer|Antal|Beskrivning"
        "|Artikel|À-pris|Pris|Belopp|Delsumma|Rabatt|Moms|Summa|Totalt|Att betala"
        "|Betalningsvillkor|Leveransadress|Beställning|Kvitto|Sida|Namn|Förnamn|Efternamn"
        "|Födelsedatum|Adress|Gata|Postnummer|Ort|Land|Telefon|Underskrift|Företag|Ja|Nej"
        "|Innehåll|Kapitel|Tabell|Figur|Bilaga|Rapport|Avtal|Personnummer",
        "januari februari mars april maj juni juli augusti september oktober november december",
        "{} kr|{} SEK",
        "{day} {month} {year}|{year}-{mm}-{dd}",
    ),
    "da": Form(
        "Faktura|Fakturanr.|Fakturadato|Forfaldsdato|Dato|Kundenr.|Antal|Beskrivelse|Vare"
        "|Enhedspris|Pris|Beløb|Subtotal|Rabat|Moms|I alt|At betale|Betalingsbetingelser"
        "|Leveringsadresse|Ordre|Kvittering|Side|Navn|Fornavn|Efternavn|Fødselsdato|Adresse|Gade"
        "|Postnr.|By|Land|Telefon|Underskrift|Firma|Ja|Nej|CVR-nr.|Indhold|Kapitel|Tabel|Figur"
        "|Bilag|Rapport|Aftale",
        "januar februar marts april maj juni juli august september oktober november december",
        "{} kr.|{} DKK|kr. {}",
        "{day}. {month} {year}|{dd}-{mm}-{year}|{dd}.{mm}.{yy}",
    ),
    "fi": Form(
        "Lasku|Laskun numero|Laskun päivämäärä|Eräpäivä|Päivämäärä|Asiakasnumero|Määrä|Kuvaus"
        "|Tuote|Yksikköhinta|Hinta|Summa|Välisumma|Alennus|ALV|Yhteensä|Maksettavaa|Maksuehdot"
        "|Toimitusosoite|Tilaus|Kuitti|Sivu|Nimi|Etunimi|Sukunimi|Syntymäaika|Osoite|Katu"
        "|Postinumero|Paikkakunta|Maa|Puhelin|Allekirjoitus|Yritys|Kyllä|Ei|Y-tunnus|Sisällys"
        "|Luku|Taulukko|Kuva|Liite|Raportti|Sopimus|Viitenumero",
        "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta"
        " syyskuuta lokakuuta marraskuuta joulukuuta",
        "{} €|{} EUR",
        "{day}. {month} {year}|{day}.{mm}.{year}",
    ),
    "hu": Form(
        "Számla|Számlaszám|Számla kelte|Fizetési határidő|Dátum|Vevő|Eladó|Mennyiség|Megnevezés"
        "|Leírás|Egységár|Ár|Összeg|Nettó érték|Bruttó érték|Kedvezmény|ÁFA|Összesen|Fizetendő"
        "|Fizetési mód|Megrendelés|Nyugta|Oldal|Név|Vezetéknév|Keresztnév|Születési dátum|Cím"
        "|Utca|Irányítószám|Város|Ország|Telefon|Aláírás|Cég|Igen|Nem|Adószám|Tartalom|Fejezet"
        "|Táblázat|Ábra|Melléklet|Jelentés|Szerződés",
        "január február március április május június július augusztus szeptember október november"
        " december",
        "{} Ft|{} HUF",
        "{year}. {month} {day}.|{year}.{mm}.{dd}.",
    ),
    "ro": Form(
        "Factură|Factura nr.|Numărul facturii|Data facturii|Scadența|Data|Client|Furnizor"
        "|Cantitate|Descriere|Denumire|Preț unitar|Preț|Valoare|Sumă|Subtotal|Reducere|TVA|Total"
        "|Total de plată|Plată|Comandă|Chitanță|Pagina|Nume|Prenume|Data nașterii|Adresa|Strada"
        "|Cod poștal|Oraș|Țara|Telefon|Semnătura|Firma|Da|Nu|CUI|Cuprins|Capitolul|Secțiunea"
        "|Tabelul|Figura|Anexa|Raport|Contract",
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie"
        " decembrie",
        "{} lei|{} RON",
        "{day} {month} {year}|{dd}.{mm}.{year}",
    ),
    "tr": Form(
        "Fatura|Fatura No|Fatura Numarası|Fatura Tarihi|Vade Tarihi|Tarih|Müşteri No|Miktar|Adet"
        "|Açıklama|Ürün|Birim Fiyat|Fiyat|Tutar|Ara Toplam|İndirim|KDV|Toplam|Genel Toplam"
        "|Ödenecek Tutar|Ödeme Koşulları|Teslimat Adresi|Sipariş|Fiş|Sayfa|Ad|Soyadı|Adı"
        "|Doğum Tarihi|Adres|Sokak|Posta Kodu|Şehir|Ülke|Telefon|İmza|Şirket|Evet|Hayır"
        "|Vergi No|İçindekiler|Bölüm|Tablo|Şekil|Ek|Rapor|Sözleşme",
        "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
        "{} TL|₺{}|{} ₺",
        "{day} {month} {year}|{dd}.{mm}.{year}|{dd}/{mm}/{year}",
    ),
    "nb": Form(
        "Faktura|Fakturanummer|Fakturadato|Forfallsdato|Dato|Kundenummer|Antall|Beskrivelse|Vare"
        "|Enhetspris|Pris|Beløp|Delsum|Rabatt|MVA|Sum|Totalt|Å betale|Betalingsbetingelser"
        "|Leveringsadresse|Bestilling|Kvittering|Side|Navn|Fornavn|Etternavn|Fødselsdato|Adresse"
        "|Gate|Postnummer|Sted|Land|Telefon|Underskrift|Firma|Ja|Nei|Org.nr.|Innhold|Kapittel"
        "|Tabell|Figur|Vedlegg|Rapport|Avtale",
        "januar februar mars april mai juni juli august september oktober november desember",
        "{} kr|kr {}|NOK {}",
        "{day}. {month} {year}|{dd}.{mm}.{year}",
    ),
}  # fmt: skip

NAMES = (
    "Anna|Maria|Peter|Thomas|Martin|John|David|Michael|Robert|James|Paul|Julia|Laura|Sophie|Emma"
    "|Eva|Karl|Jan|Pierre|Jean|José|Carlos|Luis|Ana|Giovanni|Marco|Francesca|João|Pedro|Erik|Lars"
    "|Mikko|Katarzyna|Piotr|Jiří|Zoltán|Ion|Mehmet|Ayşe|Elena|Andrea|Daniel|Alexander|William"
)
SURNAMES = (
    "Smith|Jones|Brown|Taylor|Miller|Wilson|Johnson|Williams|Müller|Schmidt|Schneider|Weber|Meyer"
    "|Fischer|Martin|Bernard|Dubois|Durand|García|Fernández|González|Rossi|Bianchi|Ferrari|Silva"
    "|Santos|Ferreira|Jansen|Nowak|Kowalski|Novák|Svoboda|Andersson|Hansen|Nielsen|Larsen"
    "|Korhonen|Virtanen|Nagy|Kovács|Popescu|Yılmaz|Kaya|Demir"
)
FIRMS = (
    "Ltd|Ltd.|Inc.|LLC|Corp.|plc|& Co.|GmbH|AG|KG|e.V.|SARL|SA|S.A.|S.L.|S.p.A.|S.r.l.|Lda.|B.V."
    "|N.V.|Sp. z o.o.|s.r.o.|AB|A/S|AS|Oy|Kft.|SRL|A.Ş."
)


def pick(choices: str, rng: random.Random) -> str:
    return rng.choice(choices.split("|"))


def form(language: str, lines: list[str], rng: random.Random) -> str:
    """One page as offices print it: letterhead, fields, a table, contents, boxes, a footer."""
    said = FORMS[language]
    if rng.random() < 0.25:
        said = said._replace(labels=capital(said.labels, language))
    parts = [
        head(rng),
        capital(pick(said.labels, rng), language),
        *(field(said, rng) for _ in range(8)),
        *(row(said, lines, rng) for _ in range(6)),
        *(entry(lines, rng) for _ in range(4)),
        *(f"{rng.choice('☐☐☑☒□■○●')} {pick(said.labels, rng)}" for _ in range(3)),
        f"{pick(said.labels, rng)} {rng.randint(1, 20)} / {rng.randint(20, 40)}",
    ]
    return "\n".join(parts)


def head(rng: random.Random) -> str:
    """A sender: name, firm, web, telephone, bank."""
    surname = pick(SURNAMES, rng)
    host = surname.lower() + rng.choice((".com", ".de", ".fr", ".org", ".net", ".eu", ".co.uk"))
    digits = [rng.randint(100, 999) for _ in range(4)]
    lines = (
        f"{pick(NAMES, rng)} {surname}",
        f"{surname} {pick(FIRMS, rng)}",
        f"www.{host}",
        f"https://www.{host}/",
        f"E-mail: info@{host}",
        f"Tel.: +{rng.randint(1, 99)} {digits[0]} {digits[1]}-{digits[2]}",
        f"IBAN: {rng.choice(('DE', 'FR', 'ES', 'IT', 'NL', 'GB'))}{digits[0]} {digits[1]}",
        f"BIC: {surname.upper()}",
    )
    return "\n".join(rng.sample(lines, 4))


def field(said: Form, rng: random.Random) -> str:
    """A label and what is filled in, or the line to fill it in on."""
    value = rng.choice(
        (
            date(said, rng),
            money(said, rng),
            f"{pick(NAMES, rng)} {pick(SURNAMES, rng)}",
            f"{rng.choice('ABCDEFGHKLMNPRSTVWXZ')}{rng.choice('-/. ')}{rng.randint(1000, 99999)}",
            f"{rng.randint(0, 100)}{rng.choice(('', ',5', '.5', ''))}{rng.choice(('%', ' %'))}",
            "_" * rng.randint(3, 40),
            "." * rng.randint(3, 60),
        )
    )
    gap = rng.choice((": ", ":", ": ", "  ", " " * rng.randint(2, 30)))
    return f"{pick(said.labels, rng)}{gap}{value}"


def row(said: Form, lines: list[str], rng: random.Random) -> str:
    """A row of a table, its columns apart by spaces, a tab or a bar."""
    gap = rng.choice((" ", " " * rng.randint(2, 16), "\t", " | "))
    number = str(rng.randint(1, 30))
    return gap.join((number, words(lines, rng), number, money(said, rng), money(said, rng)))


def entry(lines: list[str], rng: random.Random) -> str:
    """A line of a table of contents, with a leader."""
    leader = rng.choice(("." * rng.randint(4, 80), " ." * rng.randint(4, 30), "…" * 8))
    number = rng.choice(("", f"{rng.randint(1, 9)}.{rng.randint(1, 9)} ", f"{rng.randint(1, 9)}. "))
    return f"{number}{words(lines, rng)} {leader} {rng.randint(1, 300)}"


def words(lines: list[str], rng: random.Random) -> str:
    return " ".join(rng.choice(lines).split(" ")[: rng.randint(1, 4)])


def money(said: Form, rng: random.Random) -> str:
    amount = f"{rng.randint(1, 10 ** rng.randint(1, 6)) / 100:,.2f}"
    if said.money != FORMS["en"].money:
        amount = amount.translate(str.maketrans(",.", rng.choice((".,", " ,", "\u00a0,"))))
    return pick(said.money, rng).format(amount)


def date(said: Form, rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1950, 2035)
    return pick(said.date, rng).format(
        day=day,
        dd=f"{day:02}",
        month=said.months.split()[month - 1],
        mm=f"{month:02}",
        year=year,
        yy=f"{year % 100:02}",
    )


# ---------------------------------------------------------------------------- symbols

SYMBOLS = (
    "αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ±×÷−·≤≥≠≈≡∞√∑∏∫∂∇∈∉⊂∪∩∀∃→←↑↓↔⇒⇔∝∼°′″‰µ"
    "€£¥¢₹₺₽₩§¶©®™•‣–—―‘’‚“”„‹›«»…†‡¡¿№ªº¹²³⁴₂½¼¾☐☑☒✓✔✗□■▪○●◦►▶★ﬁﬂﬀﬃﬄ"
    "\u00a0\u00ad\u2009\u200b\u202f\ufeff"
)
LATIN = "".join(chr(code) for code in (*range(0xC0, 0x180), *range(0x218, 0x21C), 0x1E9E))


def symbols(rng: random.Random) -> Iterator[str]:
    """Lines that give every symbol and every letter of European alphabets a token of its own."""
    letters = [char for char in LATIN if char.isalpha()]
    for _ in range(SYMBOL_LINES):
        yield "1".join((*rng.choices(SYMBOLS, k=5), *rng.choices(letters, k=3)))


if __name__ == "__main__":
    sys.exit(main())
