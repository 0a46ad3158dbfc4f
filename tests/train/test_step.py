"""A step that is left out leaves no trace."""

from __future__ import annotations

import torch
from support.steps import backend_with_batches, copied_pieces, take_step
from support.trained import same


def test_a_step_that_is_left_out_leaves_everything_as_it_was(corpora):
    backend, batches = backend_with_batches(corpora[0])
    model = backend.model
    first = take_step(backend, batches[0])
    assert not first.fault
    assert not first.worst_samples
    before = copied_pieces(backend)
    weights = {name: parameter.clone() for name, parameter in model.named_parameters()}
    seen: list[tuple[float, float]] = []
    skipped = take_step(backend, batches[1], fault="too steep", seen=seen)
    assert skipped.fault == "too steep"
    assert seen == [(skipped.loss, skipped.grad_norm)]
    assert 1 <= len(skipped.worst_samples) <= 3
    assert set(skipped.worst_samples) <= {key for part in batches[1] for key in part.keys}
    assert same(before, copied_pieces(backend))
    assert all(torch.equal(one, weights[name]) for name, one in model.named_parameters())
    assert all(parameter.grad is None for parameter in model.parameters())
    counts = {float(state["step"]) for state in backend.optimizer.state.values()}
    assert counts == {1.0}
    # The next step has no gradient left of the one before it.
    again = take_step(backend, batches[1], fault="x")
    assert (again.loss, again.grad_norm) == (skipped.loss, skipped.grad_norm)
