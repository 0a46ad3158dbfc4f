"""The folder of texts and fonts: `manifest.json`, `fonts/`, `texts/`, `words/`.

Every entry of the manifest says whether it is held out. What is held out is a whole family, or
a whole source in a language; of word lists, one word in eight by its hash.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..errors import ConfigError
from .font import Face, Family, covering, face_of, families_of, style_flags
from .text import BASIC, LETTERS, Text, read_text, read_words

SCHEMA = "pagemill.material.1"
FILE = "manifest.json"
_MADE_BY = "tools/make_small_data.py makes such a folder"


@dataclass(frozen=True, eq=False)
class Material:
    """What one split may be made from."""

    families: tuple[Family, ...]
    texts: Mapping[str, tuple[Text, ...]]
    """By language."""
    words: Mapping[str, tuple[str, ...]]
    """Word lists by language; a language may have none."""
    families_by_language: Mapping[str, tuple[Family, ...]]
    """The families that draw all letters of a language."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Those with a text and a font, sorted."""
        return tuple(sorted(name for name in self.texts if self.families_by_language.get(name)))


def load_material(folder: Path, *, held_out: bool = False) -> Material:
    """The part of the folder that training uses, or the part that is held out.

    Raises:
        ConfigError: there is no such folder, it was made otherwise, a file is missing or is not
            the one the manifest means, or there are no fonts or no texts for this part.
    """
    manifest = read_manifest(folder)
    part = "held out" if held_out else "for training"
    families = _families(folder, _chosen(manifest, "fonts", held_out))
    if not families:
        raise ConfigError(f"{folder} has no fonts that are {part}; {_MADE_BY}")
    texts: dict[str, list[Text]] = {}
    for entry in _chosen(manifest, "texts", held_out):
        text = read_text(
            _checked(folder, entry),
            name=entry["name"],
            language=entry["language"],
            licence=entry["licence"],
        )
        texts.setdefault(text.language, []).append(text)
    words = {
        entry["language"]: read_words(_checked(folder, entry), held_out=held_out)
        for entry in manifest.get("words", [])
    }
    return material_of(families, texts, words, where=f"{folder}, what is {part}")


def material_of(
    families: Sequence[Family],
    texts: Mapping[str, Sequence[Text]],
    words: Mapping[str, Sequence[str]],
    *,
    where: str = "the material",
) -> Material:
    """Material from its parts.

    Raises:
        ConfigError: no language has both a text and a font with its letters.
    """
    families_by_language = {
        name: tuple(covering(families, BASIC + LETTERS.get(name, ""))) for name in texts
    }
    material = Material(
        tuple(families),
        {language: tuple(entries) for language, entries in texts.items() if entries},
        {language: tuple(entries) for language, entries in words.items() if entries},
        families_by_language,
    )
    if not material.languages:
        raise ConfigError(f"{where}: no language has a text and a font that draws it; {_MADE_BY}")
    return material


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises:
        ConfigError: there is none, or it is of another kind.
    """
    path = folder / FILE
    try:
        manifest = orjson.loads(path.read_bytes())
    except OSError as err:
        raise ConfigError(
            f"{folder} is no folder of texts and fonts: no {FILE}; {_MADE_BY}"
        ) from err
    except orjson.JSONDecodeError as err:
        raise ConfigError(f"{path} is damaged: {err}; {_MADE_BY}") from err
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise ConfigError(f"{path} is not a manifest of {SCHEMA}; {_MADE_BY}")
    return manifest


def fingerprint_of(folder: Path) -> str:
    """16 hex digits that change with any file of the folder, from its manifest."""
    return hashlib.sha256(orjson.dumps(read_manifest(folder))).hexdigest()[:16]


def _chosen(manifest: dict[str, Any], section: str, held_out: bool) -> list[dict[str, Any]]:
    return [entry for entry in manifest.get(section, []) if entry["held_out"] == held_out]


def _families(folder: Path, entries: list[dict[str, Any]]) -> list[Family]:
    faces: list[tuple[str, str, bool, bool, Face]] = []
    for entry in entries:
        path = _checked(folder, entry)
        data = path.read_bytes()
        bold, italic, kind = entry["bold"], entry["italic"], entry["kind"]
        try:
            if path.suffix == ".xz":
                data = lzma.decompress(data)
            face = face_of(path.name, data, flags=style_flags(kind, bold=bold, italic=italic))
        except (ValueError, lzma.LZMAError) as err:
            raise ConfigError(f"{path}: {err}; {_MADE_BY}") from err
        faces.append((entry["family"], kind, bold, italic, face))
    return families_of(faces)


def _checked(folder: Path, entry: Mapping[str, Any]) -> Path:
    """The file of an entry, as large as it says; a full check would read everything twice."""
    path = folder / str(entry["file"])
    try:
        size = path.stat().st_size
    except OSError as err:
        raise ConfigError(f"{path} is in the manifest but missing; {_MADE_BY}") from err
    if size != entry["bytes"]:
        raise ConfigError(f"{path} has {size} bytes, the manifest says {entry['bytes']}")
    return path
