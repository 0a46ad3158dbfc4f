"""The preview of a corruption: self-contained, the same bytes twice, clear about bad arguments."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from markupsafe import escape
from pagemill.corruption import CorruptionConfig, Level, Mixture, Schedule, plan_page
from pagemill.engine.errors import ConfigError, ShardError
from pagemill.engine.key import page_key
from pagemill.engine.page import page_from_dict
from pagemill.engine.store.corpus import CorpusInfo, ShardEntry
from pagemill.engine.store.index import IndexMeta, index_row, read_index, write_index
from pagemill.engine.store.place import Place
from pagemill.engine.store.shard import write_shard
from pagemill.report.corruption import preview as module
from pagemill.report.corruption import write_preview
from pagemill.report.corruption.level_legend import band_text
from pagemill.report.corruption.page_choice import choose_pages

SCHEDULE = Schedule()
HOSTILE = "<script>alert(1)</script>"
"""A target that would be markup if it were not escaped."""


def keys_of(place: Place) -> list[str]:
    return [
        row.key for entry in CorpusInfo.load(place).shards for row in read_index(place, entry.index)
    ]


def preview(place: Place, folder: Path, **how: object) -> str:
    out = folder / "preview.html"
    write_preview(place, out, schedule=SCHEDULE, **how)  # type: ignore[arg-type]
    return out.read_text(encoding="utf-8")


def rewritten(place: Place, words: list[str]) -> str:
    """Put other words on the first page of the held-out shard; its key."""
    entry = CorpusInfo.load(place).splits["val"][0]
    row = read_index(place, entry.index)[0]
    image = place.read_range(entry.tar, row.image_offset, row.image_bytes)
    tree = orjson.loads(place.read_range(entry.tar, row.json_offset, row.json_bytes))
    box = tree["words"]["bbox"]
    tree["words"] = {
        "text": words,
        "bbox": box[: len(words)],
        "line": tree["words"]["line"][: len(words)],
        "flags": [0] * len(words),
    }
    if words:
        for n, (start, stop) in enumerate(tree["lines"]["words"]):
            tree["lines"]["text"][n] = " ".join(words[start:stop])
    else:
        tree["lines"] = {"text": [], "bbox": [], "words": [], "block": []}
        tree["blocks"] = {"bbox": [], "lines": []}
    path = place.scratch_dir() / "again.tar"
    summary = write_shard(path, [(row.key, [("png", image), ("json", orjson.dumps(tree))])])
    place.put(path, entry.tar)
    meta = IndexMeta(shard=entry.name, sha256=summary.sha256, bytes=summary.bytes, samples=1)
    write_index(place, entry.index, [index_row(summary.samples[0], page_from_dict(tree))], meta)
    return row.key


def test_no_request_leaves_the_page(corpus: Place, tmp_path: Path) -> None:
    text = preview(corpus, tmp_path)
    for found in re.findall(r'(?:src|href|action|data|poster)="([^"]*)"', text):
        assert found.startswith(("data:image/", "#")), found[:80]
    assert not re.search(r"url\(|@import|<link|<iframe|<object|<base", text)
    assert "default-src 'none'; img-src data:" in html.unescape(text)
    assert text.count("<script>") == 1


def test_the_policy_lets_its_own_script_run_and_no_other(corpus: Place, tmp_path: Path) -> None:
    text = preview(corpus, tmp_path)
    script = re.search(r"<script>(.*?)</script>", text, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in html.unescape(text)


def test_every_region_has_its_target_beside_the_page(corpus: Place, tmp_path: Path) -> None:
    text = preview(corpus, tmp_path, pages=20)
    for entry in CorpusInfo.load(corpus).shards:
        for row in read_index(corpus, entry.index):
            assert row.key in text
            tree = corpus.read_range(entry.tar, row.json_offset, row.json_bytes)
            page = page_from_dict(orjson.loads(tree))
            plan = plan_page(page, seed=0, epoch=0, schedule=SCHEDULE)
            for region in plan.regions:
                assert str(escape(region.target)) in text


def test_text_of_a_page_stays_text(corpus: Place, tmp_path: Path) -> None:
    key = rewritten(corpus, [HOSTILE] * 5 + ["\u202esix&"])
    text = preview(corpus, tmp_path, key=key)
    assert HOSTILE not in text
    assert str(escape(HOSTILE)) in text
    assert "\u202e" not in text


def test_same_arguments_give_the_same_bytes(corpus: Place, tmp_path: Path) -> None:
    first = preview(corpus, tmp_path)
    assert preview(corpus, tmp_path) == first
    assert preview(corpus, tmp_path, seed=1) != first


def test_the_summary_counts_what_is_shown(corpus: Place, tmp_path: Path) -> None:
    summary = write_preview(corpus, tmp_path / "p.html", schedule=SCHEDULE, pages=2)
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert summary.pages == 2 == text.count("<article")
    assert set(summary.regions) == set(Level)
    assert sum(summary.regions.values()) == text.count('data-region="p1m') + text.count('"p2m') // 2
    assert summary.leaks == ()
    assert "No leak found in" in text


def test_leaks_are_shown_and_handed_back(
    corpus: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "leaks", lambda image, page, plan: [f"{page.key}: <ink> left"])
    summary = write_preview(corpus, tmp_path / "p.html", schedule=SCHEDULE, pages=2)
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert len(summary.leaks) == 2
    assert "No leak found" not in text
    assert text.count("&lt;ink&gt; left") == 4


def test_only_the_page_of_the_key_is_shown(corpus: Place, tmp_path: Path) -> None:
    key = keys_of(corpus)[3]
    text = preview(corpus, tmp_path, key=key)
    assert re.findall(r"<p class=\"soft\"><code>([^<]*)</code>", text) == [key]


def test_a_level_alone_leaves_the_others_faint(corpus: Place, tmp_path: Path) -> None:
    assert ' faint"' not in preview(corpus, tmp_path, pages=8)
    text = preview(corpus, tmp_path, pages=8, level="light")
    marks = re.findall(r'<a class="mark (\w+)( faint)?"', text)
    assert {level for level, faint in marks if not faint} <= {"light"}
    assert all(faint for level, faint in marks if level != "light")


@pytest.mark.parametrize("operator", ["strokes", "mask_paper"])
def test_an_operator_alone_is_drawn_on_several_lines(
    corpus: Place, tmp_path: Path, operator: str
) -> None:
    text = preview(corpus, tmp_path, operator=operator)
    sheet = text[text.index('id="sheet"') :]
    shown = set(re.findall(r'alt="(\w+) at [\d.]+"', sheet))
    assert shown == {operator}
    assert len(re.findall(r'src="([^"]*)"', sheet)) > 1


def test_a_schedule_of_masks_alone_is_previewed(corpus: Place, tmp_path: Path) -> None:
    mixture = Mixture(clean=0, light=0, moderate=0, heavy=1)
    schedule = replace(SCHEDULE, config=CorruptionConfig(mixture=mixture))
    write_preview(corpus, tmp_path / "p.html", schedule=schedule)
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert schedule.fingerprint in text
    assert schedule.fingerprint != SCHEDULE.fingerprint


def test_an_unknown_key_says_how_keys_are_found(corpus: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no page .* `pagemill explain"):
        preview(corpus, tmp_path, key=page_key("0" * 64, 0))


def test_an_unknown_level_or_operator_names_the_known_ones(corpus: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="clean, light, moderate, heavy"):
        preview(corpus, tmp_path, level="hard")
    with pytest.raises(ConfigError, match=r"gaussian_blur, .*mask_inpaint"):
        preview(corpus, tmp_path, operator="blurr")
    with pytest.raises(ConfigError, match="at least 1 page"):
        preview(corpus, tmp_path, pages=0)
    assert not (tmp_path / "preview.html").exists()


def test_a_corpus_without_words_has_nothing_to_show(corpus: Place, tmp_path: Path) -> None:
    key = rewritten(corpus, [])
    with pytest.raises(ConfigError, match="has no words"):
        preview(corpus, tmp_path, key=key)
    info = CorpusInfo.load(corpus)
    held: dict[str, tuple[ShardEntry, ...]] = {"val": info.splits["val"]}
    replace(info, splits=held).save(corpus)
    with pytest.raises(ConfigError, match=r"no page of .* has words"):
        preview(corpus, tmp_path)


def test_a_folder_cannot_be_the_output(corpus: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write"):
        write_preview(corpus, tmp_path, schedule=SCHEDULE)


@pytest.mark.parametrize("part", ["image", "json"])
def test_a_damaged_page_is_named(corpus: Place, tmp_path: Path, part: str) -> None:
    entry = CorpusInfo.load(corpus).splits["val"][0]
    row = read_index(corpus, entry.index)[0]
    tar = bytearray(corpus.read_bytes(entry.tar))
    start, size = getattr(row, f"{part}_offset"), getattr(row, f"{part}_bytes")
    tar[start : start + size] = bytes(size)
    corpus.write_bytes(entry.tar, bytes(tar))
    with pytest.raises(ShardError, match=f"{row.key}.*pagemill verify") as caught:
        preview(corpus, tmp_path, key=row.key)
    assert caught.value.key == row.key


def test_documents_take_turns(corpus: Place) -> None:
    first = [
        chosen.page.doc_sha256 for chosen, _ in zip(choose_pages(corpus, 0), range(3), strict=False)
    ]
    assert len(set(first)) == 3


def test_pixels_are_left_alone(corpus: Place, tmp_path: Path) -> None:
    before = [chosen.image.copy() for chosen in choose_pages(corpus, 0)]
    preview(corpus, tmp_path)
    for image, chosen in zip(before, choose_pages(corpus, 0), strict=True):
        assert np.array_equal(image, chosen.image)


def test_the_band_of_a_level_is_in_words() -> None:
    assert band_text(Level.CLEAN) == "0%"
    assert band_text(Level.MODERATE) == "40–58%"
