"""Texts and word lists as they are kept: compressed, a paragraph a line."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from ..key import keyed_hash

LETTERS = {
    "en": "",
    "de": "äöüßÄÖÜ",
    "fr": "àâçéèêëîïôùûüœÀÂÇÉÈÊ",
    "es": "áéíóúñü¿¡ÁÉÍÓÚÑ",
    "it": "àèéìòùÀÈÉ",
    "pt": "ãõáâàéêíóôúçÃÕÁÉÍÓÚÇ",
    "nl": "ëïéèöü",
    "pl": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
    "sv": "åäöÅÄÖ",
    "da": "æøåÆØÅ",
    "cs": "áčďéěíňóřšťúůýžČŘŠŽÚ",
}
"""Languages, and the letters that a font must have beside the English ones."""

BASIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?()/-'\"%&+*#@=_"
_HELD_OUT_WORDS = 8
"""One word in this many is held out."""


@dataclass(frozen=True, eq=False)
class Text:
    """Paragraphs of one source in one language."""

    name: str
    language: str
    licence: str
    paragraphs: tuple[str, ...]


def read_text(path: Path, *, name: str, language: str, licence: str) -> Text:
    """The text of an `.xz` file.

    Raises:
        ConfigError: it is missing, damaged or empty.
    """
    paragraphs = tuple(line for line in read_lines(path) if line)
    if not paragraphs:
        raise ConfigError(f"{path} holds no text; make the folder again")
    return Text(name, language, licence, paragraphs)


def read_words(path: Path, *, held_out: bool) -> tuple[str, ...]:
    """The words of a list that belong to one side: training, or what is held out."""
    return tuple(
        word
        for word in read_lines(path)
        if word and (keyed_hash("word", word.lower()) % _HELD_OUT_WORDS == 0) == held_out
    )


def read_lines(path: Path) -> list[str]:
    """The lines of an `.xz` file.

    Raises:
        ConfigError: it is missing or damaged.
    """
    try:
        return lzma.decompress(path.read_bytes()).decode("utf-8").split("\n")
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as err:
        raise ConfigError(f"cannot read {path}: {err}; make the folder again") from err
