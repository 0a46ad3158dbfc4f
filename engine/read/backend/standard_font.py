"""Fonts that a page names and does not carry, where this machine has none of their widths.

Poppler draws the 14 standard fonts with what fontconfig offers. Without a font made for their
widths (Debian: fonts-urw-base35) that is any sans serif, and letters overlap or stand apart.
"""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

from .program import run

PACKAGE = "fonts-urw-base35"
_DEADLINE_S = 30.0
_LIMIT_BYTES = 1 << 20
_SAME_WIDTHS = re.compile("Nimbus|Helvetica|Heros|Arimo|Arial|Liberation|FreeSans", re.IGNORECASE)
_STANDARD = re.compile("Helvetica|Arial|Times|Courier|Symbol|ZapfDingbats", re.IGNORECASE)
_ROW = re.compile(
    r"^(\S+) .* (yes|no) +(?:yes|no) +(?:yes|no) +(?:\d+ +\d+|\[none\])\s*$", re.MULTILINE
)
"""Of `pdffonts`: name, type, encoding, embedded, subset, Unicode map, object."""


@cache
def substitute() -> str:
    """The family that stands in for Helvetica; "" where its widths are right or unknown."""
    if shutil.which("fc-match") is None:
        return ""
    command = ["fc-match", "-f", "%{family}", "Helvetica"]
    family = run(command, deadline_s=_DEADLINE_S, limit_bytes=_LIMIT_BYTES).output.decode(
        "utf-8", "replace"
    )
    return "" if _SAME_WIDTHS.search(family) else family


def standard_font_warnings(path: Path, page_index: int, access: list[str]) -> list[str]:
    """One warning for each standard font that the page names and this machine has to replace.

    Costs a process a page, and nothing where the fonts are installed.

    Args:
        path: the PDF.
        page_index: 0-based.
        access: options that give poppler's programs the password.
    """
    family = substitute()
    if not family:
        return []
    page = str(page_index + 1)
    command = ["pdffonts", "-f", page, "-l", page, *access, str(path)]
    table = run(command, deadline_s=_DEADLINE_S, limit_bytes=_LIMIT_BYTES).output
    return [
        f"the font {name} is neither in the file nor installed, and drawn as {family}: "
        f"apt install {PACKAGE}"
        for name, embedded in _ROW.findall(table.decode("utf-8", "replace"))
        if embedded == "no" and _STANDARD.search(name)
    ]
