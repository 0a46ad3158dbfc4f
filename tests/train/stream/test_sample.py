"""What a sample of a page holds: text, room, picture, levels, weights; and that it is learned."""

from __future__ import annotations

import numpy as np
import torch
from pagemill.corruption import CorruptionConfig, Mixture, Schedule
from pagemill.corruption.region import RegionConfig
from pagemill.model import PagemillForConditionalGeneration, preset
from pagemill.model.prompt.tokenizer import without_special_tokens
from pagemill.train.stream.sample import IGNORED
from pagemill.train.stream.stream import PageStream
from support.streams import CONFIG, stream


def test_a_read_page_is_its_text_and_its_length_is_known(corpora, processor):
    made = stream(corpora, processor, config=CONFIG)
    text = without_special_tokens(processor.tokenizer.backend_tokenizer)
    seen = 0
    for batch, _ in zip(made.batches(), range(3), strict=False):
        starts = batch.cu_seqlens.tolist()
        budget, at = CONFIG.pack.budget_tokens, 0
        for number, (keys, tasks) in enumerate(zip(batch.keys, batch.tasks_of_packs, strict=True)):
            for key, task in zip(keys, tasks, strict=True):
                start, stop = starts[at] - number * budget, starts[at + 1] - number * budget
                at += 1
                assert batch.position_ids[number, start:stop].tolist() == list(range(stop - start))
                answer = batch.labels[number, start:stop]
                ids = answer[answer != IGNORED].tolist()
                page = page_of(made, key)
                if task == "read":
                    seen += 1
                    assert text.decode(ids).startswith(page.layer.text[:40])
                    whole = [*text.encode(page.layer.text).ids, *made.builder.writer.turn_end]
                    assert ids == whole[: len(ids)]
                    assert len(ids) == min(len(whole), 96)
                else:
                    said = text.decode(ids, skip_special_tokens=False)
                    words = said.removesuffix("<|im_end|>").split()
                    assert all(word in page.layer.text for word in words)
            if at + 1 < len(starts) and starts[at] < (number + 1) * budget:
                at += 1
    assert seen > 20


def page_of(made: PageStream, key: str):
    for source in made.sources:
        found = np.flatnonzero(source.keys == key)
        if len(found):
            return source.page(int(found[0]))
    raise AssertionError(key)


def test_the_picture_takes_the_room_that_the_processor_gives_it(corpora, processor):
    """The stream writes numbers where the processor writes text."""
    made = stream(corpora, processor)
    batch = next(made.batches())
    for source in made.sources:
        for row in range(0, len(source), 7):
            image = source.image(row)
            wanted = processor(image, processor.image_token)["input_ids"][0]
            cut = processor.image_processor.plan(image.shape[1], image.shape[0])
            assert made.builder.writer.picture(cut, 0) == wanted
            assert made.sample_lengths[made.sources.index(source)].pictures[row] == len(wanted)
    places = (batch.input_ids == processor.image_token_id).sum()
    assert int(places) == 8 * len(batch.tgt_sizes)


def test_levels_stand_where_text_was_corrupted(corpora, processor):
    heavy = Schedule(
        config=CorruptionConfig(
            region=RegionConfig(min_length=2.0, share=1.0),
            mixture=Mixture(clean=0.0, light=0.0, moderate=0.0, heavy=1.0),
        )
    )
    made = PageStream(corpora[0], processor, seed=1, schedule=heavy, config=CONFIG)
    batch = next(made.batches())
    learned = batch.labels != IGNORED
    assert set(batch.levels[~learned].tolist()) == {-1}
    levels = batch.levels[learned]
    assert set(levels.tolist()) <= {0, 2, 3}  # what nobody could guess is never hidden wholly
    assert 0.2 < (levels == 3).float().mean() < 1


def test_weights_are_those_of_the_answer(corpora, processor):
    batch = next(stream(corpora, processor).batches())
    weights = batch.loss_weights[0][batch.labels[0] != IGNORED]
    lengths = 1 / weights.square()
    values, counts = lengths.round().unique(return_counts=True)
    assert all(int(count) % int(value) == 0 for value, count in zip(values, counts, strict=True))
    assert not batch.loss_weights[batch.labels == IGNORED][1:].sum() < 0


def test_a_model_learns_from_a_batch(corpora, processor):
    config = preset("nano", query_num=8)
    torch.manual_seed(0)
    model = PagemillForConditionalGeneration(config).train()
    own = stream(corpora, processor).batches(ranks=8)
    losses = []
    batch = next(own)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(4):
        loss = model(**batch.inputs).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.5
