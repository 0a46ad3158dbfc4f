"""What people call documents and pages, and what the words of the ledger mean."""

from __future__ import annotations

import shlex

from ...engine.reason import Reason
from ...engine.store.ledger import LedgerRow
from ...engine.store.place import Place


def document_name(row: LedgerRow) -> str:
    """Its name below the input, and the member of an archive."""
    name = row.name or row.uri or row.doc_sha256 or "(unnamed)"
    return f"{name} › {row.member}" if row.member and row.member not in name else name


def reason_meaning(reason: str) -> str:
    """The sentence of the closed list; a word that is not on it speaks for itself."""
    try:
        return Reason(reason).meaning
    except ValueError:
        return "A reason of another version of Pagemill."


def shell_command(place: Place, name: str, *arguments: str) -> str:
    """A command line about this corpus that can be pasted into a shell."""
    return shlex.join(["pagemill", name, place.uri, *arguments])
