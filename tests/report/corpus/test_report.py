"""The report of a corpus: sums, reasons, pages, and nothing that is fetched."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.key import page_key
from pagemill.engine.reason import Reason
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.ledger import part_path, write_rows
from pagemill.engine.store.place import Place
from pagemill.report.corpus import read_thumbs, write_corpus_report
from pagemill.report.corpus.excluded import ROWS_SHOWN
from PIL import Image
from support.reported import (
    BOXES,
    document_row,
    page_row,
    report_of,
    save_corpus,
    sha,
    write_pages,
)


def test_the_totals_and_the_sum_are_there(place: Place) -> None:
    text = report_of(place).text
    assert (
        "5 written + 3 rejected + 3 failed = 10 pages found + 1 documents that could not be opened"
        in text
    )
    assert "Nothing disappeared" in text
    assert "my corpus" in text
    assert "pages per second5.0in 2.0 s on 2 workers" in text


def test_a_ledger_that_does_not_add_up_is_called_incomplete(place: Place) -> None:
    write_rows(place, part_path(0, 1), [page_row(9, 0, status="pending", reason="")])
    text = report_of(place).text
    assert "≠" in text
    assert "pagemill verify" in text
    assert "Nothing disappeared" not in text


def test_every_reason_is_shown_with_its_meaning(place: Place) -> None:
    text = report_of(place).text
    for reason in ("blank", "text_garbled", "timeout", "crash", "encrypted"):
        assert reason in text
        assert Reason(reason).meaning in text


def test_nothing_is_fetched_and_only_its_own_script_may_run(place: Place) -> None:
    document = report_of(place)
    html = place.read_bytes("report.html").decode()
    for tag, name, value in document.attributes:
        if name in ("src", "href", "srcset", "action", "data", "poster"):
            assert value.startswith(("#", "data:image/jpeg;base64,")), (tag, name, value[:60])
        assert not name.startswith("on"), (tag, name)
    assert not re.search(r"url\(|@import|https?://", html)
    assert document.tags["script"] == 1
    policy = next(v for _, _, v in document.attributes if "default-src" in v)
    script = html.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:")
    assert f"script-src 'sha256-{digest}';" in policy


def test_ids_are_unique_and_links_lead_somewhere(place: Place) -> None:
    document = report_of(place)
    assert [name for name, times in Counter(document.ids).items() if times > 1] == []
    assert set(document.links) - {f"#{name}" for name in document.ids} == set()
    assert f"#{page_key(sha(0), 0)}" in document.links


def test_every_fate_has_cards_and_word_boxes_lie_on_ink(place: Place) -> None:
    cards = report_of(place).cards
    fates = Counter(card["class"].split()[1] for card in cards.values())
    assert fates == {"written": 5, "rejected": 2, "failed": 2}
    pictured = [card for card in cards.values() if "image" in card]
    assert len(pictured) == 7
    for card in pictured:
        data = base64.b64decode(card["image"].partition("base64,")[2])
        image = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
        boxes = re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", card["boxes"])
        assert len(boxes) == len(BOXES)
        for box in boxes:
            x, y, width, height = (int(value) * image.shape[1] / 1000 for value in box)
            assert image[round(y + height / 2), round(x + width / 2)] < 80
            assert image[round(y + height / 2), round(x + width + 3)] > 180


def test_a_failed_page_has_a_card_with_reason_file_page_and_message(place: Place) -> None:
    card = report_of(place).cards[page_key(sha(6), 1)]
    for part in ("crash", Reason.CRASH.meaning, "report 6.pdf", "page 2", "stopped: crash"):
        assert part in card["text"]


def test_a_rejected_card_shows_the_kept_picture_of_that_page(place: Place) -> None:
    pictures = read_thumbs(place, {page_key(sha(5), 0)})
    assert set(pictures) == {page_key(sha(5), 0)}
    card = report_of(place).cards[page_key(sha(5), 0)]
    assert "text_garbled" in card["text"]
    assert card["image"] == pictures[page_key(sha(5), 0)].uri


def test_the_same_corpus_gives_the_same_bytes(place: Place) -> None:
    write_corpus_report(place)
    first = place.read_bytes("report.html")
    write_corpus_report(place)
    assert place.read_bytes("report.html") == first


HOSTILE = [
    "/dump/<script>alert(1)</script>.pdf",
    '/dump/"><img src=x onerror=alert(1)>.pdf',
    "/dump/'onmouseover='alert(1).pdf",
    "/dump/invoice\u202efdp.exe",
    "/dump/]]>--></script></style></svg><svg onload=alert(1)>.pdf",
    "/dump/&lt;b&gt;.pdf",
    "/dump/\x1b[31mred\u2066.pdf",
]


def test_hostile_names_and_messages_stay_text(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path / "<i>corpus</i>"))
    rows, entry = write_pages(place, tmp_path, range(2))
    evil = "".join(HOSTILE)
    rows = [replace(row, uri=HOSTILE[0], name=HOSTILE[1], language=evil) for row in rows]
    for number, uri in enumerate(HOSTILE, 10):
        strange = {"uri": uri, "name": "", "member": uri, "message": uri, "engine": uri}
        rows += [page_row(number, 0, status="failed", reason="broken", **strange)]
        rows += [page_row(number, 1, **strange), page_row(number, 2, reason=uri)]
        rows += [document_row(number, uri=uri, status="failed", reason="broken", message=uri)]
    save_corpus(place, rows, (entry,), config={evil: evil}, versions={evil: evil})
    document = report_of(place)
    assert document.tags["script"] == 1
    assert document.tags["img"] == 0
    assert document.tags["i"] == 0 or "<i>corpus</i>" in document.text
    assert not any(name.startswith("on") for _, name, _ in document.attributes)
    assert "/dump/<script>alert(1)</script>.pdf" in document.text
    assert "/dump/&lt;b&gt;.pdf" in document.text
    assert "\\u202efdp.exe" in document.text
    html = place.read_bytes("report.html").decode()
    assert not set(html) & set("\u202e\u2066\x1b")


def test_long_groups_are_cut_and_name_the_command_for_all(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path / "my corpus"))
    rows = [page_row(n, 0, reason="blank") for n in range(5000)]
    rows += [page_row(n, 0, reason="text_none") for n in range(6000, 6007)]
    save_corpus(place, rows)
    document = report_of(place)
    assert document.tags["tr"] < ROWS_SHOWN + 100
    assert "5,000 pages, 1,993 shown" in document.text
    assert "7 pages" in document.text
    command = f"pagemill explain '{place.uri}' --status rejected --reason blank"
    assert command in document.text


def test_a_corpus_without_anything_has_a_report(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    CorpusInfo(status="building", created="", config={}, config_hash="0", image_ext="png").save(
        place
    )
    document = report_of(place)
    assert "The build has not finished" in document.text
    assert "0 written + 0 rejected + 0 failed = 0 pages found" in document.text


def test_a_corpus_without_a_written_page_has_a_report(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    rows = [page_row(1, index, width=0, height=0, ms_render=0.0) for index in range(3)]
    save_corpus(place, [*rows, document_row(1, status="rejected", reason="blank")])
    document = report_of(place)
    assert "0 written + 3 rejected + 0 failed = 3 pages found" in document.text
    assert len(document.cards) == 3


def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a corpus"):
        write_corpus_report(Place.at(str(tmp_path)))
