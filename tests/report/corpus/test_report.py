"""The report of a corpus: what it shows, that it is self-contained, and that nothing gets out."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.errors import ConfigError
from pagemill.engine.image import ImageConfig, encode, size_of, thumbnail
from pagemill.engine.key import page_key
from pagemill.engine.reason import Reason
from pagemill.engine.record import PageFacts
from pagemill.engine.store.corpus import CorpusInfo, ShardEntry
from pagemill.engine.store.index import IndexMeta, row_from_facts, write_index
from pagemill.engine.store.ledger import LedgerRow, part_path, write_rows
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard
from pagemill.pipelines.build.thumbs import THUMB_SCHEMA
from pagemill.report.corpus import read_thumbs, write_corpus_report
from pagemill.report.corpus.excluded import ROWS_SHOWN, allot
from pagemill.report.corpus.ledger_columns import read_columns
from pagemill.report.corpus.page_size import page_size_names
from pagemill.report.corpus.sampling import spread
from PIL import Image

WIDTH, HEIGHT = 595, 842
BOXES = [[60.0, 80.0, 200.0, 100.0], [220.0, 80.0, 400.0, 100.0], [60.0, 700.0, 180.0, 720.0]]
VOID = {"meta", "input", "br", "hr", "img", "link"}


def drawn_page() -> np.ndarray:
    """A white page with a black bar where each of `BOXES` is."""
    image = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
    for x0, y0, x1, y1 in BOXES:
        cv2.rectangle(image, (int(x0), int(y0)), (int(x1), int(y1)), 0, -1)
    return image


def sha(number: int) -> str:
    return f"{number * 2654435761 % 2**64:016x}" + "0" * 48


def page_row(document: int, index: int, **values: object) -> LedgerRow:
    row: dict[str, object] = {
        "kind": "page",
        "key": page_key(sha(document), index),
        "doc_sha256": sha(document),
        "uri": f"/dump/report {document}.pdf",
        "name": f"report {document}.pdf",
        "page_index": index,
        "page_count": 4,
        "status": "rejected",
        "reason": "blank",
        "stage": "filter",
        "verdict": "none",
        "engine": "mupdf 1.28.5",
        "width": WIDTH,
        "height": HEIGHT,
        "ms_render": 4.0,
    }
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


def document_row(document: int, **values: object) -> LedgerRow:
    row: dict[str, object] = {
        "kind": "document",
        "key": sha(document),
        "doc_sha256": sha(document),
        "uri": f"/dump/report {document}.pdf",
        "status": "written",
    }
    return LedgerRow(**{**row, **values})  # type: ignore[arg-type]


def save_corpus(
    place: Place, rows: list[LedgerRow], shards: tuple[ShardEntry, ...] = (), **values: object
) -> None:
    write_rows(place, part_path(0, 0), rows)
    info = CorpusInfo(
        status="complete",
        created="2026-11-20",
        config={"render": {"dpi": 72}, "shard": {"bytes": 100_000}},
        config_hash="0123456789abcdef",
        image_ext="png",
        splits={"train": shards},
        versions={"pagemill": "0.1.0"},
    )
    replace(info, **values).save(place)  # type: ignore[arg-type]


FACTS = PageFacts(
    width=WIDTH,
    height=HEIGHT,
    words=3,
    lines=2,
    chars=4,
    region_chars=(3, 1),
    x_height=9.0,
    language="en",
    verdict="trusted",
    score=0.97,
)


def write_pages(place: Place, folder: Path, documents: range) -> tuple[list[LedgerRow], ShardEntry]:
    """One shard with one drawn page of each document, its index, and the ledger's rows."""
    image = encode(drawn_page(), ImageConfig())
    samples, rows = [], []
    for document in documents:
        page = {
            "doc_sha256": sha(document),
            "page_index": 0,
            "width": WIDTH,
            "height": HEIGHT,
            "words": {"text": ["a", "b", "c"], "bbox": BOXES, "line": [0, 0, 1], "flags": [0] * 3},
            "lines": {"text": ["a b", "c"]},
            "blocks": {"bbox": []},
            "figures": {"bbox": []},
            "x_height": 9.0,
            "language": "en",
            "verdict": {"name": "trusted", "score": 0.97},
        }
        samples.append((page_key(sha(document), 0), page, orjson.dumps(page)))
        told = {"reason": "", "verdict": "trusted", "score": 0.97, "words": 3, "language": "en"}
        written = {"status": "written", "shard": "train-000000", "bytes": len(image)}
        rows += [document_row(document), page_row(document, 0, **told, **written)]
    tar = folder / "shard.tar"
    summary = write_shard(tar, [(k, [("png", image), ("json", data)]) for k, _, data in samples])
    place.put(tar, "shards/train-000000.tar")
    spans = zip(summary.samples, samples, strict=True)
    meta = IndexMeta(
        shard="train-000000", sha256=summary.sha256, bytes=summary.bytes, samples=len(samples)
    )
    write_index(
        place,
        "index/train-000000.parquet",
        [row_from_facts(s, page["doc_sha256"], 0, FACTS) for s, (_, page, _) in spans],
        meta,
    )
    entry = ShardEntry(
        name="train-000000", bytes=summary.bytes, samples=len(samples), sha256=summary.sha256
    )
    return rows, entry


def write_thumbs(place: Place, keys: list[str]) -> None:
    jpeg = thumbnail(drawn_page(), 200)
    width, height = size_of(jpeg)
    fractions = [v / (WIDTH, HEIGHT)[i % 2] for box in BOXES for i, v in enumerate(box)]
    rows = [
        {
            "key": key,
            "status": "rejected",
            "reason": "blank",
            "jpeg": jpeg,
            "width": width,
            "height": height,
            "words": fractions,
        }
        for key in keys
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=THUMB_SCHEMA), sink)
    place.write_bytes("thumbs/g000-00000.parquet", sink.getvalue())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """5 written, 3 rejected and 2 failed pages of 8 documents, and one that stays shut."""
    place = Place.at(str(tmp_path / "my corpus"))
    rows, entry = write_pages(place, tmp_path, range(5))
    rows += [page_row(0, index) for index in (1, 2)]
    rows += [page_row(5, 0, reason="text_garbled", verdict="garbled", score=0.2)]
    rows += [document_row(5, status="rejected", reason="text_garbled")]
    rows += [
        page_row(6, i, status="failed", stage="render", reason=r, message=f"stopped: {r}")
        for i, r in enumerate(("timeout", "crash"))
    ]
    rows += [document_row(6, status="rejected", reason="crash")]
    rows += [document_row(7, status="failed", reason="encrypted", message="needs a password")]
    write_thumbs(place, [page_key(sha(0), 1), page_key(sha(5), 0)])
    save_corpus(place, rows, (entry,), totals={"run": {"wall_s": 2.0, "pages": 10, "workers": 2}})
    return place


class Document(HTMLParser):
    """What a browser would make of the report; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: Counter[str] = Counter()
        self.text = ""
        self.cards: dict[str, dict[str, str]] = {}
        self._open: list[str] = []
        self._card: dict[str, str] | None = None
        self.feed(text)
        self.close()
        assert self._open == []
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in values.items()]
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if tag == "a" else []
        if tag == "figure" and "card" in values.get("class", "").split():
            self._card = self.cards.setdefault(values["id"], {"class": values["class"], "text": ""})
        if self._card is not None and tag == "image":
            self._card["image"] = values["href"]
        if self._card is not None and values.get("class") == "boxes":
            self._card["boxes"] = values["d"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag
        if tag == "figure":
            self._card = None

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text += data
            if self._card is not None:
                self._card["text"] += data


def report_of(place: Place) -> Document:
    write_corpus_report(place)
    return Document(place.read_bytes("report.html").decode("utf-8"))


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


@pytest.mark.parametrize("lost", ["shards/train-000000.tar", "index/train-000000.parquet"])
def test_a_lost_shard_or_index_costs_pictures_not_the_report(place: Place, lost: str) -> None:
    place.remove(lost)
    document = report_of(place)
    assert "Nothing disappeared" in document.text
    assert sum("written" in card["class"] for card in document.cards.values()) == 5


def test_a_damaged_picture_costs_itself_only(place: Place) -> None:
    data = bytearray(place.read_bytes("shards/train-000000.tar"))
    data[600:1200] = bytes(600)
    place.write_bytes("shards/train-000000.tar", bytes(data))
    cards = report_of(place).cards.values()
    assert sum("image" in card for card in cards if "written" in card["class"]) == 4


def test_the_choice_of_pages_does_not_depend_on_the_order_of_the_ledger(tmp_path: Path) -> None:
    rows = [page_row(document, index) for document in range(40) for index in range(5)]
    chosen = []
    for name, order in (("a", rows), ("b", rows[::-1])):
        place = Place.at(str(tmp_path / name))
        write_rows(place, part_path(0, 0), order)
        ledger = read_columns(place)
        everything = np.arange(len(ledger))
        picks = spread(ledger, everything, limit=12, group=ledger.document)
        chosen.append([row.key for row in ledger.rows(picks)])
        assert len({key.partition("_")[0] for key in chosen[-1]}) == 12
        other = spread(ledger, everything, limit=12, group=ledger.document, seed=1)
        assert [row.key for row in ledger.rows(other)] != chosen[-1]
    assert chosen[0] == chosen[1]


def test_the_report_stays_small_when_pages_are_heavy(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    rng = np.random.default_rng(0)
    noise = thumbnail(rng.integers(0, 255, (3000, 400), dtype=np.uint8), 400)
    width, height = size_of(noise)
    rows = [page_row(n, 0) for n in range(40)]
    table = [
        {
            "key": row.key,
            "status": "rejected",
            "reason": "blank",
            "jpeg": noise,
            "width": width,
            "height": height,
            "words": rng.random(4 * 20_000).tolist(),
        }
        for row in rows
    ]
    place.write_bytes("thumbs/g000-00000.parquet", b"")
    pq.write_table(
        pa.Table.from_pylist(table, schema=THUMB_SCHEMA),
        str(tmp_path / "thumbs" / "g000-00000.parquet"),
    )
    save_corpus(place, rows)
    document = report_of(place)
    assert place.size("report.html") < 6_000_000
    assert 0 < sum("image" in card for card in document.cards.values()) < len(document.cards)


@given(st.lists(st.integers(0, 10_000), max_size=30), st.integers(0, 5000))
def test_rows_are_shared_out_fairly(amounts: list[int], total: int) -> None:
    shares = allot(amounts, total)
    assert sum(shares) <= total
    assert all(0 <= share <= amount for share, amount in zip(shares, amounts, strict=True))
    if sum(amounts) <= total:
        assert shares == amounts
    elif shares:
        cut = [s for s, a in zip(shares, amounts, strict=True) if s < a]
        whole = [s for s, a in zip(shares, amounts, strict=True) if s == a]
        assert max(cut) - min(cut) <= 1
        assert not whole or max(whole) <= max(cut) + 1


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (8.27, 11.69, "A4"),
        (11.69, 8.27, "A4, landscape"),
        (8.5, 11, "Letter"),
        (13.33, 7.5, "slide 16:9"),
        (10, 7.5, "slide 4:3"),
        (5, 5, "other, square"),
        (3, 9, "other, upright"),
    ],
)
def test_page_sizes_have_names(width: float, height: float, name: str) -> None:
    assert page_size_names(np.asarray([width]), np.asarray([height])) == [name]


@pytest.mark.slow
def test_a_million_rows_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    reasons = ["blank", "text_none", "text_garbled", "too_few_words"]
    for part in range(10):
        rows = [
            page_row(
                part * 5000 + n // 20,
                n % 20,
                status="rejected" if n % 7 == 0 else "written",
                reason=reasons[n % 4] if n % 7 == 0 else "",
                words=n % 900,
                width=1100 + n % 300,
                height=1500 + n % 400,
                score=(n % 100) / 100,
                bytes=100_000 + n,
                shard="" if n % 7 == 0 else f"train-{part:06d}",
                evidence='{"ink_in_boxes": 0.981, "boxes_with_ink": 0.97, "width": 0.9}',
            )
            for n in range(100_000)
        ]
        write_rows(place, part_path(0, part), rows)
    save_corpus(place, [])
    write_rows(place, part_path(0, 0), rows)
    code = (
        "import resource, sys; from pagemill.engine.store.place import Place; "
        "from pagemill.report.corpus import write_corpus_report; "
        "write_corpus_report(Place.at(sys.argv[1])); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True)
    assert int(done.stdout) * 1024 < 1_000_000_000
    assert place.size("report.html") < 6_000_000
