"""PDFs written by hand, so that a test sees every box and key that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Sheet:
    """One page: text at points of user space (y up), boxes as PDF writes them."""

    media: tuple[float, ...] | None = (0, 0, 400, 500)
    text: list[tuple[float, float, float, str]] = field(default_factory=list)
    """x, y of the baseline, size, text."""
    keys: dict[str, str] = field(default_factory=dict)
    content: str = ""
    """Operators before the text."""

    def stream(self) -> bytes:
        lines = [self.content]
        for x, y, size, text in self.text:
            escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            lines.append(f"BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET")
        return "\n".join(lines).encode("latin-1")


def write_pdf(path: Path, sheets: Sequence[Sheet], *, tree_keys: str = "", fonts: str = "") -> Path:
    """A PDF of the sheets, with Helvetica as /F1; `tree_keys` go into the page tree's root."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(sheets)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(sheets)} {tree_keys} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, sheet in enumerate(sheets):
        keys = dict(sheet.keys)
        if sheet.media is not None:
            keys["MediaBox"] = "[" + " ".join(map(str, sheet.media)) + "]"
        entries = " ".join(f"/{name} {value}" for name, value in keys.items())
        objects.append(
            f"<< /Type /Page /Parent 2 0 R {entries} /Contents {5 + 2 * number} 0 R "
            f"/Resources << /Font << /F1 3 0 R {fonts} >> >> >>".encode()
        )
        stream = sheet.stream()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    data = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    path.write_bytes(bytes(data))
    return path
