"""What an archive may hold: limits, safe names, and the members that become documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..errors import ConfigError, DataError
from ..reason import Reason
from ..text import sanitize
from .sniff import is_document, named_archive, named_document, suffix_of

FREE_BYTES = 10_000_000
"""Below this an unpacked size is harmless, whatever its ratio."""

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    document_bytes: int = 4 * 1024**3
    """Largest document that is read, bytes."""
    archive_ratio: float = 200.0
    """Largest unpacked size as a multiple of the packed size, per member and per archive;
    not applied below 10 MB."""
    archive_bytes: int = 1024**4
    """Largest total unpacked size of one archive, bytes."""
    archive_members: int = 2_000_000
    """Most members that are listed from one archive."""

    def __post_init__(self) -> None:
        for name in ("document_bytes", "archive_ratio", "archive_bytes", "archive_members"):
            value = getattr(self, name)
            if not value >= 1:
                raise ConfigError(f"limits.{name} is {value}; it must be at least 1")


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One document inside an archive, or what is refused in its place."""

    name: str
    """As in the archive, unique: the second `a.pdf` is `a.pdf#2`."""
    size: int
    """Unpacked, as the archive claims."""
    locator: str
    """How to reach its bytes: `zip …`, `tar …` or `spool …`."""
    token: str
    """Changes with the member's content or place."""
    refusal: str = ""
    message: str = ""


class Contents:
    """The documents of one archive, gathered member by member, in the archive's order."""

    def __init__(self, limits: ArchiveLimits, packed_bytes: int = -1) -> None:
        self.members: list[ArchiveMember] = []
        self.ignored: Counter[str] = Counter()
        self.refusal = ""
        """Why the archive, or the rest of it, was not listed."""
        self.message = ""
        self.limits = limits
        self._packed_bytes = packed_bytes
        self._total_bytes = 0
        self._count = 0
        self._names: dict[str, int] = {}

    def admit(
        self,
        name: str,
        size: int,
        *,
        locator: str,
        token: str,
        head: Callable[[], bytes],
        packed: int = -1,
        obstacle: tuple[str, str] = ("", ""),
    ) -> ArchiveMember | None:
        """The next member, judged; None where it is neither a document nor dangerous.

        Args:
            name: raw, with surrogates for bytes that are not UTF-8.
            size: unpacked bytes, claimed.
            locator: see `ArchiveMember`.
            token: see `ArchiveMember`.
            head: its first bytes; called only where the name does not tell.
            packed: packed bytes, where each member has its own.
            obstacle: reason and message of what the archive's format says against it.

        Raises:
            DataError: `archive_bomb`, the archive has too many members.
        """
        self._count_one()
        refusal, message = _objection(name)
        if not refusal:
            refusal, message = obstacle
        if not refusal:
            try:
                if not named_document(name) and not is_document(head()):
                    self.ignored[suffix_of(sanitize(name))] += 1
                    return None
                refusal, message = self._size_objection(size, packed)
            except DataError as err:
                refusal, message = err.reason, str(err)
        unique = self._unique(sanitize(name.removeprefix("./")))
        member = ArchiveMember(unique, size, locator, token, refusal, sanitize(message))
        self.members.append(member)
        return member

    def refuse_last(self, err: DataError) -> None:
        """The newest member turned out to be unreadable."""
        self.members[-1] = replace(self.members[-1], refusal=err.reason, message=str(err))

    def give_up(self, err: DataError) -> None:
        """Record why the rest of the archive stays unread."""
        self.refusal = err.reason
        self.message = f"{str(err).rstrip('.')}; {len(self.members)} members before that are listed"

    def _size_objection(self, size: int, packed: int) -> tuple[str, str]:
        objection = too_large(size, self.limits)
        if objection[0]:
            return objection
        if packed >= 0 and inflated(size, packed, self.limits):
            return Reason.ARCHIVE_BOMB, bomb_message(size, packed, self.limits)
        total = self._total_bytes + size
        if total > self.limits.archive_bytes:
            return (
                Reason.ARCHIVE_BOMB,
                f"with this member the archive unpacks to {total} bytes, more than "
                f"limits.archive_bytes = {self.limits.archive_bytes}; raise it if you trust it",
            )
        if self._packed_bytes >= 0 and inflated(total, self._packed_bytes, self.limits):
            return Reason.ARCHIVE_BOMB, bomb_message(total, self._packed_bytes, self.limits)
        self._total_bytes = total
        return "", ""

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self.limits.archive_members:
            raise DataError(
                f"more than limits.archive_members = {self.limits.archive_members} members; "
                "raise it if you trust the archive",
                reason=Reason.ARCHIVE_BOMB,
            )

    def _unique(self, name: str) -> str:
        if name not in self._names:
            self._names[name] = 1
            return name
        number = self._names[name] + 1
        while (candidate := f"{name}#{number}") in self._names:
            number += 1
        self._names[name], self._names[candidate] = number, 1
        return candidate


def too_large(size: int, limits: ArchiveLimits) -> tuple[str, str]:
    """Reason and message if a document of this size is not read, else two empty strings."""
    if size <= limits.document_bytes:
        return "", ""
    return (
        Reason.DOCUMENT_TOO_LARGE,
        f"{size} bytes are more than limits.document_bytes = {limits.document_bytes}; "
        "raise it to read the document",
    )


def inflated(unpacked: int, packed: int, limits: ArchiveLimits) -> bool:
    """Whether so many bytes from so few is what a bomb does."""
    return unpacked > FREE_BYTES and unpacked > limits.archive_ratio * max(packed, 1)


def bomb_message(unpacked: int, packed: int, limits: ArchiveLimits) -> str:
    """What to say of a bomb."""
    return (
        f"{packed} bytes unpack to {unpacked} or more, beyond limits.archive_ratio = "
        f"{limits.archive_ratio:g}; raise it if you trust the archive"
    )


def _objection(name: str) -> tuple[str, str]:
    """Reason and message against a member's name, or two empty strings."""
    unsafe = ""
    if not name or name.endswith("/"):
        unsafe = "has no file name"
    elif name.startswith("/") or _DRIVE.match(name):
        unsafe = "is absolute"
    elif "\\" in name:
        unsafe = "has backslashes"
    elif "\0" in name:
        unsafe = "has a NUL byte"
    elif ".." in name.split("/"):
        unsafe = "leaves its folder by `..`"
    if unsafe:
        advice = "repack the archive with relative names and forward slashes"
        return Reason.ARCHIVE_UNSAFE_NAME, f"the member's name {unsafe}; {advice}"
    if named_archive(name):
        advice = "unpack it once and name the result as an input"
        return Reason.ARCHIVE_NESTED, f"an archive inside an archive is not opened; {advice}"
    return "", ""
