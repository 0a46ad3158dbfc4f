"""What a file is, by its suffix and by its first bytes: a document, an archive, or neither."""

from __future__ import annotations

import posixpath

HEAD_BYTES = 1024
"""As far as a PDF may hide its `%PDF-`."""

DOCUMENT_SUFFIXES = frozenset(
    {".pdf", ".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".bmp"}
)
ARCHIVE_SUFFIXES = (
    ".zip",
    ".tar",
    *(".tar.gz", ".tgz"),
    *(".tar.bz2", ".tbz2", ".tbz"),
    *(".tar.xz", ".txz"),
    *(".tar.zst", ".tzst"),
)
_PACKED_DOCUMENTS = frozenset(
    {".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".jar", ".apk", ".whl", ".cbz"}
)
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_ARCHIVES = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)


def suffix_of(name: str) -> str:
    """The lower-case suffix with its dot, or "" (also for `.DS_Store`)."""
    return posixpath.splitext(name.rpartition("/")[2])[1].lower()


def named_document(name: str) -> bool:
    """Whether the name alone says document. macOS resource forks (`._a.pdf`) do not count."""
    return suffix_of(name) in DOCUMENT_SUFFIXES and not name.rpartition("/")[2].startswith("._")


def named_archive(name: str) -> bool:
    """Whether the name alone says archive."""
    base = name.rpartition("/")[2].lower()
    return base.endswith(ARCHIVE_SUFFIXES) and not base.startswith("._")


def is_document(head: bytes) -> bool:
    """Whether the first bytes are those of a PDF or of an image that can be read.

    A PDF may begin with up to 1 KiB of something else, but not with an archive that holds it.
    """
    pdf = b"%PDF-" in head[:HEAD_BYTES] and not archive_kind(head)
    return pdf or starts_document(head)


def starts_document(head: bytes) -> bool:
    """Whether the very first bytes are those of a PDF or of an image that can be read."""
    if head.startswith((b"%PDF-", *_IMAGES)) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return True
    return (
        head[:2] == b"BM"
        and head[6:10] == b"\0\0\0\0"
        and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    )


def archive_kind(head: bytes) -> str:
    """`zip`, `gz`, `bz2`, `xz`, `zst` or `tar` by the first bytes; "" for none of them.

    A compressed stream need not hold a tar, and tars older than POSIX have no mark at all.
    """
    for magic, kind in _ARCHIVES:
        if head.startswith(magic):
            return kind
    return "tar" if head[257:262] == b"ustar" else ""


def packs_documents(name: str) -> bool:
    """Whether the name is that of an office file or package that is a zip inside."""
    return suffix_of(name) in _PACKED_DOCUMENTS
