"""Why a document or page is not in a shard: the closed list that the ledger speaks."""

from __future__ import annotations

import difflib
from enum import StrEnum

from .errors import ConfigError


class Reason(StrEnum):
    """One word each. `explain` prints the meaning beside it."""

    # found, but not readable as a document
    NOT_A_DOCUMENT = "not_a_document"
    EMPTY_FILE = "empty_file"
    MISSING = "missing"
    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    ZERO_PAGES = "zero_pages"
    DOCUMENT_TOO_LARGE = "document_too_large"
    # archives
    ARCHIVE_BROKEN = "archive_broken"
    ARCHIVE_ENCRYPTED = "archive_encrypted"
    ARCHIVE_NESTED = "archive_nested"
    ARCHIVE_UNSAFE_NAME = "archive_unsafe_name"
    ARCHIVE_LINK = "archive_link"
    ARCHIVE_BOMB = "archive_bomb"
    ARCHIVE_SIZE_LIE = "archive_size_lie"
    # reading
    TIMEOUT = "timeout"
    DOCUMENT_TIMEOUT = "document_timeout"
    CRASH = "crash"
    MEMORY = "memory"
    RENDER_ERROR = "render_error"
    TOO_MANY_PIXELS = "too_many_pixels"
    WORKER_LOST = "worker_lost"
    INTERNAL_ERROR = "internal_error"
    # rejected on purpose
    DUPLICATE_DOCUMENT = "duplicate_document"
    DOCUMENT_PAGES = "document_pages"
    BLANK = "blank"
    PAGE_SIZE = "page_size"
    TEXT_GARBLED = "text_garbled"
    TEXT_MISALIGNED = "text_misaligned"
    TEXT_HIDDEN = "text_hidden"
    TEXT_PARTIAL = "text_partial"
    TEXT_NONE = "text_none"
    LANGUAGE = "language"
    TOO_FEW_WORDS = "too_few_words"
    TOO_MANY_WORDS = "too_many_words"

    @property
    def meaning(self) -> str:
        """One sentence for people: what it is, and what they can do."""
        return _MEANING[self]

    @classmethod
    def parse(cls, name: str) -> Reason:
        """The reason of that name.

        Raises:
            ConfigError: there is none; the nearest is named.
        """
        names = [str(reason) for reason in cls]
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
            raise ConfigError(f"there is no reason {name!r}; the nearest is {near!r}")
        return cls(name)


_MEANING = {
    Reason.NOT_A_DOCUMENT: "The file is neither a PDF nor an image that can be decoded.",
    Reason.EMPTY_FILE: "The file has no bytes.",
    Reason.MISSING: "The file could not be fetched: check that it exists and may be read.",
    Reason.BROKEN: "No backend could open the file, not even after repair.",
    Reason.ENCRYPTED: "The file needs a password: give it with --passwords, then `pagemill retry`.",
    Reason.ZERO_PAGES: "The file opens, but has no pages.",
    Reason.DOCUMENT_TOO_LARGE: "The file is larger than limits.document_bytes.",
    Reason.ARCHIVE_BROKEN: "The archive is damaged at or before this member.",
    Reason.ARCHIVE_ENCRYPTED: "The archive member is encrypted.",
    Reason.ARCHIVE_NESTED: "An archive inside an archive is not opened: unpack it once yourself.",
    Reason.ARCHIVE_UNSAFE_NAME: "The member's name is absolute or leaves its folder by `..`.",
    Reason.ARCHIVE_LINK: "The member is a link or a device, not a file.",
    Reason.ARCHIVE_BOMB: "The archive unpacks to more than limits.archive_ratio or archive_bytes.",
    Reason.ARCHIVE_SIZE_LIE: "The member does not have the size that the archive claims.",
    Reason.TIMEOUT: "The page passed limits.page_deadline_s on every backend and was stopped.",
    Reason.DOCUMENT_TIMEOUT: "The document passed limits.document_deadline_s before this page.",
    Reason.CRASH: "The page kills every backend that tries it.",
    Reason.MEMORY: "The page needs more than limits.memory_bytes.",
    Reason.RENDER_ERROR: "Every backend refused to render or read the page.",
    Reason.TOO_MANY_PIXELS: "At this dpi the page would have more than limits.page_pixels.",
    Reason.WORKER_LOST: "The machine that read the document was lost, more than once.",
    Reason.INTERNAL_ERROR: (
        "An error inside Pagemill, to be reported with its message; `pagemill retry` tries again."
    ),
    Reason.DUPLICATE_DOCUMENT: "Another input has the same bytes and is in the corpus.",
    Reason.DOCUMENT_PAGES: "The document's page count is outside filter.min/max_document_pages.",
    Reason.BLANK: "The page has next to no ink.",
    Reason.PAGE_SIZE: "The page is smaller or larger than the filter allows.",
    Reason.TEXT_GARBLED: "The text layer says other characters than the page shows.",
    Reason.TEXT_MISALIGNED: "The text layer's boxes do not lie on the page's ink.",
    Reason.TEXT_HIDDEN: "The text is an invisible layer over a scan, as OCR programs write it.",
    Reason.TEXT_PARTIAL: "The page shows text that the text layer lacks, or the reverse.",
    Reason.TEXT_NONE: "The page has no text layer.",
    Reason.LANGUAGE: "The page's language is not in filter.languages.",
    Reason.TOO_FEW_WORDS: "The page has fewer words than filter.min_words.",
    Reason.TOO_MANY_WORDS: "The page has more words than filter.max_words.",
}
