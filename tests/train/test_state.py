"""How far a run is."""

from __future__ import annotations

import orjson
from pagemill.train.state import RunState


def test_what_a_checkpoint_says_is_of_its_own_step():
    """The state is written in the background, while the next steps go on counting."""
    now = RunState(step=4, summary={"levels": {"light": {"cer": {"value": 0.5}}}})
    state = now.to_dict()
    now.level_sums[0][0] += 9.5
    now.level_sums[1][1] += 3
    now.summary["levels"].clear()
    assert state["level_sums"] == [[0.0, 0.0]] * 4
    assert state["summary"]["levels"]
    assert RunState.from_dict(orjson.loads(orjson.dumps(state))).level_sums[0] == [0.0, 0.0]
