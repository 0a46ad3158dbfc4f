"""What text is tied to: figures, tables, captions, and other places on the page.

Source: MiniCPM-o 4.5 (arXiv 2604.27393), "relevance-aware masking": many random masks can be
solved from the words beside them; text tied to a figure takes looking at the figure.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from ..engine.page import Page

_CAPTION = re.compile(
    r"\s*(fig(ure|ura|\.)?|abb(ildung|\.)?|tab(le|elle|leau|la|\.)?|chart|diagram|schema|exhibit|"
    r"рис(унок|\.)?|табл(ица|\.)?|图|表|図)\s*\d",
    re.IGNORECASE,
)
_MENTION = re.compile(
    r"\b(fig(ure|\.)|abb(ildung|\.)|table|tabelle|tableau|figura|tabla|chart)\s*\d", re.IGNORECASE
)
_NEAR = 0.03
"""Share of the page's height within which text is near a figure."""
_CAPTION_WEIGHT, _MENTION_WEIGHT, _NEAR_WEIGHT = 4.0, 2.5, 3.0
_LONG_WORD = 5
"""Characters from which a word that comes again is not a mere particle."""
_PUNCTUATION = ".,;:!?()[]{}\"'«»“”‘’„…·•*"


def relevance_of(page: Page, box: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """A weight for each line, 1 or more, float64 [lines].

    Args:
        page: the page.
        box: float64 [lines, 4], px.
        start: int64 [lines], first word.
        stop: int64 [lines], one past the last.
    """
    weight = np.ones(len(box))
    reach = _NEAR * page.height
    for figure in page.layer.figures:
        x0, y0, x1, y1 = figure.box
        near = (box[:, 0] < x1) & (box[:, 2] > x0)
        near &= (box[:, 1] < y1 + reach) & (box[:, 3] > y0 - reach)
        weight[near] = np.maximum(weight[near], _NEAR_WEIGHT)
    counts = word_counts(page)
    for index, line in enumerate(page.layer.lines):
        if _CAPTION.match(line.text):
            weight[index] = max(weight[index], _CAPTION_WEIGHT)
        elif _MENTION.search(line.text):
            weight[index] = max(weight[index], _MENTION_WEIGHT)
        words = [normal(word.text) for word in page.layer.words[start[index] : stop[index]]]
        long = [word for word in words if len(word) >= _LONG_WORD]
        if long:
            weight[index] *= 1 + sum(counts[word] > 1 for word in long) / len(long)
    return weight


def normal(text: str) -> str:
    """A word as it is counted: without case, and without punctuation around it."""
    return text.casefold().strip(_PUNCTUATION)


def word_counts(page: Page) -> Counter[str]:
    """How often each word stands on the page."""
    counts: Counter[str] = Counter()
    for text, amount in Counter([word.text for word in page.layer.words]).items():
        counts[normal(text)] += amount
    return counts


def cannot_be_inferred(
    page: Page, start: int, stop: int, counts: Counter[str], *, names: bool = True
) -> bool:
    """Whether a range of words has a number or a name that stands nowhere else on the page.

    Args:
        page: the page.
        start: first word.
        stop: one past the last.
        counts: of the whole page.
        names: whether a capital inside a sentence is the mark of a name, as it is not in German.
    """
    words = page.layer.words
    inside: Counter[str] = Counter()
    for index in range(start, stop):
        text = words[index].text
        if any(char.isdigit() for char in text) or (names and _is_name(page, index)):
            inside[normal(text)] += 1
    return any(counts[word] <= amount for word, amount in inside.items())


def _is_name(page: Page, index: int) -> bool:
    """A capital, not at the start of a line or a sentence."""
    words = page.layer.words
    bare = words[index].text.lstrip("(\"'“‘„«[")
    if not bare[:1].isupper() or index == 0 or words[index - 1].line != words[index].line:
        return False
    return not words[index - 1].text.endswith((".", "!", "?", ":", "•", "–", "-"))
