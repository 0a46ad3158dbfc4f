"""How right the values of named fields are: likeness to accepted answers, and F1 of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .text import ANY_CASE, AS_IT_STANDS, Score, edit_share

ANLS_THRESHOLD = 0.5


def anls(read: str, targets: str | Sequence[str]) -> Score:
    """Likeness to the nearest accepted answer: 1 less edits over the longer text's length.

    Below `ANLS_THRESHOLD` it is 0. Case does not count here.

    Source: Scene Text VQA, arXiv 1905.13648, section 4.
    """
    accepted = [targets] if isinstance(targets, str) else targets
    likeness = max((1 - edit_share(read, target, ANY_CASE) for target in accepted), default=0.0)
    return Score(likeness if likeness > 1 - ANLS_THRESHOLD else 0.0, 1.0)


def field_f1(read: Mapping[str, str], target: Mapping[str, str]) -> Score:
    """Twice the right fields over fields read and fields wanted: summed, the micro F1.

    A field is right where both texts are the same as they stand; an empty one is missing.
    """
    values, expected = _filled(read), _filled(target)
    right = sum(values.get(name) == text for name, text in expected.items())
    return Score(2.0 * right, float(len(values) + len(expected)))


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    """Name to text of the fields that have one."""
    return {name: text for name, value in fields.items() if (text := AS_IT_STANDS(value))}
