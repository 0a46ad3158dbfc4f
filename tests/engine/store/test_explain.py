"""Looking up what became of a page or a document, and saying it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from pagemill.command.terminal.ledger import explanation_text, rows_text, stats_text
from pagemill.engine.errors import ConfigError
from pagemill.engine.key import page_key
from pagemill.engine.reason import Reason
from pagemill.engine.store.explain import Explanation, explain_key, explain_rows, row_dict
from pagemill.engine.store.index import IndexMeta, IndexRow, write_index
from pagemill.engine.store.ledger import (
    LedgerRow,
    LedgerSummary,
    part_path,
    read_rows,
    summarize,
    to_rows,
    write_rows,
)
from pagemill.engine.store.place import Place

INVOICE = "a1b2c3d4" + "0" * 56
LETTER = "a1b2c3d9" + "1" * 56
LOCKED = "ffee0011" + "2" * 56


def document(sha256: str, uri: str, **values: object) -> LedgerRow:
    row = {"kind": "document", "key": sha256, "doc_sha256": sha256, "uri": uri, "status": "written"}
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


def page(sha256: str, index: int, uri: str, **values: object) -> LedgerRow:
    row: dict[str, object] = {
        "kind": "page",
        "key": page_key(sha256, index),
        "doc_sha256": sha256,
        "uri": uri,
        "page_index": index,
        "page_count": 3,
        "status": "written",
        "engine": "mupdf 1.28.5",
    }
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


ROWS = [
    document(INVOICE, "/dump/2024/invoice.pdf", page_count=3, bytes=52_000),
    page(
        INVOICE,
        0,
        "/dump/2024/invoice.pdf",
        shard="train-000000",
        verdict="trusted",
        score=0.9731,
        evidence=json.dumps({"ink_in_boxes": 0.981, "width_correlation": 0.94}),
        language="de",
        words=312,
        width=1191,
        height=1684,
        ms_render=12.5,
    ),
    page(
        INVOICE, 1, "/dump/2024/invoice.pdf", status="rejected", stage="filter", reason="text_none"
    ),
    page(
        INVOICE,
        2,
        "/dump/2024/invoice.pdf",
        status="failed",
        stage="render",
        reason="timeout",
        message="stopped after 30 s",
        attempts=3,
        warnings="bad xref; trying to repair",
    ),
    document(LETTER, "/dump/2024/old.zip", member="letters/letter.pdf", name="old.zip"),
    page(LETTER, 0, "/dump/2024/old.zip", member="letters/letter.pdf"),
    document(INVOICE, "/dump/copy/invoice.pdf", status="rejected", reason="duplicate_document"),
    document(LOCKED, "s3://bucket/locked.pdf", status="failed", stage="open", reason="encrypted"),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A corpus with an invoice (one page written, one rejected, one failed) and three others."""
    place = Place.at(str(tmp_path))
    write_rows(place, part_path(0, 0), ROWS)
    values = {item.name: 0 for item in fields(IndexRow)}
    span = IndexRow(  # type: ignore[arg-type]
        **{
            **values,
            "key": page_key(INVOICE, 0),
            "doc_sha256": INVOICE,
            "image_ext": "png",
            "image_offset": 512,
            "image_bytes": 90_000,
            "json_offset": 91_136,
            "json_bytes": 7_000,
            "region_chars": (3,),
            "x_height": 9.0,
            "language": "de",
            "verdict": "trusted",
            "score": 0.97,
        }
    )
    meta = IndexMeta(shard="train-000000", sha256="0" * 64, bytes=100_000, samples=1)
    write_index(place, "index/train-000000.parquet", [span], meta)
    return place


def test_a_written_page_is_explained_with_its_evidence_and_its_bytes(place: Place) -> None:
    text = explanation_text(explain_key(place, page_key(INVOICE, 0)))
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
    text = explanation_text(explain_key(place, page_key(INVOICE, 2)))
    for part in ("failed at render", "timeout", Reason.TIMEOUT.meaning, "stopped after 30 s"):
        assert part in text
    assert "attempts   3" in text
    assert "bad xref" in text
    assert "trying to repair" in text


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        (LETTER, "/dump/2024/old.zip"),
        (LETTER[:8], "/dump/2024/old.zip"),
        (LETTER[:10].upper(), "/dump/2024/old.zip"),
        ("/dump/2024/invoice.pdf", "/dump/2024/invoice.pdf"),
        ("2024/invoice.pdf", "/dump/2024/invoice.pdf"),
        ("letter.pdf", "/dump/2024/old.zip"),
        ("letters/letter.pdf", "/dump/2024/old.zip"),
        ("old.zip/letters/letter.pdf", "/dump/2024/old.zip"),
        ("s3://bucket/locked.pdf", "s3://bucket/locked.pdf"),
        ("locked.pdf", "s3://bucket/locked.pdf"),
        ("cked.pdf", "s3://bucket/locked.pdf"),
    ],
)
def test_a_document_is_found_by_whatever_people_know_it_by(
    place: Place, name: str, uri: str
) -> None:
    explanation = explain_key(place, name)
    assert explanation.row.kind == "document"
    assert explanation.row.uri == uri


def test_a_document_lists_its_pages_in_order_and_its_twins(place: Place) -> None:
    explanation = explain_key(place, INVOICE)
    assert [row.page_index for row in explanation.pages] == [0, 1, 2]
    assert [row.uri for row in explanation.twins] == ["/dump/copy/invoice.pdf"]
    text = explanation_text(explanation)
    assert [page_key(INVOICE, index) in text for index in range(3)] == [True] * 3
    assert "same bytes /dump/copy/invoice.pdf" in text


def test_a_duplicate_has_its_own_fate_and_names_its_twin(place: Place) -> None:
    explanation = explain_key(place, "copy/invoice.pdf")
    assert explanation.row.reason == "duplicate_document"
    assert explanation.pages == ()
    assert [row.uri for row in explanation.twins] == ["/dump/2024/invoice.pdf"]


def test_a_path_relative_to_where_the_user_stands_is_understood(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "scans"
    here.mkdir()
    write_rows(place, part_path(0, 1), [document("9" * 64, str(here / "a.pdf"))])
    monkeypatch.chdir(here)
    assert explain_key(place, "../scans/a.pdf").row.doc_sha256 == "9" * 64


def test_an_ambiguous_name_says_which_documents_it_could_be(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"2 documents") as caught:
        explain_key(place, "invoice.pdf")
    assert "/dump/2024/invoice.pdf" in str(caught.value)
    assert "/dump/copy/invoice.pdf" in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("invioce.pdf", "invoice.pdf"), ("LOCKED", "s3://bucket/locked.pdf")],
)
def test_an_unknown_name_says_the_nearest(place: Place, wrong: str, near: str) -> None:
    with pytest.raises(ConfigError, match="has no page or document") as caught:
        explain_key(place, wrong)
    assert near in str(caught.value)


def test_an_unknown_page_says_what_the_document_has(place: Place) -> None:
    with pytest.raises(ConfigError, match="has 3 pages"):
        explain_key(place, page_key(INVOICE, 7))
    with pytest.raises(ConfigError, match="knows no document"):
        explain_key(place, page_key("e" * 64, 0))


def test_an_empty_name_is_not_every_document(place: Place) -> None:
    with pytest.raises(ConfigError):
        explain_key(place, "")


def test_a_folder_without_a_ledger_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to explain"):
        explain_key(Place.at(str(tmp_path)), "a.pdf")


def test_a_lost_index_does_not_hide_the_fate(place: Place) -> None:
    place.remove("index/train-000000.parquet")
    explanation = explain_key(place, page_key(INVOICE, 0))
    assert explanation.row.status == "written"
    assert "pagemill verify" in explanation_text(explanation)
    assert explanation.to_dict()["span"] is None


def test_a_retried_page_is_explained_by_its_last_fate(place: Place) -> None:
    again = page(INVOICE, 2, "/dump/2024/invoice.pdf", shard="train-000001")
    write_rows(place, part_path(1, 0), [again])
    assert explain_key(place, page_key(INVOICE, 2)).row.status == "written"
    assert explain_rows(place, status="failed").num_rows == 1


def test_lists_follow_status_and_reason(place: Place) -> None:
    def keys(**wanted: str) -> set[str]:
        return {row.key for row in to_rows(explain_rows(place, **wanted))}

    assert keys(status="failed") == {page_key(INVOICE, 2), LOCKED}
    assert keys(status="failed", reason="timeout") == {page_key(INVOICE, 2)}
    assert keys(reason="text_none") == {page_key(INVOICE, 1)}
    assert keys(status="written", reason="timeout") == set()
    lines = list(rows_text(to_rows(explain_rows(place, reason="timeout"))))
    assert len(lines) == 2
    assert "/dump/2024/invoice.pdf, page 3" in lines[1]


def test_a_misspelt_reason_names_the_nearest(place: Place) -> None:
    with pytest.raises(ConfigError, match="nearest is 'timeout'"):
        explain_rows(place, reason="time_out")
    with pytest.raises(ConfigError, match="nearest is 'rejected'"):
        explain_rows(place, status="reject")


def test_json_has_the_same_keys_for_every_page(place: Place) -> None:
    dicts = [explain_key(place, page_key(INVOICE, index)).to_dict() for index in range(3)]
    assert len({tuple(item) for item in dicts}) == 1
    json.dumps(dicts)
    assert dicts[0]["evidence"] == {"ink_in_boxes": 0.981, "width_correlation": 0.94}
    assert dicts[0]["span"]["image_offset"] == 512
    assert dicts[2]["warnings"] == ["bad xref", "trying to repair"]
    assert dicts[2]["meaning"] == Reason.TIMEOUT.meaning
    whole = explain_key(place, INVOICE).to_dict()
    assert [item["key"] for item in whole["pages"]] == [page_key(INVOICE, i) for i in range(3)]


def test_a_file_name_cannot_steer_the_terminal() -> None:
    evil = "/dump/\x1b]0;owned\x07\x1b[2Jinvoice\u202egpj.pdf"
    row = document("4" * 64, evil, status="failed", reason="broken", message="\x1b[31mno\r\nyes")
    for text in (explanation_text(Explanation(row)), "\n".join(rows_text([row]))):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[2Jinvoice\\u202egpj.pdf" in text


def test_a_file_name_cannot_steer_the_terminal_from_an_error(place: Place) -> None:
    write_rows(place, part_path(0, 1), [document("4" * 64, "/dump/\x1b[2Jmemo\u202efdp")])
    with pytest.raises(ConfigError) as caught:
        explain_key(place, "memo")
    assert "\\x1b[2Jmemo\\u202efdp" in str(caught.value)


def test_colour_is_only_added_on_request(place: Place) -> None:
    explanation = explain_key(place, page_key(INVOICE, 2))
    plain = explanation_text(explanation)
    assert "\x1b" not in plain
    assert "\x1b[31mfailed\x1b[0m" in explanation_text(explanation, colour=True)


def test_totals_show_the_sum(place: Place) -> None:
    text = stats_text(summarize(read_rows(place)))
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
    text = stats_text(summary)
    assert "≠" in text
    assert "pagemill verify" in text


def test_totals_of_nothing_are_zero(tmp_path: Path) -> None:
    text = stats_text(summarize(read_rows(Place.at(str(tmp_path)))))
    assert "0 written + 0 rejected + 0 failed = 0 pages found" in text


def test_every_row_becomes_json(place: Place) -> None:
    rows = [row_dict(row) for row in to_rows(explain_rows(place))]
    assert len(rows) == len(ROWS)
    assert len({tuple(row) for row in rows}) == 1
