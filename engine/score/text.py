"""How right a text is: edits against what stands there, exact match, shared words.

Text is compared in a `TextForm`. The form as it stands is NFKC with runs of white space as one
space and none at the ends: case, accents and punctuation count, and where lines end is no error.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import DependencyError

try:
    from rapidfuzz.distance import Indel, Levenshtein
except ImportError as err:
    raise DependencyError("scores of texts need rapidfuzz: pip install 'pagemill[train]'") from err

_TOKEN = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # Han and Kana are not spaced
    r"|[^\W_]+|_|[^\w\s]"
)
_VARIANTS = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-",
     "−": "-", "•": "·", "●": "·", "…": "..."}
)  # fmt: skip


class Score(NamedTuple):
    """A metric of one item as a part of a whole, so that a corpus can sum both."""

    part: float
    whole: float

    @property
    def value(self) -> float:
        """Part over whole; over 1 where the whole is 0, as the target of no length is."""
        return self.part / self.whole if self.whole else self.part


@dataclass(frozen=True, slots=True)
class TextForm:
    """Which differences between two texts count for nothing, besides those of NFKC."""

    fold_case: bool = False
    """Capital and small letters are the same."""
    fold_variants: bool = False
    """Typographic quotes, dashes and bullets are the same as the plain ones."""
    drop_space: bool = False
    """White space is left out, not only how much of it there is."""

    def __call__(self, text: str) -> str:
        """The text as it is compared."""
        text = unicodedata.normalize("NFKC", text)
        if self.fold_variants:
            text = text.translate(_VARIANTS)
        text = ("" if self.drop_space else " ").join(text.split())
        return text.lower() if self.fold_case else text


AS_IT_STANDS = TextForm()
ANY_CASE = TextForm(fold_case=True)
LETTERS_ONLY = TextForm(fold_variants=True, drop_space=True)
"""For OCR engines, which space and quote as they please; severities are calibrated in it."""


def tokens(text: str) -> list[str]:
    """Words, single Han or Kana characters, and single marks of punctuation."""
    return _TOKEN.findall(AS_IT_STANDS(text))


def character_edits(read: str, target: str, form: TextForm = AS_IT_STANDS) -> Score:
    """Edits over the target's characters: insertions, deletions and substitutions.

    Nothing read is exactly 1, and where more is written than stands there it is above 1.
    """
    expected = form(target)
    return Score(float(Levenshtein.distance(form(read), expected)), float(len(expected)))


def word_edits(read: str, target: str, form: TextForm = AS_IT_STANDS) -> Score:
    """Edits over the target's words, which are what white space parts."""
    expected = form(target).split()
    return Score(float(Levenshtein.distance(form(read).split(), expected)), float(len(expected)))


def character_error_rate(
    read: str, target: str, *, form: TextForm = AS_IT_STANDS, at_most: float = math.inf
) -> float:
    """`character_edits` of one text as a number.

    Args:
        read: the answer.
        target: what stands there.
        form: in which the two are compared.
        at_most: what a higher rate is taken for.
    """
    return min(at_most, character_edits(read, target, form).value)


def edit_share(read: str, target: str, form: TextForm = AS_IT_STANDS) -> float:
    """Edits over the length of the longer text, 0 to 1; 0 where both are empty."""
    return float(Levenshtein.normalized_distance(form(read), form(target)))


def exact_match(read: str, target: str) -> Score:
    """1 if the tokens are the same in the same order."""
    return Score(float(tokens(read) == tokens(target)), 1.0)


def jaccard(read: str, target: str, n: int = 1) -> Score:
    """Shared n-grams of tokens over all that occur in either; 1 where both are empty.

    Args:
        read: the answer.
        target: what stands there.
        n: tokens of an n-gram; a shorter text is one n-gram of all its tokens.
    """
    return Score(_overlap(_n_grams(tokens(read), n), _n_grams(tokens(target), n)), 1.0)


def vcr(read: str, target: str) -> tuple[float, float]:
    """(exact match, Jaccard) of the run of tokens in an answer that is most like the target.

    For answers in free words. Of all runs as long as the target that share a token with it, the
    one whose characters are most like it counts; without any, as in an answer shorter than the
    target, both are 0. Tokens are those of `tokens`, not spaCy's.

    Source: VCR, arXiv 2406.06462, section 5 and its released `evaluation_metrics.py`.
    """
    written, expected = tokens(read), tokens(target)
    joined, vocabulary = " ".join(expected), set(expected)
    best: list[str] = []
    highest = 0.0
    for start in range(len(written) - len(expected) + 1):
        run = written[start : start + len(expected)]
        if not vocabulary.isdisjoint(run):
            similarity = Indel.normalized_similarity(" ".join(run), joined)
            if similarity > highest:
                highest, best = similarity, run
    if not best:
        return 0.0, 0.0
    return float(best == expected), _overlap(set(best), vocabulary)


def _n_grams(sequence: Sequence[str], n: int) -> set[tuple[str, ...]]:
    width = min(n, len(sequence))
    starts = range(len(sequence) - width + 1) if width else ()
    return {tuple(sequence[start : start + width]) for start in starts}


def _overlap(first: Set[object], second: Set[object]) -> float:
    union = first | second
    return len(first & second) / len(union) if union else 1.0
