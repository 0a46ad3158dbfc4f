"""How right an answer is: one definition of each metric, and how sure a figure over many is.

In come what was read and what stands there; a metric gives the `Score` of one item, a part of a
whole, and `estimate` the figure over all of them with its interval. In reading order:

- `text`      error rates of characters and words, exact match, Jaccard; what counts as the same
- `field`     ANLS of single answers, F1 of named fields
- `table`     TEDS of HTML tables
- `interval`  sum of parts over sum of wholes, bootstrap and exact intervals

A new metric is a function in one of the first three, and a line in `METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .field import anls, field_f1
from .table import teds
from .text import Score, character_edits, exact_match, jaccard, word_edits

__all__ = ["METRICS", "Score"]

METRICS: dict[str, Callable[[Any, Any], Score]] = {
    "cer": character_edits,
    "wer": word_edits,
    "exact": exact_match,
    "jaccard": jaccard,
    "anls": anls,
    "field_f1": field_f1,
    "teds": teds,
}
"""Name to the score of one item; the arguments are what was read and the target."""
