"""Settings of an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagemill.engine.config import describe, load
from pagemill.engine.errors import ConfigError
from pagemill.train.evaluate import (
    EvalConfig,
)

DOCS = Path(__file__).resolve().parents[3] / "docs" / "evaluate.md"


def test_settings_are_checked_and_told_in_the_guide():
    for wrong in ("batch=0", "most_new_tokens=7", "regions=-1", "regions=0\tread_pages=false"):
        with pytest.raises(ConfigError, match="the evaluation"):
            load(EvalConfig, None, wrong.split("\t"))
    guide = DOCS.read_text(encoding="utf-8")
    for name, _, meaning in describe(EvalConfig):
        assert meaning, name
        assert f"`{name}`" in guide, name
