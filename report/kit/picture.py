"""Pictures inside the page, as data URIs."""

from __future__ import annotations

import base64


def data_uri(image: bytes) -> str:
    """An encoded image (JPEG, PNG or WebP) as a data URI."""
    kind = "webp" if image[8:12] == b"WEBP" else "png" if image[:1] == b"\x89" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"
