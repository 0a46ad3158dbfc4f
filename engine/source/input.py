"""A file opened for reading, wherever it lies."""

from __future__ import annotations

import os
import stat

from ..errors import DataError
from ..reason import Reason
from .bucket import open_remote
from .location import InputFile, is_remote, to_path, unreadable, version_of


def open_input(uri: str, *, ahead: bool = False) -> InputFile:
    """A file for reading, wherever it is.

    Args:
        uri: a local path or a URI, as `FoundFile.uri`.
        ahead: a remote file will be read mostly from front to back.

    Raises:
        DataError: `missing`, or `not_a_document` for what is not a regular file.
        DependencyError: the protocol needs a package that is not installed.
    """
    if is_remote(uri):
        return open_remote(uri, ahead=ahead)
    path = to_path(uri)
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except (OSError, ValueError) as err:
        raise unreadable(uri, err) from err
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise DataError(f"{uri} is not a regular file", reason=Reason.NOT_A_DOCUMENT)
    return InputFile(file, uri, status.st_size, version_of(status))
