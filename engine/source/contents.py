"""What is inside an archive, whatever its format and wherever it lies."""

from __future__ import annotations

from ..errors import DataError
from .archive import ArchiveLimits, Contents
from .inflate import Inflated
from .input import open_input
from .location import InputFile
from .sniff import HEAD_BYTES, archive_kind, packs_documents
from .tar import PlainCursor, list_tar
from .zip import list_zip


def list_archive(uri: str, limits: ArchiveLimits) -> Contents:
    """The documents of an archive; a compressed tar is streamed once, all else is sought in.

    Never raises for the archive's sake: what is wrong with it is `Contents.refusal`.
    """
    try:
        with open_input(uri) as file:
            kind = archive_kind(_head(file))
            if kind == "zip" or (not kind and uri.lower().endswith(".zip")):
                contents = Contents(limits, file.size)
                list_zip(file, contents)
                return contents
        with open_input(uri, ahead=True) as file:
            if kind in ("", "tar"):
                contents = Contents(limits, file.size)
                list_tar(PlainCursor(file), contents, random_access=True)
            else:
                contents = Contents(limits)
                list_tar(Inflated(file, kind, limits), contents, random_access=False)
            return contents
    except DataError as err:
        contents = Contents(limits)
        contents.refusal, contents.message = err.reason, str(err)
        return contents


def is_archive(uri: str, limits: ArchiveLimits) -> bool:
    """Whether a file that the user named is an archive by its bytes, whatever it is called."""
    try:
        with open_input(uri) as file:
            kind = archive_kind(_head(file))
            if kind in ("zip", "tar", ""):
                return kind == "tar" or (kind == "zip" and not packs_documents(uri))
            file.seek(0)
            return archive_kind(Inflated(file, kind, limits).read(HEAD_BYTES)) == "tar"
    except DataError:
        return False  # not readable at all: its fate is told when it is fetched


def open_stream(file: InputFile, limits: ArchiveLimits) -> Inflated:
    """A compressed archive from its first byte on."""
    kind = archive_kind(_head(file))
    file.seek(0)
    return Inflated(file, kind, limits)


def _head(file: InputFile) -> bytes:
    return file.read(HEAD_BYTES)
