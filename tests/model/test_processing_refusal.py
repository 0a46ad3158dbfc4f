"""What a processor refuses, what it returns, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.model import (
    PagemillImageProcessor,
    PagemillProcessor,
)
from support.processor import (
    CONVERSATION,
    IMAGE,
    VIDEO,
    grey,
    greys,
    mixed,
    talk,
)
from transformers import AutoProcessor, PreTrainedTokenizerFast


@pytest.mark.parametrize(
    ("text", "images", "videos", "wanted"),
    [
        (IMAGE, None, None, ("1 images", "0 were passed")),
        ("none", [grey(1)], None, ("0 images", "1 were passed")),
        (f"{IMAGE}{IMAGE}", [grey(1)] * 3, None, ("2 images", "3 were passed")),
        (VIDEO, None, None, ("1 videos", "0 were passed")),
        (f"{VIDEO}{IMAGE}", [grey(1)], [[grey(1)], [grey(2)]], ("1 videos", "2 were passed")),
    ],
)
def test_another_number_of_pictures_is_refused(processor, text, images, videos, wanted):
    with pytest.raises(ConfigError) as caught:
        processor(images=images, text=text, videos=videos)
    assert all(word in str(caught.value) for word in wanted)


def test_pictures_nested_by_prompt_must_fit_each_prompt(processor):
    """In all they are as many as the texts name, but two belong to the other text."""
    with pytest.raises(ConfigError, match=r"text 0 names 2 images.*1 were passed"):
        processor(images=[[grey(1)], [grey(2), grey(3)]], text=[f"{IMAGE}{IMAGE}", IMAGE])


@pytest.mark.parametrize("side", ["left", "right"])
def test_truncation_that_cuts_a_picture_is_refused(make, words, side):
    processor = make()
    text = f"{'a page ' * 9}{IMAGE}{' a page' * 9}"
    settings = {"text": text, "images": grey(1), "truncation": True}
    whole = len(processor(text=text, images=grey(1))["input_ids"][0])
    before = words.truncation_side
    words.truncation_side = side
    try:
        with pytest.raises(ConfigError, match=r"cuts a picture.*ids=.*text=.*") as caught:
            processor(**settings, max_length=60)
        assert "raise max_length" in str(caught.value)
        (ids,) = processor(**settings, max_length=whole - 5)["input_ids"]
    finally:
        words.truncation_side = before
    assert len(ids) == whole - 5
    assert ids.count(processor.image_token_id) == 64


@pytest.mark.parametrize(
    ("settings", "words_"),
    [
        ({"max_slice_num": 4}, "no setting max_slice_num; did you mean max_slice_nums"),
        ({"nonsense": 1}, "no setting nonsense"),
        ({"audio": [0.5]}, "no setting audio"),
        ({"scale_resolution": 112}, "cannot be set to scale_resolution=112"),
        ({"do_resize": False}, "cannot be set to do_resize=False"),
        ({"images_kwargs": {"size": 3}}, "cannot be set to size=3"),
        ({"fps": 2.0}, r"a video \(video_fps, video_packing\) cannot be set to fps=2.0"),
        ({"max_slice_nums": 0}, "max_slice_nums is 0"),
        ({"rate": 3}, "rate is 3"),
    ],
)
def test_settings_that_mean_nothing_are_refused(processor, settings, words_):
    with pytest.raises(ConfigError, match=words_):
        processor(images=grey(1), text=IMAGE, **settings)


@pytest.mark.parametrize("text", [7, [7], [], [["a"]]])
def test_text_that_is_no_text_is_refused(processor, text):
    with pytest.raises(ConfigError, match="a string or a list of strings"):
        processor(text=text)


def test_kinds_of_tokens_are_told_when_asked(processor):
    out = processor(images=grey(1), text=f"a {IMAGE}", return_mm_token_type_ids=True)
    (ids,), (kinds,) = out["input_ids"], out["mm_token_type_ids"]
    assert [kind == 1 for kind in kinds] == [token == processor.image_token_id for token in ids]


def test_pixels_can_be_bytes_or_floats(make):
    floats = make(images={"do_normalize": True})
    assert floats(images=grey(1), text=IMAGE)["pixel_values"].dtype == np.float32
    assert floats(images=grey(1), text=IMAGE, do_normalize=False)["pixel_values"].dtype == np.uint8


def test_names_of_what_is_returned(processor):
    _, clips = mixed()
    out = processor(images=grey(1), videos=clips[0], text=IMAGE + VIDEO)
    assert set(out) == set(processor.model_input_names)


def test_a_processor_that_cannot_be_is_refused(make, words):
    for settings, words_ in [
        ({"image_token": "<picture>"}, "no token of its own for <picture>"),
        ({"video_token": "<clip>"}, "no token of its own for <clip>"),
        ({"connector": "mlp"}, "there are: resampler3d, shuffle_mlp"),
        ({"query_num": 6}, "query_num is 6"),
        ({"most_packing": 7}, "most_packing is 7; it goes from 1 to 6"),
    ]:
        with pytest.raises(ConfigError, match=words_):
            make(**settings)


def test_a_tokenizer_that_knows_only_an_unknown_token_is_refused(make):
    """One id for every mark, but it is that of what is not known."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    poor = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel({"<unk>": 0}, unk_token="<unk>")), unk_token="<unk>"
    )
    with pytest.raises(ConfigError, match="no token of its own for <image>"):
        PagemillProcessor(PagemillImageProcessor(), poor)


@pytest.mark.parametrize("loader", [PagemillProcessor, AutoProcessor])
def test_a_processor_is_kept_when_saved(make, loader, tmp_path):
    made = make(
        images={"max_slice_nums": 4, "max_pixels": 90_000},
        connector="shuffle_mlp",
        query_num=16,
        use_image_id=False,
        most_packing=5,
    )
    made.save_pretrained(tmp_path)
    loaded = loader.from_pretrained(tmp_path)
    assert isinstance(loaded, PagemillProcessor)
    for name in ("image_token", "video_token", "image_token_id", "connector", "query_num",
                 "use_image_id", "most_packing", "chat_template"):  # fmt: skip
        assert getattr(loaded, name) == getattr(made, name), name
    for name in ("max_slice_nums", "max_pixels", "scale_resolution", "do_normalize"):
        assert getattr(loaded.image_processor, name) == getattr(made.image_processor, name), name
    expected, got = talk(made, *CONVERSATION[:4]), talk(loaded, *CONVERSATION[:4])
    assert got["input_ids"] == expected["input_ids"]
    assert np.array_equal(got["pixel_values"], expected["pixel_values"])


def test_another_chat_template_is_kept(make, tmp_path):
    made = make(chat_template="{{ messages[0].content }}!")
    made.save_pretrained(tmp_path)
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert loaded.apply_chat_template([{"role": "user", "content": "Hm"}]) == "Hm!"


def test_a_video_file_in_a_conversation(processor, tmp_path: Path):
    av = pytest.importorskip("av", reason="needs pagemill[train]")
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=2)
        stream.width = stream.height = 56
        stream.pix_fmt = "bgr0"
        for number in range(4):
            values = np.full((56, 56, 3), 50 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(values, format="rgb24").reformat(format="bgr0")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    turn = {"role": "user", "content": [{"type": "video", "path": str(path)}]}
    out = talk(processor, turn, processor_kwargs={"video_packing": 3})
    assert greys(out) == [0, 50, 100, 150]
    assert out["temporal_ids"].tolist() == [[0, 5, 10], [15, -2, -2]]
