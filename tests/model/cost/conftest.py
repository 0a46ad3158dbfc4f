"""Models on the meta device."""

from __future__ import annotations

import pytest
from pagemill.model import PagemillForConditionalGeneration
from support.cost import (
    built,
)


@pytest.fixture(scope="module", params=["resampler3d", "shuffle_mlp"])
def model(request) -> PagemillForConditionalGeneration:
    return built(request.param)
