"""From documents to tokens: built pages go through the processor and a model on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from pagemill.command import main
from pagemill.engine.image import decode
from pagemill.engine.store.corpus import CorpusInfo
from pagemill.engine.store.index import read_index
from pagemill.engine.store.place import Place
from pagemill.model import PagemillForConditionalGeneration, preset
from transformers import AutoModelForImageTextToText, AutoProcessor

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "documents"
DOCUMENTS = ("paper-en.pdf", "factures-fr.pdf", "slides-en.pdf", "membership-form-en.pdf")
ASK = "Read the page."


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Place:
    out = tmp_path_factory.mktemp("built") / "corpus"
    inputs = [str(EXAMPLES / name) for name in DOCUMENTS]
    assert main.main(["build", *inputs, "--out", str(out), "--workers", "1"]) == 0
    return Place.at(str(out))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("model") / "nano"
    assert main.main(["model", "new", "nano", "--out", str(out), "--router"]) == 0
    return out


@pytest.mark.ray
def test_built_pages_go_through_processor_and_model(built, folder):
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    around = ("<|im_start|>user\n", f"\n{ASK}<|im_end|>\n")
    text = sum(len(processor.tokenizer.encode(part)) for part in around)
    shapes = set()
    for entry in CorpusInfo.load(built).shards:
        for row in read_index(built, entry.index):
            image = decode(built.read_range(entry.tar, row.image_offset, row.image_bytes))
            inputs = processor.apply_chat_template(
                [{"role": "user", "content": [
                    {"type": "image", "image": image}, {"type": "text", "text": ASK},
                ]}],
                tokenize=True, return_dict=True, return_tensors="pt",
            )  # fmt: skip
            by_formula = processor.image_tokens(row.width, row.height)
            assert inputs["input_ids"].shape[1] == text + by_formula, row.key
            if (row.width, row.height) in shapes:
                continue
            shapes.add((row.width, row.height))
            with torch.no_grad():
                logits = model(**inputs).logits
            assert torch.isfinite(logits).all(), row.key
            out = model.generate(**inputs, max_new_tokens=3, do_sample=False)
            assert out.shape[1] <= inputs["input_ids"].shape[1] + 3
    assert len(shapes) > 1


def test_a_model_is_shown_as_text_and_as_json(folder, capsys):
    assert main.main(["model", "show", "nano"]) == 0
    shown = capsys.readouterr().out
    assert "parameters" in shown
    assert "A4" in shown
    assert main.main(["model", "show", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["parameters"]


def test_a_model_goes_out_in_the_released_layout_and_comes_back(tmp_path, folder, capsys):
    first, released, back = tmp_path / "first", tmp_path / "released", tmp_path / "back"
    config = preset("nano")
    config.vision_config.position = "bucket"
    model = PagemillForConditionalGeneration(config).eval()
    model.save_pretrained(first)
    AutoProcessor.from_pretrained(folder).save_pretrained(first)
    assert main.main(["model", "export", str(first), "--out", str(released)]) == 0
    words = ["model", "import", str(released), "--from", "minicpm-v-4.5", "--out", str(back)]
    assert main.main(words) == 0
    assert "tensors" in capsys.readouterr().out
    again = AutoModelForImageTextToText.from_pretrained(back).eval()
    ids = torch.tensor([[40, 41, 42]])
    assert torch.equal(again(ids).logits, model(ids).logits)


def test_what_the_released_layout_cannot_hold_is_said(tmp_path, folder, capsys):
    assert main.main(["model", "export", str(folder), "--out", str(tmp_path / "x")]) == 1
    assert "vision_config.position" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_wrong_commands_say_what_is_wrong(tmp_path, capsys):
    assert main.main(["model", "show", "nanoo"]) == 2
    assert "nano" in capsys.readouterr().err
    assert main.main(["model", "new", "base", "--out", str(tmp_path / "x")]) == 2
    assert "--tokenizer" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    assert main.main(["model", "new", "nano", "--out", str(tmp_path / "full")]) == 2
    assert "has files in it" in capsys.readouterr().err
    missing = str(tmp_path / "none")
    assert main.main(
        ["model", "import", missing, "--from", "minicpm-v-4.5", "--out", str(tmp_path / "y")]
    ) == 1  # fmt: skip
    assert "none" in capsys.readouterr().err
