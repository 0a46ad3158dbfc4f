"""Which pages are shown, lost pictures, long tables, heavy pages, a million rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagemill.engine.image import size_of, thumbnail
from pagemill.engine.store.ledger import part_path, write_rows
from pagemill.engine.store.place import Place
from pagemill.pipelines.build.thumbs import THUMB_SCHEMA
from pagemill.report.corpus.excluded import allot
from pagemill.report.corpus.ledger_columns import read_columns
from pagemill.report.corpus.page_size import page_size_names
from pagemill.report.corpus.sampling import spread
from support.reported import (
    page_row,
    report_of,
    save_corpus,
)


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
        "import re, sys; from pagemill.engine.store.place import Place; "
        "from pagemill.report.corpus import write_corpus_report; "
        "write_corpus_report(Place.at(sys.argv[1])); "
        "print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]  # ru_maxrss would count this process
    done = subprocess.run(command, check=True, capture_output=True)
    assert int(done.stdout) * 1024 < 1_000_000_000
    assert place.size("report.html") < 6_000_000
