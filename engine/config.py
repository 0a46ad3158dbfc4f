"""TOML and `--set` overrides into frozen dataclasses, and a fingerprint of the result.

A configuration is a frozen, keyword-only dataclass whose fields are plain values, tuples of
plain values, or further configurations. A string under each field gives meaning and unit.

A key that is renamed keeps its old name in the class attribute `renamed_keys` of its dataclass:
whoever still writes the old one is told the new one, and `upgraded` brings trees that older
versions wrote (corpus.json, a run's recipe) to the names of today:

    @dataclass(frozen=True, kw_only=True)
    class RenderConfig:
        renamed_keys: ClassVar[Mapping[str, str]] = {"engine": "backend"}
        backend: Literal["mupdf", "poppler"] = "mupdf"
        "What draws the pages."

Tried in its place in November 2026, on the configurations of builds, corruption and recipes:
msgspec 0.22 ignores unknown keys of dataclasses and names neither the value nor what is allowed;
pydantic-settings 2.16 takes `true` for 1.0 and is imported in 130 ms, this module in 20. Either
replaces 50 lines here, `_convert` and what it calls; keys, overrides, meanings and fingerprints
would stay.
"""

from __future__ import annotations

import ast
import copy
import difflib
import hashlib
import inspect
import json
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from .errors import ConfigError

Config = TypeVar("Config")


def load(kind: type[Config], path: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """A configuration from its defaults, a TOML file and `a.b=value` overrides, in that order.

    An override's value is read as TOML; what is not TOML is taken as a string.

    Raises:
        ConfigError: an unknown key (the nearest known one is named), a value of another type,
            a file that is missing or not TOML, or a check of the configuration itself.
    """
    tree: dict[str, Any] = {}
    if path is not None:
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as err:
            raise ConfigError(f"cannot read the configuration {path}: {err.strerror}") from err
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
            raise ConfigError(f"{path} is not TOML: {err}") from err
    return with_overrides(kind, tree, overrides)


def with_overrides(kind: type[Config], tree: Mapping[str, Any], overrides: Sequence[str]) -> Config:
    """A configuration from a nested mapping and `a.b=value` overrides.

    Raises:
        ConfigError: as `load`.
    """
    merged = copy.deepcopy(dict(tree))
    for override in overrides:
        _set(merged, override)
    return from_tree(kind, merged)


def from_tree(kind: type[Config], tree: Mapping[str, Any], prefix: str = "") -> Config:
    """A configuration from a nested mapping, such as the one stored in `corpus.json`.

    Raises:
        ConfigError: as `load`.
    """
    hints = typing.get_type_hints(kind)
    known = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    renamed = renamed_keys(kind)
    values: dict[str, Any] = {}
    for name, value in tree.items():
        if name in renamed:
            raise ConfigError(
                f"the configuration key {prefix + name!r} is now called "
                f"{prefix + renamed[name]!r}: write that one"
            )
        if name not in known:
            raise ConfigError(_unknown(prefix + name, [prefix + key for key in known]))
        values[name] = _convert(hints[name], value, prefix + name)
    return kind(**values)


def upgraded(kind: type[object], tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree that an older version wrote, with its keys as they are called now.

    Keys that are not known at all are left as they are.
    """
    hints, renamed = typing.get_type_hints(kind), renamed_keys(kind)
    result: dict[str, Any] = {}
    for old_name, value in tree.items():
        name = renamed.get(old_name, old_name)
        section = hints.get(name)
        if isinstance(section, type) and is_dataclass(section) and isinstance(value, Mapping):
            result[name] = upgraded(section, value)
        else:
            result[name] = value
    return result


def renamed_keys(kind: type[object]) -> dict[str, str]:
    """Old name to new name of the keys of one section, those of its parents too."""
    renamed: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        renamed |= vars(parent).get("renamed_keys", {})
    return renamed


def to_tree(config: object) -> dict[str, Any]:
    """The configuration as nested plain values, ready for JSON or TOML."""
    tree: dict[str, Any] = {}
    for item in fields(config):  # type: ignore[arg-type]
        value = getattr(config, item.name)
        if is_dataclass(value):
            tree[item.name] = to_tree(value)
        else:
            tree[item.name] = list(value) if isinstance(value, tuple) else value
    return tree


def fingerprint(config: object, *, without: Sequence[str] = ()) -> str:
    """16 hex digits that change with any value of the configuration.

    Args:
        config: a configuration dataclass.
        without: names of top-level fields that cannot change what is produced.
    """
    tree = {name: value for name, value in to_tree(config).items() if name not in without}
    data = json.dumps(tree, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def describe(kind: type[object], prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """(dotted key, default, meaning) of every field, in the order of the source."""
    meanings = _meanings(kind)
    hints = typing.get_type_hints(kind)
    for item in fields(kind):  # type: ignore[arg-type]
        if is_dataclass(hints[item.name]):
            yield from describe(hints[item.name], f"{prefix}{item.name}.")
        else:
            yield prefix + item.name, _default(item), meanings.get(item.name, "")


def to_toml(config: object) -> str:
    """The configuration as TOML, with the meaning of each key above it."""
    lines: list[str] = []
    values = dict(_leaves(to_tree(config)))
    section = ""
    for name, _, meaning in sorted(describe(type(config)), key=lambda item: "." in item[0]):
        parent, _, leaf = name.rpartition(".")
        if parent != section:
            section = parent
            lines += ["", f"[{section}]"]
        lines += [f"# {meaning}"] if meaning else []
        lines.append(f"{leaf} = {json.dumps(values[name], ensure_ascii=False)}")
    return "\n".join(lines).lstrip("\n") + "\n"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _default(item: Field[Any]) -> Any:
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else None


def _meanings(kind: type[object]) -> dict[str, str]:
    """The string literal under each field, read from the source of the class and its parents."""
    found: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        if is_dataclass(parent):
            found |= _own_meanings(parent)
    return found


def _own_meanings(kind: type[object]) -> dict[str, str]:
    body = ast.parse(inspect.cleandoc(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for node, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[node.target.id] = " ".join(below.value.value.split())
    return found


def split_override(override: str) -> tuple[list[str], str]:
    """(parts of the key, text of the value) of `a.b=value`.

    Raises:
        ConfigError: there is no key or no value.
    """
    name, equals, text = override.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"--set takes KEY=VALUE, such as render.dpi=144; got {override!r}")
    return name.strip().split("."), text


def _set(tree: dict[str, Any], override: str) -> None:
    (*parents, leaf), text = split_override(override)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{'.'.join([*parents, leaf])}: {parent} is a value, not a section")
    tree[leaf] = value


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return f"there is no configuration key {name!r}; the nearest is {near[0]!r}"


def _convert(hint: Any, value: Any, name: str) -> Any:
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} is a section, not a value; set one of its keys")
        return from_tree(hint, value, f"{name}.")  # type: ignore[arg-type]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(hint, value, name)
    if origin is tuple:
        return _convert_tuple(typing.get_args(hint)[0], value, name)
    if origin is typing.Literal:
        allowed = typing.get_args(hint)
        if value not in allowed:
            raise ConfigError(f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{name} is {value!r}; it takes a value of type {hint.__name__}")
    return value


def _convert_union(hint: Any, value: Any, name: str) -> Any:
    options = typing.get_args(hint)
    if value is None and type(None) in options:
        return None
    return _convert(next(option for option in options if option is not type(None)), value, name)


def _convert_tuple(item: Any, value: Any, name: str) -> tuple[Any, ...]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_convert(item, entry, f"{name}[{index}]") for index, entry in enumerate(values))
