"""The error tree. Every message says what was wrong, with which file or key, and what to do.

PagemillError
├── ConfigError(ValueError)          a value the user can change
├── DependencyError(ImportError)     an extra is missing: says which
├── DataError                        one page, sample or shard is bad; carries .key and .reason
│   ├── PdfError                     unreadable, encrypted, too large, timed out
│   └── ShardError                   truncated, wrong hash, unknown schema
├── CheckpointError                  missing, half-written, other fingerprint
└── TrainingError                    not finite, ranks disagree
"""

from __future__ import annotations

from .text import sanitize


class PagemillError(Exception):
    """Everything that Pagemill raises on purpose."""


class ConfigError(PagemillError, ValueError):
    """A value the user can change: the message names it and what is allowed."""


class DependencyError(PagemillError, ImportError):
    """A package or program is missing: the message names the extra or the Debian package."""


class DataError(PagemillError):
    """One document, page, sample or shard is bad.

    Args:
        message: what was wrong and what to do; made valid and bounded by `text.sanitize`, for it
            quotes what strangers wrote.
        key: the page key, document hash or shard name it is about.
        reason: one word of the ledger's closed list, snake_case.
    """

    def __init__(self, message: str, *, key: str = "", reason: str = "") -> None:
        super().__init__(sanitize(message))
        self.key = key
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), str(self), self.key, self.reason))


def _rebuild(kind: type[DataError], message: str, key: str, reason: str) -> DataError:
    return kind(message, key=key, reason=reason)


class PdfError(DataError):
    """A document or page that cannot be read: broken, encrypted, too large, timed out."""


class ShardError(DataError):
    """A shard or its index that cannot be believed: truncated, wrong hash, unknown schema."""


class CheckpointError(PagemillError):
    """A checkpoint that is missing, half-written or of another fingerprint."""


class TrainingError(PagemillError):
    """Training cannot go on: values are not finite, or ranks disagree."""
