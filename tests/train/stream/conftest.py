"""What the first steps of a stream are, for tests that compare with them."""

from __future__ import annotations

import pytest
from support.streams import STEPS, stream, walk


@pytest.fixture(scope="module")
def expected(corpora, processor) -> list[list[str]]:
    return walk(stream(corpora, processor), STEPS)
