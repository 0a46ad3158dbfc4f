"""What a file is by its bytes, before a backend sees it: names and extensions are not asked."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import PdfError
from ...reason import Reason

_MARKS = re.compile(rb"%PDF-?\d?|\d+\s+\d+\s+obj\b|\bstartxref\b|\bendobj\b")
_PROBE_BYTES = 1 << 20


def check_readable(path: Path) -> None:
    """Refuse a file that is not there or has no bytes.

    Raises:
        PdfError: reason `missing` or `empty_file`.
    """
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as err:
        raise PdfError(f"cannot read {path}: {err.strerror}", reason=Reason.MISSING) from err
    if empty:
        raise PdfError(f"{path} has no bytes", reason=Reason.EMPTY_FILE)


def has_pdf_marks(path: Path) -> bool:
    """Whether the first or last MiB holds a word of PDF syntax: damaged PDFs do, others not."""
    with path.open("rb") as stream:
        if _MARKS.search(stream.read(_PROBE_BYTES)):
            return True
        size = path.stat().st_size
        stream.seek(max(_PROBE_BYTES, size - _PROBE_BYTES))
        return _MARKS.search(stream.read(_PROBE_BYTES)) is not None


def refused(path: Path, backend: str, err: object) -> PdfError:
    """The error for a file that a backend cannot open: `broken`, or `not_a_document`."""
    if has_pdf_marks(path):
        return PdfError(f"{backend} cannot open {path}: {err}", reason=Reason.BROKEN)
    return PdfError(f"{path} is not a PDF: {err}", reason=Reason.NOT_A_DOCUMENT)
