"""What is drawn depends on the plan alone, and changes nothing else."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pagemill.corruption import Level, corrupt
from pagemill.corruption.effect.plan import EffectConfig
from pagemill.engine.errors import DataError
from support.corrupted import IMAGE, PAGE, plan, plans, scheduled
from support.generators import forbid


def digest(image: np.ndarray) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def test_another_process_gives_the_same_pixels():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import hashlib\n"
        "from typeset import PROSE, typeset\n"
        "from pagemill.corruption import Schedule, corrupt, plan_page\n"
        "image, page = typeset(PROSE, blocks=(4, 8))\n"
        "for epoch in (3, 1, 2):\n"
        "    plan = plan_page(page, seed=1, epoch=epoch, schedule=Schedule())\n"
        "    print(epoch, hashlib.sha256(corrupt(image, plan).tobytes()).hexdigest())\n"
    )
    folder = str(Path(__file__).parents[1] / "support")
    answer = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
    )
    digests = dict(line.split() for line in answer.stdout.splitlines())
    for epoch in (1, 2, 3):
        assert digests[str(epoch)] == digest(corrupt(IMAGE, plan(epoch=epoch)))


def test_no_global_generator_is_touched(monkeypatch):
    forbid(monkeypatch)
    aged = scheduled(effect=EffectConfig(share=1.0))
    for epoch in range(4):
        corrupt(IMAGE, plan(epoch=epoch))
        corrupt(IMAGE, plan(epoch=epoch, schedule=aged))
    with pytest.raises(AssertionError, match="global generator"):
        np.random.rand()


def test_only_covers_change():
    for planned in plans(10):
        same = np.ones(IMAGE.shape, bool)
        for region in planned.regions:
            x0, y0, x1, y1 = region.cover
            if region.level is not Level.CLEAN:
                same[y0:y1, x0:x1] = False
        out = corrupt(IMAGE, planned)
        assert np.array_equal(out[same], IMAGE[same])


def test_colour_pages_keep_their_shape():
    rgb = cv2.cvtColor(IMAGE, cv2.COLOR_GRAY2RGB)
    for epoch in range(6):
        out = corrupt(rgb, plan(epoch=epoch))
        assert out.shape == rgb.shape
        assert out.dtype == np.uint8


def test_plan_and_image_of_different_sizes_are_refused_with_both():
    with pytest.raises(DataError, match=rf"{PAGE.width} x {PAGE.height} px.*900 x {PAGE.height}"):
        corrupt(IMAGE[:, :900], plan())


def test_plan_and_image_of_different_pages_are_refused_with_both():
    with pytest.raises(DataError, match=rf"page {PAGE.key}, the image of page other"):
        corrupt(IMAGE, plan(), key="other")
    assert corrupt(IMAGE, plan(), key=PAGE.key) is not None


@pytest.mark.parametrize("image", [IMAGE.astype(np.float32), IMAGE[..., None], IMAGE[None]])
def test_images_of_another_kind_are_refused(image):
    with pytest.raises(DataError, match="corrupt takes uint8"):
        corrupt(image, plan())
