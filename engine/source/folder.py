"""Files below local folders, and local glob patterns."""

# ruff: noqa: PTH112, PTH116, PTH118 (os.path: Path is too slow for a million files)
from __future__ import annotations

import difflib
import glob
import os
import re
import stat
from collections.abc import Iterator
from itertools import islice

from ..reason import Reason
from .location import FoundFile, to_uri, version_of
from .sniff import named_archive, named_document


def walk(folder: str, above: str = "") -> Iterator[FoundFile]:
    """Every file below a folder, with names relative to `above` (default: the folder).

    Linked folders are entered, each folder once, so that links cannot go in circles. What
    cannot be read is a `FoundFile` with a refusal; so is a pipe, device or dangling link that is
    named like a document.
    """
    above = above or folder
    waiting, linked = [folder], list[str]()
    seen: set[tuple[int, int]] = set()
    while waiting or linked:
        path = waiting.pop() if waiting else linked.pop(0)
        name = _relative(path, above)
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
        except OSError as err:
            message = f"cannot list the folder: {err.strerror}. Check that it may be read."
            yield FoundFile(to_uri(path), name + "/", refusal=Reason.MISSING, message=message)
            continue
        prefix = name + "/" if name else ""
        for entry in listing:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif _leads_to_folder(entry):
                linked.append(entry.path)
            else:
                yield from file(entry.path, prefix + entry.name)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link to itself; `file` says so
        return False


def file(path: str, name: str, *, named: bool = False) -> Iterator[FoundFile]:
    """One file as found, or refused if it is no regular file.

    Args:
        path: absolute.
        name: what to call it.
        named: the user named it: it is refused whatever its suffix.
    """
    try:
        status = os.stat(path)
    except OSError as err:
        message = f"cannot look at the file: {err.strerror}"
        entry = FoundFile(to_uri(path), name, refusal=Reason.MISSING, message=message)
    else:
        if stat.S_ISREG(status.st_mode):
            yield FoundFile(to_uri(path), name, status.st_size, version_of(status))
            return
        message = "not a regular file, but a pipe, socket or device"
        entry = FoundFile(to_uri(path), name, refusal=Reason.NOT_A_DOCUMENT, message=message)
    if named or named_document(name) or named_archive(name):
        yield entry


def match(pattern: str) -> Iterator[FoundFile]:
    """Files that a pattern with `*`, `**`, `?` or `[…]` matches, relative to its fixed part.

    A folder that matches is walked, except under `**`, which matches its files already.
    """
    parts = pattern.split("/")
    magic = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    fixed = "/".join(parts[:magic]) or "/"
    if "**" in parts:
        yield from _match_below(fixed, "/".join(parts[magic:]))
        return
    for path in sorted(glob.iglob(pattern)):
        if os.path.isdir(path):
            yield from walk(path, fixed)
        else:
            yield from file(path, _relative(path, fixed))


def _match_below(folder: str, pattern: str) -> Iterator[FoundFile]:
    """As `glob` with `**`, which would follow links in circles. Unreadable folders are kept."""
    from fsspec.utils import glob_translate

    fits = re.compile(glob_translate(pattern)).match
    for entry in walk(folder):
        if fits(entry.name) or entry.name.endswith("/"):
            yield entry


def nearest(path: str) -> str:
    """The existing path whose name is most like this one, or ""."""
    parent, name = os.path.split(path.rstrip("/"))
    while parent and not os.path.isdir(parent) and parent != "/":
        parent, name = os.path.split(parent)
    try:
        with os.scandir(parent or ".") as entries:
            names = [entry.name for entry in islice(entries, 10_000)]
    except OSError:
        return ""
    near = most_like(name, names)
    return os.path.join(parent, near) if near else ""


def most_like(name: str, names: list[str]) -> str:
    """The name most like this one, or ""."""
    return next(iter(difflib.get_close_matches(name, names, n=1)), "")


def _relative(path: str, above: str) -> str:
    return path[len(above.rstrip("/")) :].lstrip("/")
