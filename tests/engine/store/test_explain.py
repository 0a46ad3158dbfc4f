"""Looking up what became of a page or a document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.key import page_key
from pagemill.engine.reason import Reason
from pagemill.engine.store.explain import explain_key, explain_rows, row_dict
from pagemill.engine.store.ledger import part_path, to_rows, write_rows
from pagemill.engine.store.place import Place
from support.ledger import INVOICE, LETTER, LOCKED, ROWS, document, page, write_ledger


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return write_ledger(tmp_path)


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


def test_a_file_name_cannot_steer_the_terminal_from_an_error(place: Place) -> None:
    write_rows(place, part_path(0, 1), [document("4" * 64, "/dump/\x1b[2Jmemo\u202efdp")])
    with pytest.raises(ConfigError) as caught:
        explain_key(place, "memo")
    assert "\\x1b[2Jmemo\\u202efdp" in str(caught.value)


def test_every_row_becomes_json(place: Place) -> None:
    rows = [row_dict(row) for row in to_rows(explain_rows(place))]
    assert len(rows) == len(ROWS)
    assert len({tuple(row) for row in rows}) == 1
