"""OCR engines as readers."""

from __future__ import annotations

import shutil

import pytest
from pagemill.train.evaluate import (
    EvalConfig,
    answer_cases,
    open_cases,
    summarize,
)
from pagemill.train.evaluate.ocr import OcrReader
from support.readers import CONFIG


class Lines:
    """An OCR engine that says how high what it was given is."""

    name, version = "lines", "1"

    def read_lines(self, crops):
        return [f"{crop.shape[0]}px" for crop in crops]

    def read_page(self, image):
        return [("below", (10, 60, 60, 80)), ("right", (80, 10, 140, 30)),
                ("left", (10, 10, 60, 30))]  # fmt: skip


def test_an_engine_is_given_lines_and_its_page_is_put_in_order(cases):
    answers = answer_cases(OcrReader(Lines()), cases, CONFIG)
    assert all(one.blind is None for one in answers)
    for case in cases:
        own = [one for one in answers if one.key == case.key and one.task == "region"]
        for one, region in zip(own, case.regions, strict=True):
            assert len(one.read.split()) == len(region.line_boxes)
    assert {one.read for one in answers if one.task == "page"} == {"left right\nbelow"}


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract")
def test_tesseract_reads_clean_lines_better_than_hidden_ones(corpora, processor):
    from pagemill.corruption.ocr import open_ocr

    config = EvalConfig(pages=12, regions=8, read_pages=False)
    cases = open_cases(config, processor, corpora)
    summary = summarize(answer_cases(OcrReader(open_ocr("tesseract")), cases, config), config)
    assert summary.levels["clean"]["cer"].value < 0.5
    assert summary.levels["heavy"]["cer"].value > 0.8
