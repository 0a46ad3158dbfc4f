"""The ledger as a terminal and a log get it: complete, harmless, in colours only where wanted."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from pagemill.command.terminal.console import rendered
from pagemill.command.terminal.ledger import explanation_view, rows_view, stats_view
from pagemill.engine.key import page_key
from pagemill.engine.reason import Reason
from pagemill.engine.store.explain import Explanation, explain_key, explain_rows
from pagemill.engine.store.ledger import LedgerSummary, read_rows, summarize, to_rows
from pagemill.engine.store.place import Place
from rich.console import RenderableType
from support.ledger import INVOICE, document, write_ledger


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plain(parts: Iterable[RenderableType]) -> str:
    """What a file or a pipe gets."""
    return "".join(rendered(parts, stream=io.StringIO()))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return write_ledger(tmp_path)


def test_a_written_page_is_explained_with_its_evidence_and_its_bytes(place: Place) -> None:
    text = plain(explanation_view(explain_key(place, page_key(INVOICE, 0))))
    for part in (
        "written",
        "/dump/2024/invoice.pdf",
        "1 of 3",
        "trusted, score 0.973",
        "width_correlation  0.94",
        "312 words   de   1,191 × 1,684 px",
        "shards/train-000000.tar",
        "image  90,000 bytes at 512",
        "json   7,000 bytes at 91,136",
        "render 12.5",
    ):
        assert part in text


def test_a_failed_page_is_explained_with_its_reason_and_what_it_means(place: Place) -> None:
    text = plain(explanation_view(explain_key(place, page_key(INVOICE, 2))))
    for part in ("failed at render", "timeout", Reason.TIMEOUT.meaning, "stopped after 30 s"):
        assert part in text
    assert "attempts   3" in text
    assert "bad xref" in text
    assert "trying to repair" in text


def test_a_file_name_cannot_steer_the_terminal() -> None:
    evil = "/dump/\x1b]0;owned\x07\x1b[2Jinvoice\u202egpj.pdf"
    row = document("4" * 64, evil, status="failed", reason="broken", message="\x1b[31mno\r\nyes")
    for text in (plain(explanation_view(Explanation(row))), plain(rows_view([row]))):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[2Jinvoice\\u202egpj.pdf" in text


def test_colours_are_for_terminals_that_want_them(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    explanation = explain_key(place, page_key(INVOICE, 2))
    assert "\x1b" not in plain(explanation_view(explanation))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    view = explanation_view(explanation)
    assert "\x1b[31mfailed\x1b[0m" in "".join(rendered(view, stream=Terminal()))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in "".join(rendered(explanation_view(explanation), stream=Terminal()))


def test_totals_show_the_sum(place: Place) -> None:
    text = plain(stats_view(summarize(read_rows(place))))
    assert "4 found   3 opened   1 failed   1 duplicates" in text
    assert (
        "2 written + 1 rejected + 2 failed = 4 pages found + 1 document that could not be opened"
    ) in text
    assert Reason.ENCRYPTED.meaning in text


def test_totals_that_do_not_add_up_are_not_hidden() -> None:
    summary = LedgerSummary(
        documents={"found": 1, "opened": 1, "failed": 0, "duplicates": 0},
        pages={"found": 5, "written": 3, "rejected": 1, "failed": 0},
    )
    text = plain(stats_view(summary))
    assert "≠" in text
    assert "pagemill verify" in text


def test_totals_of_nothing_are_zero(tmp_path: Path) -> None:
    text = plain(stats_view(summarize(read_rows(Place.at(str(tmp_path))))))
    assert "0 written + 0 rejected + 0 failed = 0 pages found" in text


def test_a_document_lists_its_pages_and_its_twins(place: Place) -> None:
    text = plain(explanation_view(explain_key(place, INVOICE)))
    assert [page_key(INVOICE, index) in text for index in range(3)] == [True] * 3
    assert "same bytes /dump/copy/invoice.pdf" in text


def test_a_lost_index_is_said(place: Place) -> None:
    place.remove("index/train-000000.parquet")
    text = plain(explanation_view(explain_key(place, page_key(INVOICE, 0))))
    assert "its index cannot be read: run `pagemill verify`" in text


def test_a_list_has_a_line_a_row_however_long_the_name(place: Place) -> None:
    lines = plain(rows_view(to_rows(explain_rows(place, reason="timeout")))).splitlines()
    assert len(lines) == 2
    assert "/dump/2024/invoice.pdf, page 3" in lines[1]
    row = document("4" * 64, "/dump/" + "x" * 3000 + ".pdf", status="failed", reason="broken")
    assert len(plain(rows_view([row])).splitlines()) == 2
    assert "x" * 3000 + ".pdf" in plain(explanation_view(Explanation(row)))


def test_names_are_no_markup() -> None:
    row = document("4" * 64, "/dump/[bold]x[/bold]:smile:.pdf", status="failed", message="[/]")
    for text in (plain(explanation_view(Explanation(row))), plain(rows_view([row]))):
        assert "/dump/[bold]x[/bold]:smile:.pdf" in text


def test_faults_of_our_own_are_said_in_the_totals() -> None:
    summary = LedgerSummary(
        documents={"found": 3, "opened": 1, "failed": 2, "duplicates": 0},
        pages={"found": 5, "written": 5, "rejected": 0, "failed": 0},
        reasons={"internal_error": 2},
    )
    text = plain(stats_view(summary))
    assert "2 failed inside Pagemill" in text
    assert "explain CORPUS --reason internal_error" in text
    assert "inside Pagemill" not in plain(
        stats_view(
            LedgerSummary(documents=summary.documents, pages=summary.pages, reasons={"broken": 2})
        )
    )
