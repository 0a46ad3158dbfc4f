"""What can be wrong with a corpus: a closed list, and one finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What `verify` finds."""

    CUT_AT_MEMBER = "cut_at_member"
    """The tar ends between two members, without its end mark."""
    CUT_IN_MEMBER = "cut_in_member"
    BIT_FLIP = "bit_flip"
    """Bytes of a member, its header or its padding are not those that were written."""
    CHANGED_MEMBER = "changed_member"
    """A member has another size than the one that was written."""
    INTERLEAVED = "interleaved"
    """The members of a sample are not adjacent: readers see two half samples."""
    DOTTED_KEY = "dotted_key"
    """A member's name has more than one dot: readers cut it at the first."""
    BAD_NAME = "bad_name"
    MISSING_MEMBER = "missing_member"
    EXTRA_MEMBER = "extra_member"
    DUPLICATE_KEY = "duplicate_key"
    WRONG_COUNT = "wrong_count"
    """Shard, index, corpus.json and ledger disagree on which or how many samples there are."""
    WRONG_ORDER = "wrong_order"
    CHECKSUM = "checksum"
    """The file is not the one that was written, though each member is."""
    MISSING_SHARD = "missing_shard"
    EXTRA_SHARD = "extra_shard"
    UNREADABLE = "unreadable"
    """The storage gave an error."""
    MISSING_INDEX = "missing_index"
    INDEX = "index"
    """The index says something of a sample that is not so."""
    IMAGE = "image"
    """An image does not decode, or is not the one that its JSON describes."""
    JSON = "json"
    """A sample's JSON is damaged, of another schema or contradicts itself."""
    LEDGER = "ledger"
    """A part of the ledger is damaged, or a row contradicts itself."""
    ACCOUNTING = "accounting"
    """Pages disappeared between the documents and the ledger."""
    CORPUS = "corpus"
    """corpus.json is damaged or names what cannot be."""
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    shard: str
    """`train-000000`; empty where no shard is concerned."""
    key: str
    """Page key, or a document's sha256; empty where none is concerned or can be known."""
    kind: FaultKind
    message: str

    def __str__(self) -> str:
        where = " ".join(part for part in (self.shard, self.key) if part) or "corpus"
        return f"{where}: {self.kind}: {self.message}"
