"""How right a reading is, and how sure that figure is.

    estimated("cer", reads, targets, documents)      # Estimate(value, low, high, n)

Every metric of `METRICS` gives a part and a whole of one item; a corpus has the sum of parts over
the sum of wholes, so long texts weigh more in error rates and every item the same in shares.

Text is compared in the form of `normal`: NFKC, white space runs as one space, none at the ends.
Case, accents and punctuation count. Line breaks are white space: where lines end is no error.
Error rates are edits over the target's length, and are above 1 where more is written than stands
there; nothing read is exactly 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np
from rapidfuzz.distance import Indel, Levenshtein

from ..errors import ConfigError, DependencyError
from ..key import keyed_stream

RESAMPLES = 1000
COVERAGE = 0.95
"""Of the interval between `low` and `high`."""
ANLS_THRESHOLD = 0.5
CHUNK_CELLS = 2_000_000
"""Counts of documents in resamples that are in memory at once."""
TOKEN = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # Han and Kana are not spaced
    r"|[^\W_]+|_|[^\w\s]"
)

Pair = tuple[float, float]
"""(part, whole) of one item."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over items, and the interval that resampling documents gives it."""

    value: float
    low: float
    high: float
    n: int
    """Items."""

    def to_dict(self) -> dict[str, float]:
        """As JSON carries it."""
        return asdict(self)


def normal(text: str) -> str:
    """The text as it is compared: NFKC, runs of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def tokens(text: str) -> list[str]:
    """Words, single Han or Kana characters, and single marks of punctuation."""
    return TOKEN.findall(normal(text))


def character_edits(read: str, target: str) -> Pair:
    """(edits, characters of the target): insertions, deletions and substitutions."""
    wanted = normal(target)
    return float(Levenshtein.distance(normal(read), wanted)), float(len(wanted))


def word_edits(read: str, target: str) -> Pair:
    """(edits, words of the target), words being what white space parts."""
    wanted = normal(target).split()
    return float(Levenshtein.distance(normal(read).split(), wanted)), float(len(wanted))


def exact(read: str, target: str) -> Pair:
    """(1 if the tokens are the same in the same order, 1)."""
    return float(tokens(read) == tokens(target)), 1.0


def jaccard(read: str, target: str, n: int = 1) -> Pair:
    """(shared n-grams of tokens over all that occur in either, 1); 1 where both are empty.

    Args:
        read: the answer.
        target: what stands there.
        n: tokens of an n-gram; a shorter text is one n-gram of all its tokens.
    """
    own, wanted = (grams(tokens(text), n) for text in (read, target))
    union = own | wanted
    return (len(own & wanted) / len(union) if union else 1.0), 1.0


def grams(found: Sequence[str], n: int) -> set[tuple[str, ...]]:
    """The n-grams of a sequence."""
    width = min(n, len(found))
    return (
        {tuple(found[at : at + width]) for at in range(len(found) - width + 1)} if width else set()
    )


def vcr(read: str, target: str) -> tuple[float, float]:
    """(exact match, Jaccard) of the run of tokens in an answer that is most like the target.

    For answers in free words. Of all runs as long as the target that share a token with it, the
    one whose characters are most like it counts; without any, as in an answer shorter than the
    target, both are 0. Tokens are those of `tokens`, not spaCy's.

    Source: VCR, arXiv 2406.06462, section 5 and its released `evaluation_metrics.py`.
    """
    said, wanted = tokens(read), tokens(target)
    goal, known = " ".join(wanted), set(wanted)
    best: list[str] = []
    likeness = 0.0
    for at in range(len(said) - len(wanted) + 1):
        run = said[at : at + len(wanted)]
        if not known.isdisjoint(run):
            value = Indel.normalized_similarity(" ".join(run), goal)
            if value > likeness:
                likeness, best = value, run
    if not best:
        return 0.0, 0.0
    return float(best == wanted), len(known & set(best)) / len(known | set(best))


def anls(read: str, targets: str | Sequence[str]) -> Pair:
    """(likeness to the nearest accepted answer, 1): 1 less edits over the longer text's length.

    Below `ANLS_THRESHOLD` it is 0. Case does not count here.

    Source: Scene Text VQA, arXiv 1905.13648, section 4.
    """
    accepted = [targets] if isinstance(targets, str) else targets
    said = normal(read).lower()
    likeness = max(
        (Levenshtein.normalized_similarity(said, normal(one).lower()) for one in accepted),
        default=0.0,
    )
    return (likeness if likeness > 1 - ANLS_THRESHOLD else 0.0), 1.0


def fields(read: Mapping[str, str], target: Mapping[str, str]) -> Pair:
    """(twice the right fields, fields read and fields wanted): their ratio is the micro F1.

    A field is right where both texts are the same in their normal form; an empty one is missing.
    """
    own, wanted = (
        {name: text for name, value in given.items() if (text := normal(value))}
        for given in (read, target)
    )
    right = sum(own.get(name) == text for name, text in wanted.items())
    return 2.0 * right, float(len(own) + len(wanted))


def teds(read: str, target: str, *, structure_only: bool = False) -> Pair:
    """(likeness of two HTML tables, 1): 1 less the tree edit distance over the larger tree.

    Nodes are table, thead, tbody, tfoot, tr and td (a th is a td). Taking a node away, adding one,
    or changing its name, colspan or rowspan costs 1; other text in a cell costs its edits over the
    longer text. Formatting inside cells does not count.

    Args:
        read: HTML with a table.
        target: HTML with a table.
        structure_only: whether text in cells is left out.

    Raises:
        DependencyError: apted is not installed.

    Source: Image-based table recognition, arXiv 1911.10683, section 5.
    """
    try:
        from apted import APTED
    except ImportError as err:
        raise DependencyError("TEDS needs apted: pip install 'pagemill[train]'") from err
    first, second = tree_of(read), tree_of(target)
    if first is None or second is None:
        return float(first is second), 1.0
    distance = APTED(first, second, Costs(structure_only)).compute_edit_distance()
    return max(0.0, 1 - distance / max(first.count(), second.count())), 1.0


METRICS: dict[str, Callable[[Any, Any], Pair]] = {
    "cer": character_edits,
    "wer": word_edits,
    "exact": exact,
    "jaccard": jaccard,
    "anls": anls,
    "field_f1": fields,
    "teds": teds,
}
"""Name to the part and the whole of one item; the arguments are what was read and the target."""


def item(name: str, read: Any, target: Any) -> float:
    """A metric of one item; with a target of no length, what was read counts as over length 1."""
    part, whole = METRICS[name](read, target)
    return part / max(whole, 1.0)


def estimated(
    name: str,
    reads: Sequence[Any],
    targets: Sequence[Any],
    documents: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> Estimate:
    """A metric over a corpus.

    Args:
        name: of `METRICS`.
        reads: what was read, an entry an item.
        targets: what stands there.
        documents: name of each item's document; None takes every item for itself.
        seed: of the resampling.

    Raises:
        ConfigError: no such metric, no items, or lists of different lengths.
    """
    if name not in METRICS:
        raise ConfigError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    if len(reads) != len(targets):
        raise ConfigError(f"there are {len(reads)} readings of {len(targets)} targets")
    pairs = [METRICS[name](read, target) for read, target in zip(reads, targets, strict=True)]
    return estimate(pairs, documents, seed=seed)


def estimate(
    pairs: Sequence[Pair],
    documents: Sequence[str] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Sum of parts over sum of wholes, with a percentile interval of the bootstrap.

    Documents are resampled, and with one all its items, because errors on a page come together;
    with fewer than two documents, items are. A pure function of its arguments.

    Args:
        pairs: (part, whole) of every item.
        documents: name of each item's document.
        seed: of the resampling.
        resamples: how often.

    Raises:
        ConfigError: no items, or another number of documents.
    """
    values = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    if not len(values):
        raise ConfigError("there is nothing to estimate: no items are given")
    names = range(len(values)) if documents is None else documents
    if len(names) != len(values):
        raise ConfigError(f"{len(values)} items, but {len(names)} documents are named")
    _, group = np.unique(np.asarray(names), return_inverse=True)
    if group.max() == 0:
        group = np.arange(len(values))
    sums = np.stack([np.bincount(group, weights=column) for column in values.T], axis=1)
    low, high = interval(sums, seed, resamples)
    return Estimate(float(ratio(sums.sum(axis=0))), low, high, len(values))


def interval(sums: np.ndarray, seed: int, resamples: int) -> tuple[float, float]:
    """(low, high) of the ratio, from sums of parts and wholes, float64 [documents, 2]."""
    count = len(sums)
    rng = np.random.Generator(keyed_stream("bootstrap", seed))
    step = max(1, CHUNK_CELLS // count)
    drawn = [
        ratio(
            rng.multinomial(count, np.full(count, 1 / count), size=min(step, resamples - at)) @ sums
        )
        for at in range(0, resamples, step)
    ]
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail])
    return float(low), float(high)


def ratio(sums: np.ndarray) -> np.ndarray:
    """Part over whole along the last axis; over 1 where the whole is 0."""
    part, whole = sums[..., 0], sums[..., 1]
    return np.asarray(part / np.where(whole > 0, whole, 1.0))


TABLE_TAGS = ("table", "thead", "tbody", "tfoot", "tr", "td")
CLOSES = {"td": ("td",), "tr": ("tr", "td"), "tbody": ("thead", "tbody", "tr", "td")}
CLOSES |= {"thead": CLOSES["tbody"], "tfoot": CLOSES["tbody"]}
"""Open elements that a new one ends, as in HTML without end tags."""


@dataclass(slots=True)
class Node:
    """An element of a table."""

    tag: str
    spans: tuple[str, str] = ("1", "1")
    """colspan, rowspan."""
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def count(self) -> int:
        """Nodes of the tree."""
        return 1 + sum(child.count() for child in self.children)


class Costs:
    """What edits of a tree cost, as apted asks for it."""

    valuecls = float

    def __init__(self, structure_only: bool) -> None:
        self.structure_only = structure_only

    def delete(self, node: Node) -> int:
        """Of taking a node away."""
        return 1

    def insert(self, node: Node) -> int:
        """Of adding a node."""
        return 1

    def rename(self, one: Node, other: Node) -> float:
        """Of making one node the other."""
        if one.tag != other.tag or one.spans != other.spans:
            return 1.0
        if one.tag != "td" or self.structure_only:
            return 0.0
        return float(Levenshtein.normalized_distance(normal(one.text), normal(other.text)))

    def children(self, node: Node) -> list[Node]:
        """Below a node."""
        return node.children


class TableParser(HTMLParser):
    """The first table of an HTML text as a tree; a table inside a cell is text of the cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root: Node | None = None
        self.open: list[Node] = []
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a node."""
        tag = "td" if tag == "th" else tag
        if self.ended or tag not in TABLE_TAGS or (tag == "table") != (self.root is None):
            return
        while self.open and self.open[-1].tag in CLOSES.get(tag, ()):
            self.open.pop()
        given = dict(attrs)
        spans = (given.get("colspan") or "1", given.get("rowspan") or "1")
        node = Node(tag, spans)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        """Close a node, and those left open inside it."""
        tag = "td" if tag == "th" else tag
        if any(node.tag == tag for node in self.open):
            while self.open.pop().tag != tag:
                pass
        self.ended = self.ended or (self.root is not None and not self.open)

    def handle_data(self, data: str) -> None:
        """Text of the open cell."""
        if self.open and self.open[-1].tag == "td":
            self.open[-1].text += data


def tree_of(html: str) -> Node | None:
    """The first table in an HTML text; None without one."""
    parser = TableParser()
    parser.feed(html)
    parser.close()
    return parser.root
