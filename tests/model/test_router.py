"""The router: one decision a package, whatever shares the call."""

from __future__ import annotations

import pytest
import torch
from pagemill.model.router import Router
from pagemill.model.slicing import FULL, QUARTER

SIZES = [(4, 6), (3, 3), (4, 6), (2, 5), (1, 9)]


@pytest.fixture(scope="module")
def router() -> Router:
    torch.manual_seed(0)
    return Router(48).eval()


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    return 3 * torch.randn(
        sum(h * w for h, w in SIZES), 48, generator=torch.Generator().manual_seed(1)
    )


def test_a_slice_alone_and_in_company_gets_the_same_logits(router, features):
    together = router(features, SIZES)
    assert together.shape == (5, 2)
    parts = features.split([h * w for h, w in SIZES])
    alone = torch.cat([router(part, [size]) for part, size in zip(parts, SIZES, strict=True)])
    assert torch.allclose(together, alone, atol=1e-5)
    shuffled = [3, 0, 4, 2, 1]
    other = router(torch.cat([parts[n] for n in shuffled]), [SIZES[n] for n in shuffled])
    assert torch.allclose(other, together[shuffled], atol=1e-5)


def test_frames_of_a_package_share_a_decision(router, features):
    assert router(features, SIZES, [[0, 1], [-1], [2, 3]]).shape == (3, 2)


def test_the_threshold_is_absolute(router):
    logits = torch.tensor([[0.0, 2.0], [0.0, 0.0], [2.0, 0.0]])
    assert router.rates(logits, 0.5) == [QUARTER, QUARTER, FULL]
    assert router.rates(logits, 0.9) == [FULL, FULL, FULL]
    assert router.rates(logits[2:], 0.1) == router.rates(logits, 0.1)[2:] == [QUARTER]


def test_gradients_reach_every_parameter(router, features):
    router.zero_grad()
    torch.nn.functional.cross_entropy(
        router(features, SIZES), torch.tensor([0, 1, 0, 1, 1])
    ).backward()
    assert all(parameter.grad is not None for parameter in router.parameters())
    assert router.query.grad.abs().sum() > 0
