"""Pictures of few pixels with known values, in files and arrays."""

from __future__ import annotations

import io

import numpy as np
import pytest
from pagemill.engine.errors import DataError
from pagemill.model.picture import as_picture, size_of
from PIL import Image

RNG = np.random.Generator(np.random.Philox(11))

GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)

COLOUR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **settings) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def check(source, mode: str, expected: np.ndarray, tolerance: int = 0) -> None:
    """Mode and pixels, and the size without them."""
    found = as_picture(source)
    assert found.mode == mode
    values = np.asarray(found).astype(int)
    assert values.shape == expected.shape
    assert abs(values - expected.astype(int)).max() <= tolerance
    assert size_of(source) == found.size == (expected.shape[1], expected.shape[0])


def refused(source, *words: str, name: str = "page.png", reason: str | None = None, **settings):
    """It is refused by both ways in, each message naming the file and the cause."""
    for ask in (as_picture, size_of):
        with pytest.raises(DataError) as caught:
            ask(source, name=name, **settings)
        message = str(caught.value)
        assert message.startswith(name)
        assert all(word in message for word in words), message
        if reason is not None:
            assert caught.value.reason == reason
