"""The top of the report: the corpus in numbers, the sum that must come out, the reasons."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ...engine.reason import Reason
from ...engine.store.ledger import Fate, RowKind
from .facts import CorpusFacts
from .markup import count, esc, plural, share, size, slug
from .plot import bar, stacked_bar

FATES = (Fate.WRITTEN, Fate.REJECTED, Fate.FAILED)


def masthead(facts: CorpusFacts) -> str:
    """The corpus's name, and where, when and by what it was built."""
    said = [esc(facts.place.uri)]
    if facts.info.created:
        said.append(f"built {esc(facts.info.created[:10])}")
    if facts.info.versions.get("pagemill"):
        said.append(f"Pagemill {esc(facts.info.versions['pagemill'])}")
    said.append(f"configuration <code>{esc(facts.info.config_hash)}</code>")
    building = (
        ""
        if facts.info.status == "complete"
        else '<p class="warning">The build has not finished: this is what is there so far.</p>'
    )
    return (
        '<header class="masthead"><p class="kicker">Pagemill · corpus report</p>'
        f"<h1><bdi>{esc(facts.name)}</bdi></h1>"
        f'<p class="about">{" <i>·</i> ".join(said)}</p>{building}</header>'
    )


def headline(facts: CorpusFacts) -> str:
    """Headline totals, the bar of fates, and the equation of the ledger."""
    pages, documents = facts.summary.pages, facts.summary.documents
    shards = facts.info.shards
    tiles = [
        _tile(
            "pages written", count(pages["written"]), f"of {plural(pages['found'], 'page')} found"
        ),
        _tile(
            "documents",
            count(documents["found"]),
            _opened(documents),
        ),
        _tile(
            "shards",
            count(len(shards)),
            f"{size(sum(shard.bytes for shard in shards))} in all" if shards else "none written",
        ),
        *_pace_tiles(facts),
    ]
    return (
        f'<section id="overview"><div class="tiles">{"".join(tiles)}</div>'
        f"{_fates(facts)}{_equation(facts)}</section>"
    )


def reasons(facts: CorpusFacts) -> str:
    """Why pages and documents are not in the shards, with the meaning of each reason."""
    ledger = facts.ledger
    groups = (
        (RowKind.PAGE, Fate.REJECTED, "Pages rejected by the filters"),
        (RowKind.PAGE, Fate.FAILED, "Pages that could not be read"),
        (RowKind.DOCUMENT, Fate.FAILED, "Documents that could not be opened"),
        (RowKind.DOCUMENT, Fate.REJECTED, "Documents without a page in the corpus"),
    )
    blocks = []
    for kind, status, title in groups:
        mask = ledger.where(kind=kind, status=status)
        found = ledger.counts("reason", mask)
        if found:
            of = (facts.summary.pages if kind == RowKind.PAGE else facts.summary.documents)["found"]
            blocks.append(_reason_table(title, found, of=of, kind=kind, status=status))
    if not blocks and not facts.summary.pages["found"]:
        return ""
    inner = "".join(blocks) or '<p class="empty">Nothing was left out.</p>'
    return f'<section id="reasons"><h2>What was left out, and why</h2>{inner}</section>'


def meaning(reason: str) -> str:
    """The sentence of the closed list; a word that is not on it speaks for itself."""
    try:
        return Reason(reason).meaning
    except ValueError:
        return "A reason of another version of Pagemill."


def explain_command(facts: CorpusFacts, *arguments: str) -> str:
    """A command line about this corpus that can be pasted into a shell."""
    return shlex.join(["pagemill", "explain", facts.place.uri, *arguments])


def _tile(label: str, value: str, below: str) -> str:
    return (
        f'<div class="tile"><span class="label">{esc(label)}</span>'
        f'<strong>{esc(value)}</strong><span class="below">{esc(below)}</span></div>'
    )


def _opened(documents: Mapping[str, int]) -> str:
    if not documents["found"]:
        return "none found"
    said = (
        f"{count(documents['failed'])} could not be opened" if documents["failed"] else "all opened"
    )
    twins = documents["duplicates"]
    return f"{said}, {plural(twins, 'duplicate')}" if twins else said


def _pace_tiles(facts: CorpusFacts) -> list[str]:
    """Pages per second and wall time of the last run, where `corpus.json` says them."""
    run: Any = facts.info.totals.get("run")
    if not isinstance(run, Mapping) or not run.get("wall_s") or not run.get("pages"):
        return []
    wall_s, pages = float(run["wall_s"]), float(run["pages"])
    workers = f" on {plural(run['workers'], 'worker')}" if run.get("workers") else ""
    return [_tile("pages per second", f"{pages / wall_s:,.1f}", f"in {_wall(wall_s)}{workers}")]


def _wall(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _fates(facts: CorpusFacts) -> str:
    amounts = {status: facts.summary.pages[status] for status in FATES}
    whole = sum(amounts.values())
    chart = stacked_bar(
        [(status.value, status.value, amounts[status]) for status in FATES],
        label="; ".join(f"{status}: {amounts[status]}" for status in FATES),
    )
    legend = "".join(
        f'<li><span class="swatch {status}"></span>{status} '
        f"<b>{share(amounts[status], whole)}</b></li>"
        for status in FATES
    )
    return f'<figure class="fates">{chart}<ul class="legend">{legend}</ul></figure>'


def _equation(facts: CorpusFacts) -> str:
    pages = facts.summary.pages
    plus = '<span class="op">+</span>'
    left = plus.join(_term(pages[status], status, status) for status in FATES)
    right = plus.join(
        [
            _term(pages["found"], "pages found", ""),
            _term(facts.summary.documents["failed"], "documents that could not be opened", ""),
        ]
    )
    verdict = (
        f'<p class="holds">Nothing disappeared: the two sides are equal.{_failures(facts)}</p>'
    )
    if not facts.adds_up:
        command = shlex.join(["pagemill", "verify", facts.place.uri])
        verdict = (
            '<p class="holds warning">The two sides differ: the ledger is incomplete. Run '
            f"<code>{esc(command)}</code>.</p>"
        )
    return (
        f'<div class="equation"><div class="side">{left}</div>'
        f'<span class="op is">{"=" if facts.adds_up else "≠"}</span>'
        f'<div class="side">{right}</div></div>{verdict}'
    )


def _failures(facts: CorpusFacts) -> str:
    unopened = facts.summary.documents["failed"]
    if not unopened:
        return ""
    pages = facts.summary.pages["failed"] - unopened
    return (
        f" Failed are {plural(pages, 'page')}, and {plural(unopened, 'document')} that could not "
        "be opened: how many pages those have, nobody knows."
    )


def _term(amount: int, name: str, css: str) -> str:
    return f'<span class="term {css}"><b>{count(amount)}</b><i>{esc(name)}</i></span>'


def _reason_table(
    title: str, found: Mapping[str, int], *, of: int, kind: RowKind, status: Fate
) -> str:
    whole, most = sum(found.values()), max(found.values())
    unit = kind.value
    rows = "".join(
        f'<tr><th scope="row"><a href="#{slug(f"{kind}-{status}-{reason}")}">{esc(reason)}</a>'
        f'<span class="meaning">{esc(meaning(reason))}</span></th>'
        f'<td class="draw">{bar([(status.value, amount)], most)}</td>'
        f'<td class="num">{count(amount)}</td><td class="num soft">{share(amount, of)}</td></tr>'
        for reason, amount in found.items()
    )
    return (
        f'<h3>{esc(title)} <span class="soft">{plural(whole, unit)}, {share(whole, of)}</span></h3>'
        '<table class="bars told"><thead class="quiet"><tr><th>reason</th><th></th>'
        f"<th>{unit}s</th><th>of all</th></tr></thead><tbody>{rows}</tbody></table>"
    )
