"""The questions about a case are those of training, token for token."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from pagemill.corruption import Schedule, corrupt
from pagemill.engine.config import load
from pagemill.train.evaluate import (
    EvalConfig,
    open_cases,
)
from pagemill.train.evaluate.case import CORRUPTED
from pagemill.train.evaluate.question import case_questions
from pagemill.train.stream.config import StreamConfig
from pagemill.train.stream.inspect import spans
from pagemill.train.stream.sample import LengthPlanner, SampleBuilder, SampleConfig
from pagemill.train.stream.stream import PageStream
from PIL import Image
from support.readers import CONFIG, FEW


def test_prompts_are_those_of_training(corpora, processor, nano_reader):
    """The tokens that `Maker` puts before the answer, for the same page, boxes and phrasing."""
    config = dataclasses.replace(FEW, seed=0, pages=12)
    builder = SampleBuilder(
        LengthPlanner(processor, SampleConfig(), 0), Schedule(), do_normalize=False
    )
    compared = 0
    for case in open_cases(config, processor, corpora):
        page, image = case.source.page(case.row), case.pixels()
        for one in case_questions(case, config, blind=False):
            way = {"read": not one.region_numbers, "phrase": one.prompt.phrasing}
            if one.view == "clean":
                continue
            made = builder.build(page, image, **way, room=500, epoch=0, position=0)
            prompt = nano_reader.prompt(one.prompt)
            start = (
                prompt[: prompt.index(builder.writer.box_marks[0])]
                if one.region_numbers
                else prompt
            )
            assert made.input_ids.tolist()[: len(start)] == start
            pixels = nano_reader.processor.image_processor.patches(
                [Image.fromarray(one.prompt.picture.pixels)],
                [nano_reader.processor.image_processor.plan(page.width, page.height)],
                do_normalize=False,
            )
            assert np.array_equal(pixels, made.pixel_values)
            for number in one.region_numbers:
                region = case.regions[number]
                chosen = [c for c in builder.choose_boxes(page, case.plans[CORRUPTED], 500)
                          if c.first_word == region.first_word]  # fmt: skip
                assert not chosen or chosen[0].box_ids == nano_reader.writer.box(region.box_text)
                compared += len(chosen)
    assert compared > 10


def test_what_was_learned_by_heart_is_asked_for_as_it_was_learned(corpora, processor, nano_reader):
    """Every sample of the stream that restores boxes, up to its phrasing."""
    phrases = nano_reader.writer.phrasings["restore"]
    settings = ["sample.plan_epochs=1", "sample.read_share=0.0", "pack.budget_slices=32",
                "window_samples=16", "pack.budget_tokens=2048", "pack.global_packs=2"]  # fmt: skip
    stream = PageStream(
        {corpora[0]: 1.0}, processor, seed=9, config=load(StreamConfig, None, settings)
    )
    config = EvalConfig(seed=9, pages=0, as_trained=True, read_pages=False)
    prompts = {}
    for case in open_cases(config, processor, corpora[:1]):
        for one in case_questions(case, config, blind=False):
            prompts[case.key] = nano_reader.prompt(one.prompt), one.prompt.phrasing
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


def test_the_first_token_is_that_of_the_forward_pass_of_training(corpora, processor, nano_reader):
    """Prompts of different lengths answered together, against each alone as training has it."""
    config = dataclasses.replace(CONFIG, most_new_tokens=128)
    cases = open_cases(config, processor, corpora)
    questions = [one.prompt for case in cases for one in case_questions(case, config, blind=True)]
    first = [row[0] for row in nano_reader.generate(questions)]
    assert len(set(first)) > 3
    assert len({len(nano_reader.prompt(one)) for one in questions}) > 1
    images = processor.image_processor
    for one, token in zip(questions, first, strict=True):
        picture = Image.fromarray(one.picture.pixels)
        cut = images.plan(*picture.size)
        with torch.no_grad():
            logits = nano_reader.model(
                input_ids=torch.tensor([nano_reader.prompt(one)]),
                pixel_values=torch.from_numpy(images.patches([picture], [cut], do_normalize=False)),
                tgt_sizes=torch.tensor(cut.tgt_sizes),
            ).logits
        assert int(logits[0, -1].argmax()) == token


def test_a_marker_frames_what_is_asked_for(corpora, processor):
    config = dataclasses.replace(FEW, marker=True, read_pages=False)
    case = open_cases(config, processor, corpora)[0]
    first = next(case_questions(case, config, blind=False)).prompt
    plain_page = corrupt(case.pixels(), case.plans[CORRUPTED])
    assert not np.array_equal(first.picture.pixels, plain_page)
