"""Inputs into documents: files, folders, patterns, archives, lists and object stores.

Nothing is read here but first bytes and the directories of archives. `find` gives every
document a name that does not depend on where the dump lies, so that copies of one dump give the
same corpus; whatever cannot be a document, but was named like one, is a source with a refusal.
"""

# ruff: noqa: PTH100, PTH112 (os.path: Path is too slow for a million files)
from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import ConfigError, DataError
from ..reason import Reason
from ..text import sanitize
from . import folder
from .archive import ArchiveLimits, too_large
from .contents import is_archive, list_archive
from .input import open_input
from .location import FoundFile, is_remote, to_path, to_uri
from .sniff import (
    HEAD_BYTES,
    is_document,
    named_archive,
    named_document,
    starts_document,
    suffix_of,
)


@dataclass(frozen=True, slots=True)
class Source:
    """One document as listed, before its bytes are fetched."""

    name: str
    """Relative to the input it was found under, `/` between; of an archive, the archive's."""
    uri: str
    """Absolute path or URI of the file or archive."""
    member: str = ""
    """Name inside the archive; "" for plain files."""
    size: int = -1
    """Bytes as listed, unpacked for members; -1 where the server does not say."""
    version: str = ""
    """A cheap token that changes when the content does."""
    refusal: str = ""
    """A `Reason` where the listing already knows that this is not read."""
    message: str = ""
    locator: str = ""
    """How to reach a member's bytes; for `fetch` only."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the inputs hold."""

    sources: Sequence[Source]
    """Unique by (uri, member), sorted by (name, member, uri)."""
    ignored: Mapping[str, int]
    """Files that are no documents, counted by lower-case suffix ("" for none)."""


def find(inputs: Sequence[str], *, limits: ArchiveLimits | None = None) -> Listing:
    """The documents that the inputs name, in an order that does not depend on theirs.

    Args:
        inputs: files, folders, patterns with `*`, `**`, `?`, `[…]`, archives, URIs that fsspec
            knows, and `@list.txt` with one of these a line.
        limits: what archives and documents may weigh.

    Raises:
        ConfigError: an input that does not exist or matches nothing; the nearest name is named.
        DependencyError: a protocol needs a package that is not installed.
    """
    search = _Search(limits or ArchiveLimits())
    for text in inputs:
        if text.startswith("@"):
            search.add_list(text[1:])
        elif not search.add(text):
            raise ConfigError(_nothing(text))
    return search.listing()


class _Search:
    """Gathers files from all inputs; archives are opened once, at the end."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._files: dict[str, FoundFile] = {}
        self._archives: dict[str, FoundFile] = {}
        self._ignored: Counter[str] = Counter()

    def add(self, text: str) -> bool:
        """One input; False where there is nothing.

        Raises:
            ConfigError: an object store cannot be reached.
        """
        if not is_remote(text):
            return self._add_local(text)
        try:
            return self._add_remote(text)
        except DataError as err:
            raise ConfigError(f"{text}: {err}") from err

    def add_list(self, place: str) -> None:
        """The lines of a list; what is missing becomes a refused source.

        Raises:
            ConfigError: the list itself cannot be read.
        """
        place = place if is_remote(place) else os.path.abspath(to_path(place))
        above = place.rpartition("/")[0]
        for line in _lines(place):
            remote = is_remote(line) or line.lower().startswith("file://")
            address = line if remote or line.startswith("/") else f"{above}/{line}"
            try:
                message = "" if self.add(address) else "listed, but there is no such file"
            except ConfigError as err:
                message = sanitize(str(err))
            if message:
                name = line.rstrip("/").rpartition("/")[2]
                uri = sanitize(to_uri(address))
                self._add_file(FoundFile(uri, name, refusal=Reason.MISSING, message=message))

    def listing(self) -> Listing:
        """All that was gathered, archives opened."""
        sources = [self._source(entry) for entry in self._files.values()]
        for uri in sorted(self._archives):
            sources += self._members(self._archives[uri])
        sources.sort(key=lambda source: (source.name, source.member, source.uri))
        return Listing(tuple(sources), dict(sorted(self._ignored.items())))

    def _add_local(self, text: str) -> bool:
        if not text.strip():
            return False
        path = os.path.abspath(to_path(text))
        if os.path.isdir(path):
            self._add_all(folder.walk(path))
        elif os.path.lexists(path):
            for entry in folder.file(path, path.rpartition("/")[2], named=True):
                self._add_named(entry)
        elif glob.has_magic(path):
            matches = list(folder.match(path))
            self._add_all(matches)
            return bool(matches)
        else:
            return False
        return True

    def _add_remote(self, text: str) -> bool:
        from . import bucket

        entry = bucket.look(text)
        if isinstance(entry, FoundFile):
            self._add_named(entry)
            return True
        files = entry or (bucket.match(text) if glob.has_magic(text) else [])
        unknown = [file for file in files if not named_document(file.name)]
        for file in files:
            if named_document(file.name):
                self._add_file(file)
        for file, head in bucket.heads(unknown):
            self._add_by_head(file, head)
        return bool(files)

    def _add_named(self, entry: FoundFile) -> None:
        """A file that the user named: a document, unless it is an archive."""
        archive = not entry.refusal and not named_document(entry.name)
        if archive and named_archive(entry.name):
            self._add_by_head(entry, _head(entry))
        elif archive and is_archive(entry.uri, self._limits):
            self._keep(self._archives, entry)
        else:
            self._add_file(entry)

    def _add_all(self, files: Iterable[FoundFile]) -> None:
        for entry in files:
            if entry.refusal or named_document(entry.name):
                self._add_file(entry)
            else:
                self._add_by_head(entry, _head(entry))

    def _add_by_head(self, entry: FoundFile, head: bytes | DataError) -> None:
        if isinstance(head, DataError):
            self._add_file(entry._replace(refusal=head.reason, message=str(head)))
        elif named_archive(entry.name) and not starts_document(head):
            self._keep(self._archives, entry)
        elif is_document(head):
            self._add_file(entry)
        else:
            self._ignored[suffix_of(sanitize(entry.name))] += 1

    def _add_file(self, entry: FoundFile) -> None:
        self._keep(self._files, entry)

    def _keep(self, kept: dict[str, FoundFile], entry: FoundFile) -> None:
        """Inputs may overlap: of two names for one file the smaller, whatever the order."""
        before = kept.get(entry.uri)
        if before is None or entry.name < before.name:
            kept[entry.uri] = entry

    def _source(self, entry: FoundFile) -> Source:
        refusal, message = entry.refusal, entry.message
        if not refusal:
            refusal, message = too_large(entry.size, self._limits)
        name = sanitize(entry.name)
        return Source(name, entry.uri, "", entry.size, entry.version, refusal, message)

    def _members(self, archive: FoundFile) -> list[Source]:
        contents = list_archive(archive.uri, self._limits)
        name = sanitize(archive.name)
        self._ignored.update(contents.ignored)
        sources = [
            Source(
                name,
                archive.uri,
                member.name,
                member.size,
                f"{archive.version}@{member.token}",
                member.refusal,
                member.message,
                member.locator,
            )
            for member in contents.members
        ]
        if contents.refusal:
            refused = archive._replace(refusal=contents.refusal, message=contents.message)
            sources.append(self._source(refused))
        return sources


def _head(entry: FoundFile) -> bytes | DataError:
    try:
        with open_input(entry.uri) as file:
            return file.read(HEAD_BYTES)
    except DataError as err:
        return err


def _lines(place: str) -> list[str]:
    """The entries of a list: comments and blank lines dropped."""
    try:
        with open_input(place) as file:
            parts: list[bytes] = []
            while part := file.read(1 << 20):
                parts.append(part)
    except DataError as err:
        raise ConfigError(f"cannot read the list {sanitize(place)}: {err}") from err
    text = b"".join(parts).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    lines = (line.strip() for line in text.replace("\r", "\n").split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _nothing(text: str) -> str:
    if is_remote(text):
        from . import bucket

        names = bucket.siblings(text)
        near = folder.most_like(text, names)
    else:
        path = os.path.abspath(to_path(text))
        near = "" if glob.has_magic(text) or not text.strip() else folder.nearest(path)
    what = "matches nothing" if glob.has_magic(text) else "does not exist"
    hint = f"; the nearest is {sanitize(near)!r}" if near else ""
    return f"the input {sanitize(text)!r} {what}{hint}"
