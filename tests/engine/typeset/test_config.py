"""The settings of `pagemill typeset`."""

from __future__ import annotations

import pytest
from pagemill.engine.config import describe, load
from pagemill.engine.errors import ConfigError
from pagemill.engine.typeset.config import TypesetConfig


def test_every_setting_says_what_it_means():
    assert all(meaning for _, _, meaning in describe(TypesetConfig))
    config = load(TypesetConfig, None, ["kind.line=0.5", "look.min_dpi=90"])
    assert (config.kind.line, config.look.min_dpi) == (0.5, 90.0)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("kind.line=-1", "kind.line is -1"),
        ("kind.lines=1", "nearest is 'kind.line'"),
        ("text.english=2", "at most 1"),
        ("text.words=0.95", "together at most 1"),
        ("look.min_dpi=20", "72 to 300"),
        ("look.min_x_height_px=50", "lower one first"),
        ("shard_pages=0", "shard_pages is 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(override, message):
    with pytest.raises(ConfigError, match=message):
        load(TypesetConfig, None, [override])
