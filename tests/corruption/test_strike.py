"""An exact share of the characters is struck."""

from __future__ import annotations

import numpy as np
from pagemill.corruption import Mixture
from pagemill.corruption.region import RegionConfig
from pagemill.corruption.severity import share_of
from support.corrupted import PAGE, plan, scheduled


def test_moderate_strikes_its_share_of_the_characters():
    only = scheduled(
        mixture=Mixture(clean=0, light=0, moderate=1, heavy=0),
        region=RegionConfig(word=0, run=0, block=0, share=1.0),
    )
    shares = []
    for epoch in range(20):
        for region in plan(epoch=epoch, schedule=only).regions:
            share = share_of(region.severity)
            width = sum(
                PAGE.layer.words[index].box[2] - PAGE.layer.words[index].box[0]
                for index in range(*region.words)
            )
            struck = sum(x1 - x0 for x0, _, x1, _ in region.parameters["spans"])
            shares.append((struck / width, share))
    struck, planned = np.array(shares).T
    assert np.abs(struck - planned).max() < 0.15
    assert abs((struck - planned).mean()) < 0.03
