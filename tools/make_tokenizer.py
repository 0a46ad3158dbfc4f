"""Trains the shipped tokenizer anew, from free texts that Debian 12 packages.

python tools/make_tokenizer.py --out model/tokenizer                  # about 570 MB to download
python tools/make_tokenizer.py --out FOLDER --cache FOLDER             # keeps the packages

Needs `apt-get` and `dpkg` with the lists of Debian 12, but no rights: nothing is installed. The
same package versions give the same files, byte for byte; Debian's point releases change texts.
tokenizer.toml lists the packages.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from math import ceil
from pathlib import Path

from pagemill.model.vocabulary import train, wrap
from tokenizer_page import form, prose, shuffled_key, symbols
from tokenizer_reader import READERS, cleaned
from tokenizer_table import Family, families, forms, percent

TEXT_CHARS = 32_000_000
FORM_PAGES = 8_000


def main() -> int:
    """Download, read, train, write; the exit status."""
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch) / "debs"
        cache.mkdir(parents=True, exist_ok=True)
        fetch(cache)
        roots = unpacked(cache, Path(scratch) / "unpacked")
        lines = chosen(collected(roots))
    for language, chosen_lines in lines.items():
        print(
            f"{language}: {sum(map(len, chosen_lines)) / 1e6:.2f} million characters",
            file=sys.stderr,
        )
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
    for language, chosen_lines in lines.items():
        yield from prose(language, chosen_lines)
    order = [language for language in forms() for _ in range(ceil(percent()[language] / 5))]
    for number, language in zip(range(FORM_PAGES), cycle(order), strict=False):
        yield form(language, lines[language], random.Random(number))
    yield from symbols(random.Random(0))


def fetch(cache: Path) -> None:
    """Download what `cache` lacks; only apt-get's own errors stop it."""
    names = [name for family in families() for name in family.packages]
    missing = [name for name in names if not list(cache.glob(f"{name}_*.deb"))]
    if missing:
        subprocess.run(["apt-get", "download", "-q", *missing], cwd=cache, check=True)


def unpacked(cache: Path, folder: Path) -> list[tuple[Family, Path]]:
    """(family, root of one package), in the order of the table."""
    roots = []
    for family in families():
        for name in family.packages:
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
    lines: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for family, root in roots:
        pattern = re.compile(family.files)
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            match = pattern.search(path.as_posix())
            for language in languages(match, family.read) if match else ():
                text = filter(None, map(cleaned, READERS[family.read](path, language)))
                lines[language][family.packages[0]].update(dict.fromkeys(text))
    return {language: distinct(lines, language) for language in percent()}


def distinct(
    lines: Mapping[str, Mapping[str, Mapping[str, None]]], language: str
) -> list[list[str]]:
    """One list of lines per family, without those of the families before it and of English."""
    english = {line for family in lines["en"].values() for line in family}
    seen = english if language != "en" else set()
    remaining = []
    for family in lines[language].values():
        remaining.append([line for line in family if line not in seen])
        seen = seen | set(family)
    return remaining


def languages(match: re.Match[str], read: str) -> list[str]:
    """The language of a file; three languages' catalogues also give the English originals."""
    code = match[1] if match.re.groups else "en"
    if "@" in code:
        return []
    base = re.split(r"[_-]", code)[0]
    language = {"C": "en", "no": "nb"}.get(base, base)
    original = read in ("catalogue", "messages") and language in ("de", "fr", "es")
    return [code for code in (language, "en" if original else "") if code in percent()]


def chosen(collection: Mapping[str, list[list[str]]]) -> dict[str, list[str]]:
    """Each language's share, its families as even as they reach."""
    result = {}
    for language, by_family in collection.items():
        left = TEXT_CHARS * percent()[language] / 100
        lines: list[str] = []
        ordered = sorted(by_family, key=lambda family: sum(map(len, family)))
        for rest, family in zip(range(len(ordered), 0, -1), ordered, strict=True):
            taken = list(up_to(sorted(family, key=shuffled_key), left / rest))
            left -= sum(map(len, taken))
            lines += taken
        result[language] = sorted(lines, key=shuffled_key)
    return result


def up_to(lines: Iterable[str], chars: float) -> Iterator[str]:
    for line in lines:
        if chars < len(line):
            return
        chars -= len(line)
        yield line


if __name__ == "__main__":
    sys.exit(main())
