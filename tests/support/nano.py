"""A nano model on disk and as a reader, and the cases that most tests of evaluation ask."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def nano_folder(tmp_path_factory):
    """A nano model whose random weights are large, so that its answers depend on what it is asked,
    and the processor of these tests.
    """
    import torch
    from pagemill.model.create import create
    from support.corpora import small_processor

    out = tmp_path_factory.mktemp("nano") / "nano"
    model = create("nano", out, query_num=8)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4 if weight.ndim > 1 else 1)
    model.save_pretrained(out)
    small_processor().save_pretrained(out)
    return out


@pytest.fixture(scope="session")
def nano_reader(nano_folder):
    """The nano model as a reader."""
    from pagemill.model.load import load_reader

    return load_reader(nano_folder)


@pytest.fixture(scope="module")
def cases(corpora, processor):
    """Eight pages of the two corpora with what is asked of them."""
    from pagemill.train.evaluate import open_cases
    from support.readers import CONFIG

    return open_cases(CONFIG, processor, corpora)
