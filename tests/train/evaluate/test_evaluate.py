"""Evaluation: what is asked, by whom it is answered, and what comes of it."""

from __future__ import annotations

import base64
import dataclasses
import json
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from pagemill.command.terminal.evaluation import evaluation_notes, evaluation_table
from pagemill.corruption import Mixture, Schedule, corrupt, plan_page
from pagemill.corruption.schedule import CorruptionConfig
from pagemill.engine.config import describe, load
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.engine.image import decode
from pagemill.model.create import create
from pagemill.model.folder import model_folder
from pagemill.model.load import load_reader
from pagemill.model.prompt.tokenizer import without_special_tokens
from pagemill.train.evaluate import (
    EvalConfig,
    ModelReader,
    Reply,
    answer_cases,
    open_cases,
    summarize,
    write_evaluation,
)
from pagemill.train.evaluate.case import CORRUPTED
from pagemill.train.evaluate.ocr import OcrReader
from pagemill.train.evaluate.plan import read_plans, write_plans
from pagemill.train.evaluate.question import case_questions
from pagemill.train.evaluate.transformers import TransformersReader
from pagemill.train.stream.inspect import spans
from pagemill.train.stream.sample import LengthPlanner, SampleBuilder, SampleConfig
from pagemill.train.stream.stream import PageStream, StreamConfig
from PIL import Image

LEVELS = {"clean", "light", "moderate", "heavy"}
DOCS = Path(__file__).resolve().parents[3] / "docs" / "evaluate.md"
CONFIG = EvalConfig(pages=8, regions=8, batch=4, most_new_tokens=64, shown=6)
FEW = dataclasses.replace(CONFIG, pages=2, regions=4, most_new_tokens=24)


class Knowing:
    """Reads what it is told stands there; without that, what the question alone suggests."""

    kind = "fake"
    answers_blind = True

    def __init__(self, cases=(), config=CONFIG, name="knowing") -> None:
        self.name = name
        self.known = {}
        self.batches = []
        for case in cases:
            for one in case_questions(case, config, blind=False):
                texts = tuple(case.regions[n].target for n in one.region_numbers) or (case.text,)
                self.known[self.sign(one.question)] = texts

    def sign(self, question):
        return question.picture.pixels.tobytes(), question.box_texts

    def answer(self, questions):
        self.batches.append(len(questions))
        replies = []
        for one in questions:
            count = len(one.boxes) or 1
            texts = self.known.get(self.sign(one), ("",) * count)
            replies.append(Reply(texts, (False,) * count))
        return replies


class Guessing(Knowing):
    """Answers by the place of a box, and never looks at the picture."""

    def answer(self, questions):
        return [
            Reply(tuple(f"box {where}" for where in one.box_texts) or ("page",),
                  (True,) * (len(one.boxes) or 1))
            for one in questions
        ]  # fmt: skip


@pytest.fixture(scope="module")
def cases(corpora, processor):
    return open_cases(CONFIG, processor, corpora)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, processor):
    """A nano model whose random weights are large, so that its answers depend on what it is asked,
    and the processor of these tests.
    """
    out = tmp_path_factory.mktemp("nano") / "nano"
    model = create("nano", out, query_num=8)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4 if weight.ndim > 1 else 1)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def reader(folder):
    return load_reader(folder)


def test_cases_are_a_function_of_seed_and_corpus(corpora, processor, cases):
    again = open_cases(CONFIG, processor, tuple(reversed(corpora)))
    assert [case.key for case in again] == [case.key for case in cases]
    assert [case.regions for case in again] == [case.regions for case in cases]
    assert len(cases) == 8
    other = open_cases(dataclasses.replace(CONFIG, seed=1), processor, corpora)
    assert [case.key for case in other] != [case.key for case in cases]
    more = open_cases(dataclasses.replace(CONFIG, pages=20), processor, corpora)
    assert [case.key for case in more][:8] == [case.key for case in cases]


def test_regions_of_every_level_are_asked_for(cases):
    assert {one.level for case in cases for one in case.regions} == LEVELS
    for case in cases:
        assert len(case.regions) <= CONFIG.regions
        assert sorted(n for group in case.groups for n in group) == list(range(len(case.regions)))
        assert [one.first_word for one in case.regions] == sorted(
            one.first_word for one in case.regions
        )
        for group in case.groups:
            tokens = [case.regions[n].tokens + 1 for n in group]
            assert len(group) == 1 or sum(tokens) <= CONFIG.most_new_tokens // 2
        assert not any("\n" in one.target for one in case.regions)


def test_what_stands_there_is_read_without_an_error(cases):
    answers = answer_cases(Knowing(cases), cases, CONFIG)
    summary = summarize(answers, CONFIG).to_dict()
    for level in LEVELS:
        assert summary["levels"][level]["cer"]["value"] == 0
        assert summary["levels"][level]["exact"]["value"] == 1
        assert summary["levels"][level]["jaccard"]["value"] == 1
        assert summary["levels"][level]["blind_exact"]["value"] == 0
    for name in ("clean", "corrupted"):
        assert summary["pages"][name]["cer"]["value"] == summary["pages"][name]["wer"]["value"] == 0
    assert summary["truncated"] == 0
    assert summary["cases"] == len(answers)
    assert summary["reader"] == {"name": "knowing", "kind": "fake"}


def test_who_reads_nothing_gets_everything_wrong(cases):
    summary = summarize(answer_cases(Knowing(), cases, CONFIG), CONFIG)
    for own in (*summary.levels.values(), *summary.pages.values()):
        assert own["cer"].value == own["wer"].value == 1
    assert all(own["exact"].value == 0 for own in summary.levels.values())


def test_who_does_not_look_reads_as_much_blind(cases):
    answers = answer_cases(Guessing(), cases, CONFIG)
    assert all(one.read == one.blind for one in answers if one.task == "region")
    summary = summarize(answers, CONFIG)
    for own in summary.levels.values():
        assert own["exact"] == own["blind_exact"]
        assert own["jaccard"] == own["blind_jaccard"]
    assert summary.truncated == len(answers)


def test_the_summary_has_the_same_figures_whoever_read_which_cases(cases):
    knowing = Knowing(cases)
    knowing.known = {one: texts for one, texts in knowing.known.items() if len(texts[0]) % 2}
    whole = answer_cases(knowing, cases, CONFIG)
    shared = [one for rank in range(3) for one in answer_cases(knowing, cases[rank::3], CONFIG)]
    one, other = (summarize(own, CONFIG).to_dict() for own in (whole, shared))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert summarize(answer_cases(knowing, [], CONFIG), CONFIG).to_dict()["cases"] == 0


def test_the_summary_has_the_agreed_form(cases):
    config = dataclasses.replace(CONFIG, blind=False)
    summary = summarize(answer_cases(Knowing(cases), cases, config), config).to_dict()
    assert set(summary) == {
        "cases", "pages", "levels", "truncated", "failed", "seconds", "reader",
    }  # fmt: skip
    assert set(summary["levels"]["heavy"]) == {"cer", "wer", "exact", "jaccard"}
    assert set(summary["pages"]) == {"clean", "corrupted"}
    assert set(summary["pages"]["clean"]["cer"]) == {"value", "low", "high", "n"}
    orjson.dumps(summary)


def test_prompts_are_answered_in_batches_and_progress_is_told(cases):
    told_of, knowing = [], Knowing(cases)
    answer_cases(knowing, cases, CONFIG, lambda done, total: told_of.append((done, total)))
    assert max(knowing.batches) == CONFIG.batch
    assert sum(knowing.batches) == told_of[-1][0] == told_of[-1][1]


def test_answers_are_plain_data(cases):
    answers = answer_cases(Knowing(cases), cases, CONFIG)
    assert pickle.loads(pickle.dumps(answers)) == answers
    row = json.loads(orjson.dumps(answers[0].to_dict()))
    assert row["key"].startswith(row["document"])
    assert [one.crop is not None for one in answers] == [one.shown for one in answers]


def test_the_pictures_kept_show_every_level(cases, tmp_path):
    answers = answer_cases(Knowing(cases), cases, CONFIG)
    path = tmp_path / "evaluations" / "step-000010.json"
    write_evaluation(path, summarize(answers, CONFIG), answers, step=10)
    tree = json.loads(path.read_bytes())
    assert tree["step"] == 10
    assert tree["summary"]["cases"] == len(answers)
    assert len(tree["samples"]) == CONFIG.shown
    assert {one["level"] for one in tree["samples"]} == LEVELS
    for one in tree["samples"]:
        picture = decode(base64.b64decode(one["crop"]))
        x0, y0, x1, y1 = one["box"]
        assert picture.shape[0] >= int(y1 - y0)
        assert picture.shape[1] >= int(x1 - x0)
        assert (one["cer"], one["exact"]) == (0.0, True)
        assert set(one) == {
            "key", "box", "level", "kind", "target", "read", "blind", "cer", "exact", "crop",
        }  # fmt: skip


def test_plans_come_back_from_their_file_as_they_were(cases, corpora, processor, tmp_path):
    path = tmp_path / "plans.jsonl"
    plans = [case.plans[CORRUPTED] for case in cases]
    write_plans(path, plans)
    assert read_plans(path) == plans
    frozen = dataclasses.replace(CONFIG, plans=str(path), pages=1)
    again = open_cases(frozen, processor, corpora)
    assert [case.plans[CORRUPTED] for case in again] == plans
    assert [case.regions for case in again] == [case.regions for case in cases]


def spoilt(plan, what):
    tree = plan.to_dict()
    if what == "size":
        tree["width"] += 1
    elif what == "page":
        tree["key"] = "0" * 20 + "_00000"
    elif what == "text":
        tree["regions"] = [{**one._asdict(), "target": "otter"} for one in plan.regions]
    elif what == "schema":
        tree["schema"] = "pagemill.plan.0"
    return orjson.dumps(tree)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("size", r"the plan for {key} is of an image of \d+ x \d+ px"),
        ("page", "a plan for 00000000000000000000_00000, which is not among"),
        ("text", "the plan for {key} has the text 'otter'"),
        ("schema", "line 1: the plan has the schema 'pagemill.plan.0'"),
    ],
)
def test_plans_that_do_not_fit_are_refused(cases, corpora, processor, tmp_path, what, message):
    path = tmp_path / "plans.jsonl"
    case = next(case for case in cases if case.plans[CORRUPTED].regions)
    path.write_bytes(spoilt(case.plans[CORRUPTED], what) + b"\n")
    with pytest.raises(ConfigError, match=message.format(key=case.key)):
        open_cases(dataclasses.replace(CONFIG, plans=str(path)), processor, corpora)


def test_files_without_usable_plans_are_refused(cases, tmp_path):
    path = tmp_path / "plans.jsonl"
    with pytest.raises(ConfigError, match="cannot read the plans"):
        read_plans(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no plans"):
        read_plans(path)
    write_plans(path, [cases[0].plans[CORRUPTED]] * 2)
    with pytest.raises(ConfigError, match=f"several plans for {cases[0].key}"):
        read_plans(path)


def test_what_is_no_corpus_is_refused_and_conversations_are_left_out(corpora, processor, tmp_path):
    with pytest.raises(ConfigError, match=r"pagemill build .* --out corpus"):
        open_cases(CONFIG, processor, [str(tmp_path)])
    with pytest.raises(ConfigError, match="has no split 'val'; there are: train"):
        open_cases(dataclasses.replace(CONFIG, split="val"), processor, corpora)
    with pytest.raises(ConfigError, match="the evaluation has no corpus"):
        open_cases(CONFIG, processor, ["talks.jsonl"])
    few = open_cases(FEW, processor, ["talks.jsonl", corpora[1]])
    assert len(few) == 2


def test_the_plans_of_training_can_be_evaluated(corpora, processor):
    schedule = Schedule(config=CorruptionConfig(mixture=Mixture(heavy=1.0)))
    config = dataclasses.replace(CONFIG, seed=3, epoch=2, position=7)
    for case in open_cases(config, processor, corpora, schedule=schedule):
        page = case.source.page(case.row)
        assert case.plans[CORRUPTED] == plan_page(
            page, seed=3, epoch=2, schedule=schedule, position=7
        )


def test_pages_at_one_level_have_the_same_regions(corpora, processor):
    config = dataclasses.replace(CONFIG, page_levels=True)
    cases = [case for case in open_cases(config, processor, corpora) if case.text]
    assert cases
    for case in cases:
        for name in ("light", "moderate", "heavy"):
            plan = case.plans[name]
            assert {str(one.level) for one in plan.regions} <= {"clean", name}
            assert [one.words for one in plan.regions] == [
                one.words for one in case.plans[CORRUPTED].regions
            ]
    summary = summarize(answer_cases(Knowing(cases, config), cases, config), config)
    assert list(summary.pages) == ["clean", "corrupted", "light", "moderate", "heavy"]


def test_prompts_are_those_of_training(corpora, processor, reader):
    """The tokens that `Maker` puts before the answer, for the same page, boxes and phrasing."""
    config = dataclasses.replace(FEW, seed=0, pages=12)
    maker = SampleBuilder(
        LengthPlanner(processor, SampleConfig(), 0), Schedule(), do_normalize=False
    )
    compared = 0
    for case in open_cases(config, processor, corpora):
        page, image = case.source.page(case.row), case.pixels()
        for one in case_questions(case, config, blind=False):
            way = {"read": not one.region_numbers, "phrase": one.question.phrasing}
            if one.view == "clean":
                continue
            made = maker.make(page, image, **way, room=500, epoch=0, position=0)
            prompt = reader.prompt(one.question)
            start = (
                prompt[: prompt.index(maker.writer.box_marks[0])] if one.region_numbers else prompt
            )
            assert made.input_ids.tolist()[: len(start)] == start
            pixels = reader.processor.image_processor.patches(
                [Image.fromarray(one.question.picture.pixels)],
                [reader.processor.image_processor.plan(page.width, page.height)],
                do_normalize=False,
            )
            assert np.array_equal(pixels, made.pixel_values)
            for number in one.region_numbers:
                region = case.regions[number]
                chosen = [c for c in maker.chosen(page, case.plans[CORRUPTED], 500)
                          if c.place == region.first_word]  # fmt: skip
                assert not chosen or chosen[0].asked == reader.writer.box(region.box_text)
                compared += len(chosen)
    assert compared > 10


def test_answers_are_the_same_in_a_batch_and_one_by_one(corpora, processor, reader):
    cases = open_cases(FEW, processor, corpora)
    one = dataclasses.replace(FEW, batch=1)
    rows = [answer_cases(reader, cases, config) for config in (FEW, one)]
    texts = [[(a.read, a.blind, a.truncated) for a in own] for own in rows]
    assert texts[0] == texts[1]
    assert any(a.read for a in rows[0])


def test_what_was_learned_by_heart_is_asked_for_as_it_was_learned(corpora, processor, reader):
    """Every sample of the stream that restores boxes, up to its phrasing."""
    phrases = reader.writer.phrasings["restore"]
    settings = ["sample.plan_epochs=1", "sample.read_share=0.0", "pack.budget_slices=32",
                "window_samples=16", "pack.budget_tokens=2048", "pack.global_packs=2"]  # fmt: skip
    stream = PageStream(
        {corpora[0]: 1.0}, processor, seed=9, config=load(StreamConfig, None, settings)
    )
    config = EvalConfig(seed=9, pages=0, as_trained=True, read_pages=False)
    prompts = {}
    for case in open_cases(config, processor, corpora[:1]):
        for one in case_questions(case, config, blind=False):
            prompts[case.key] = reader.prompt(one.question), one.question.phrasing
    compared = 0
    batch = next(stream.batches())
    for row, (keys, tasks) in enumerate(zip(batch.keys, batch.tasks_of_packs, strict=True)):
        for key, task, (start, stop) in zip(keys, tasks, spans(batch, row), strict=True):
            if task == "restore":
                ids = batch.input_ids[row, start:stop].tolist()
                labels = batch.labels[row, start:stop].tolist()
                asked = ids[: next(n for n, one in enumerate(labels) if one != -100)]
                prompt, phrase = prompts[key]
                own = [without(prompt, phrases[phrase], other) for other in phrases]
                assert asked in own, key
                compared += 1
    assert compared


def without(prompt, phrase, other):
    """A prompt with another phrasing."""
    width = len(phrase)
    at = next(n for n in range(len(prompt)) if prompt[n : n + width] == phrase)
    return [*prompt[:at], *other, *prompt[at + width :]]


def test_the_first_token_is_that_of_the_forward_pass_of_training(corpora, processor, reader):
    """Prompts of different lengths answered together, against each alone as training has it."""
    config = dataclasses.replace(CONFIG, most_new_tokens=128)
    cases = open_cases(config, processor, corpora)
    questions = [one.question for case in cases for one in case_questions(case, config, blind=True)]
    first = [row[0] for row in reader.generate(questions)]
    assert len(set(first)) > 3
    assert len({len(reader.prompt(one)) for one in questions}) > 1
    images = processor.image_processor
    for one, token in zip(questions, first, strict=True):
        picture = Image.fromarray(one.picture.pixels)
        cut = images.plan(*picture.size)
        with torch.no_grad():
            logits = reader.model(
                input_ids=torch.tensor([reader.prompt(one)]),
                pixel_values=torch.from_numpy(images.patches([picture], [cut], do_normalize=False)),
                tgt_sizes=torch.tensor(cut.tgt_sizes),
            ).logits
        assert int(logits[0, -1].argmax()) == token


def test_each_picture_is_encoded_once(corpora, processor, folder, monkeypatch):
    reader, seen = load_reader(folder), []
    encode = reader.model.encode_images
    monkeypatch.setattr(
        reader.model, "encode_images", lambda *a, **k: seen.append(1) or encode(*a, **k)
    )
    config = dataclasses.replace(FEW, most_new_tokens=8, regions=6)
    cases = open_cases(config, processor, corpora[:1])
    asked = [one for case in cases for one in case_questions(case, config, blind=True)]
    whole = sum(bool(case.text) for case in cases)
    sizes = {(case.width, case.height) for case in cases}
    answer_cases(reader, cases, config)
    assert len(seen) <= len(cases) + whole + len(sizes) < len(asked)


def test_the_model_is_left_in_the_mode_in_which_it_came(corpora, processor, reader):
    cases = open_cases(dataclasses.replace(FEW, pages=1, most_new_tokens=8), processor, corpora)
    own = ModelReader(reader.model.train(), processor)
    answer_cases(own, cases, FEW)
    assert own.model.training
    own.model.eval()
    answer_cases(own, cases, FEW)
    assert not own.model.training


def test_an_answer_has_a_line_for_each_box(corpora, processor, reader):
    config = dataclasses.replace(CONFIG, most_new_tokens=256)
    case = next(c for c in open_cases(config, processor, corpora) if len(c.groups[0]) > 1)
    asked = next(case_questions(case, config, blind=False)).question
    encode = without_special_tokens(processor.tokenizer.backend_tokenizer).encode
    count = len(asked.boxes)
    ids = encode("\n".join(f"line {n}" for n in range(count))).ids
    assert reader.parse([*ids, reader.end_id], asked).texts == tuple(
        f"line {n}" for n in range(count)
    )
    short = reader.parse(encode("one").ids, asked)
    assert short.texts == ("one", *[""] * (count - 1))
    assert all(short.truncated)
    more = reader.parse([*ids, *encode("\nand more").ids, reader.end_id], asked)
    assert more.texts[-1] == f"line {count - 1} and more"
    assert not any(more.truncated)


def test_a_foreign_model_is_asked_for_one_framed_region_at_a_time(corpora, processor, folder):
    config = dataclasses.replace(FEW, pages=1, most_new_tokens=8)
    cases = open_cases(config, processor, corpora)
    foreign = TransformersReader(str(folder))
    answers = answer_cases(foreign, cases, config)
    assert [one.reader_kind for one in answers] == ["transformers"] * len(answers)
    question = next(case_questions(cases[0], config, blind=False)).question
    shown = np.asarray(foreign.messages(question, question.boxes[0])[0]["content"][0]["image"])
    red = (shown == (255, 0, 0)).all(axis=2)
    assert 0 < red.sum() < shown.shape[0] * shown.shape[1] / 10
    with pytest.raises(ConfigError, match="there is no folder /no/where"):
        TransformersReader("/no/where")


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


def test_a_marker_frames_what_is_asked_for(corpora, processor):
    config = dataclasses.replace(FEW, marker=True, read_pages=False)
    case = open_cases(config, processor, corpora)[0]
    first = next(case_questions(case, config, blind=False)).question
    plain_page = corrupt(case.pixels(), case.plans[CORRUPTED])
    assert not np.array_equal(first.picture.pixels, plain_page)


def test_a_checkpoint_is_found_in_its_run(folder, tmp_path):
    run = tmp_path / "run"
    for step, whole in ((100, True), (2000, True), (3000, False)):
        own = run / "checkpoints" / f"step-{step:06d}"
        shutil.copytree(folder, own / "model")
        if whole:
            (own / "checkpoint.json").write_text("{}", encoding="utf-8")
    assert model_folder(folder) == folder
    assert model_folder(run / "checkpoints" / "step-000100").parent.name == "step-000100"
    assert model_folder(run).parent.name == "step-002000"
    with pytest.raises(CheckpointError, match="does not exist"):
        model_folder(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match=r"name a folder with a config\.json"):
        model_folder(tmp_path)
    (run / "checkpoints" / "step-000100" / "checkpoint.json").unlink()
    (run / "checkpoints" / "step-002000" / "checkpoint.json").unlink()
    with pytest.raises(CheckpointError, match="no complete checkpoint yet"):
        model_folder(run)


def test_a_model_of_another_kind_is_named_as_such(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}', encoding="utf-8")
    with pytest.raises(ConfigError, match="'qwen3', not one of Pagemill: name it with --model"):
        load_reader(tmp_path)


def test_the_table_is_aligned(cases):
    readers = [Knowing(cases, name="a model with a long name"), Guessing(name="guess")]
    summaries = [summarize(answer_cases(one, cases, CONFIG), CONFIG) for one in readers]
    lines = list(evaluation_table(summaries))
    head = lines[0].split("   ")[0]
    assert head == "regions, CER"
    starts = {line.index(name) for name in ("clean", "moderate") for line in lines if name in line
              and line.startswith("regions")}  # fmt: skip
    assert len(starts) == 2
    assert any(line.startswith("guess, blind") for line in lines)
    assert re.search(r"100\.0% \(\d+\.\d–100\.0\)", "\n".join(lines))
    assert "answers cut off" in "\n".join(evaluation_notes(summaries))


def test_settings_are_checked_and_told_in_the_guide():
    for wrong in ("batch=0", "most_new_tokens=7", "regions=-1", "regions=0\tread_pages=false"):
        with pytest.raises(ConfigError, match="the evaluation"):
            load(EvalConfig, None, wrong.split("\t"))
    guide = DOCS.read_text(encoding="utf-8")
    for name, _, meaning in describe(EvalConfig):
        assert meaning, name
        assert f"`{name}`" in guide, name
