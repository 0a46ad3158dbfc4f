"""Global random generators that raise when they are used."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch the drawing functions of `random`, NumPy and OpenCV, and torch's where it is there."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a global generator was used")

    for name in ("random", "randint", "uniform", "choice", "gauss", "shuffle", "getrandbits"):
        monkeypatch.setattr(random, name, refuse)
    for name in ("rand", "randn", "randint", "random", "normal", "uniform", "choice", "shuffle"):
        monkeypatch.setattr(np.random, name, refuse)
    for name in ("randn", "randu", "randShuffle", "setRNGSeed"):
        monkeypatch.setattr(cv2, name, refuse)
    try:
        import torch
    except ImportError:
        return
    for name in ("rand", "randn", "randint", "randperm", "manual_seed", "normal"):
        monkeypatch.setattr(torch, name, refuse)
