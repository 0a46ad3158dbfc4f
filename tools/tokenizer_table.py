"""What the tokenizer is trained on, from tokenizer.toml; part of make_tokenizer.py."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("tokenizer.toml")


@dataclass(frozen=True)
class Family:
    """Packages that are read alike."""

    packages: list[str]
    licence: str
    """As their copyright files say."""
    read: str
    """The name of a reader."""
    files: str
    """A pattern; its first group is the code of the language, without one it is English."""


@dataclass(frozen=True)
class Form:
    """What a language's forms say."""

    labels: list[str]
    months: list[str]
    money: list[str]
    date: list[str]


@dataclass(frozen=True)
class Letterhead:
    """Who writes."""

    names: list[str]
    surnames: list[str]
    firms: list[str]


@cache
def families() -> list[Family]:
    """All packages, in the order in which they are read."""
    return [Family(**entry) for entry in _tree()["family"]]


@cache
def percent() -> Mapping[str, float]:
    """Each language's share of the characters; one that has less gives what it has."""
    shares: Mapping[str, float] = _tree()["percent"]
    return shares


@cache
def forms() -> Mapping[str, Form]:
    """By language."""
    return {language: Form(**entry) for language, entry in _tree()["form"].items()}


@cache
def letterhead() -> Letterhead:
    """Names for made-up pages."""
    return Letterhead(**_tree()["letterhead"])


@cache
def _tree() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
