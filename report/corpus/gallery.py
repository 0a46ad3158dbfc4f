"""The end of the report: pages to look at, and the rows of what was left out, to search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...engine.store.ledger import Fate, RowKind
from .facts import CorpusFacts
from .markup import count, esc, plural, slug, tail
from .overview import explain_command, meaning
from .panel import document_name
from .sample import (
    BOX_LIMIT,
    PageCard,
    Thumbnail,
    failed_cards,
    rejected_cards,
    spread,
    written_cards,
)

CARDS = {Fate.WRITTEN: 24, Fate.REJECTED: 24, Fate.FAILED: 12}
ROWS_SHOWN = 2000
MESSAGE_LIMIT = 300
VIEW_WIDTH = 1000
_KINDS = (
    (RowKind.DOCUMENT, Fate.FAILED),
    (RowKind.PAGE, Fate.FAILED),
    (RowKind.PAGE, Fate.REJECTED),
    (RowKind.DOCUMENT, Fate.REJECTED),
)


def samples(facts: CorpusFacts, anchors: set[str]) -> str:
    """Cards of random pages of each fate; their keys are added to `anchors`."""
    ledger, place = facts.ledger, facts.place
    written = written_cards(place, ledger, limit=CARDS[Fate.WRITTEN])
    rejected = rejected_cards(place, ledger, limit=CARDS[Fate.REJECTED])
    failed = failed_cards(ledger, limit=CARDS[Fate.FAILED])
    blocks = [
        _cards(Fate.WRITTEN, written, facts, anchors),
        _cards(Fate.REJECTED, rejected, facts, anchors),
        _cards(Fate.FAILED, failed, facts, anchors),
    ]
    inner = "".join(blocks)
    if not inner:
        return ""
    switch = (
        '<label class="switch"><input type="checkbox" id="boxes" checked>'
        "<span>word boxes</span></label>"
        if any(card.picture for card in (*written, *rejected))
        else ""
    )
    return (
        f'<section id="samples"><h2>Pages to look at {switch}</h2>'
        f'<p class="lead">Drawn at random, the same ones every time.</p>{inner}</section>'
    )


def left_out(facts: CorpusFacts, anchors: set[str]) -> str:
    """Rows of what failed or was rejected, grouped by reason, with the command to see all."""
    groups = []
    for kind, status in _KINDS:
        mask = facts.ledger.where(kind=kind, status=status)
        for reason, amount in facts.ledger.counts("reason", mask).items():
            groups.append((kind, status, reason, amount))
    if not groups:
        return ""
    shares = allot([amount for *_, amount in groups], ROWS_SHOWN)
    inner = "".join(
        _group(facts, kind, status, reason, amount, shown, anchors)
        for (kind, status, reason, amount), shown in zip(groups, shares, strict=True)
    )
    return (
        '<section id="rows"><h2>What was left out, row by row</h2>'
        f'<p class="lead">{_shown_text(sum(shares), sum(g[3] for g in groups))}</p>'
        f"{inner}</section>"
    )


def allot(amounts: Sequence[int], total: int) -> list[int]:
    """How many of each to show so that small groups are whole and large ones share the rest."""
    shares = [0] * len(amounts)
    left = total
    order = sorted(range(len(amounts)), key=lambda index: amounts[index])
    for position, index in enumerate(order):
        shares[index] = min(amounts[index], left // (len(order) - position))
        left -= shares[index]
    return shares


def _shown_text(shown: int, whole: int) -> str:
    if shown == whole:
        return f"All {count(whole)} rows of the ledger that are not in a shard."
    return (
        f"{count(shown)} of {count(whole)} rows; each group names the command for all of its own."
    )


def _cards(status: Fate, cards: Sequence[PageCard], facts: CorpusFacts, anchors: set[str]) -> str:
    if not cards:
        return ""
    whole = facts.ledger.counts("status", facts.ledger.pages)[status]
    inner = "".join(_card(status, card, anchors) for card in cards)
    return (
        f'<h3><span class="swatch {status}"></span> {status} '
        f'<span class="soft">{count(len(cards))} of {plural(whole, "page")}</span></h3>'
        f'<div class="cards">{inner}</div>'
    )


def _card(status: Fate, card: PageCard, anchors: set[str]) -> str:
    row = card.row
    picture = _picture(card.picture, row) if card.picture else ""
    why = ""
    if status != Fate.WRITTEN:
        why = (
            f'<p class="why"><b>{esc(row["reason"])}</b> {esc(meaning(row["reason"]))}</p>'
            f"{_message(row)}"
        )
    return (
        f'<figure class="card {status}"{_anchor(row["key"], anchors)} data-item>'
        f"{picture}<figcaption>{_file(row, 60)}{why}"
        f'<p class="facts">{_facts_line(row)}</p>{_key_link(row["key"])}</figcaption></figure>'
    )


def _picture(picture: Thumbnail, row: Mapping[str, Any]) -> str:
    height = round(VIEW_WIDTH * picture.height / max(1, picture.width))
    label = f"Page {row['page_index'] + 1} of {document_name(row)}"
    return (
        f'<button class="zoom" type="button" aria-label="Enlarge: {esc(label)}">'
        f'<svg viewBox="0 0 {VIEW_WIDTH} {height}" role="img" aria-label="{esc(label)}">'
        f'<image href="{picture.uri}" width="{VIEW_WIDTH}" height="{height}"/>'
        f'<path class="boxes" d="{_boxes_path(picture.boxes, height)}"/></svg></button>'
    )


def _boxes_path(boxes: np.ndarray, height: int) -> str:
    """One path for all boxes, in thousandths of the page's width."""
    inside = np.clip(boxes[:BOX_LIMIT], 0.0, 1.0)
    scaled = np.rint(inside * [VIEW_WIDTH, height, VIEW_WIDTH, height]).astype(int)
    return "".join(
        f"M{x0} {y0}h{x1 - x0}v{y1 - y0}h{x0 - x1}z" for x0, y0, x1, y1 in scaled.tolist()
    )


def _facts_line(row: Mapping[str, Any]) -> str:
    said = []
    if row["verdict"]:
        said.append(f"<b>{esc(row['verdict'])}</b> {row['score']:.2f}")
    if row["words"]:
        said.append(plural(row["words"], "word"))
    if row["language"]:
        said.append(esc(row["language"]))
    if row["width"]:
        said.append(f"{row['width']}\u00a0×\u00a0{row['height']}")
    return " <i>·</i> ".join(said)


def _file(row: Mapping[str, Any], limit: int) -> str:
    name = document_name(row)
    page = f' <span class="page">page {row["page_index"] + 1}</span>' * (row["page_index"] >= 0)
    return f'<p class="file" title="{esc(name)}"><bdi>{esc(tail(name, limit))}</bdi>{page}</p>'


def _message(row: Mapping[str, Any]) -> str:
    return f'<p class="message">{esc(row["message"], MESSAGE_LIMIT)}</p>' if row["message"] else ""


def _key_link(key: str) -> str:
    if not key:
        return ""
    return f'<a class="id" href="#{esc(key)}"><code>{esc(key)}</code></a>'


def _anchor(key: str, anchors: set[str]) -> str:
    """An `id` where the key has none yet: an id stands once in a document."""
    if not key or key in anchors:
        return ""
    anchors.add(key)
    return f' id="{esc(key)}"'


def _group(
    facts: CorpusFacts,
    kind: RowKind,
    status: Fate,
    reason: str,
    amount: int,
    shown: int,
    anchors: set[str],
) -> str:
    ledger = facts.ledger
    mask = ledger.where(kind=kind, status=status, reason=reason)
    chosen = spread(ledger, np.flatnonzero(mask), limit=shown, group=ledger.document)
    rows = sorted(ledger.rows(chosen), key=lambda r: (document_name(r), r["page_index"]))
    body = "".join(_row(row, anchors) for row in rows)
    arguments = ["--status", status.value, "--reason", reason]
    more = f", {count(shown)} shown" if shown < amount else ""
    return (
        f'<details class="group" id="{slug(f"{kind}-{status}-{reason}")}">'
        f'<summary><span class="swatch {status}"></span><b>{esc(reason)}</b> '
        f'<span class="soft">{plural(amount, kind.value)}{more}</span></summary>'
        f'<p class="meaning">{esc(meaning(reason))}</p>'
        f'<p class="command"><code>{esc(explain_command(facts, *arguments))}</code></p>'
        f'<div class="scroll"><table class="rows"><tbody>{body}</tbody></table></div></details>'
    )


def _row(row: Mapping[str, Any], anchors: set[str]) -> str:
    return (
        f"<tr{_anchor(row['key'], anchors)} data-item><td>{_file(row, 90)}{_message(row)}</td>"
        f"<td>{_key_link(row['key'])}</td></tr>"
    )
