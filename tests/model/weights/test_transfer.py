"""Weights from and to other layouts: bounded memory, whole or nothing, every fault named."""

from __future__ import annotations

import json
import weakref
from pathlib import Path

import pytest
import torch
from pagemill.engine.errors import CheckpointError, ConfigError
from pagemill.model.weights import export_checkpoint, import_checkpoint, store
from pagemill.model.weights.report import Report, collapsed
from safetensors import safe_open
from support.released import (
    CHAT,
    MARKS,
    QUERIES,
    RELEASED,
    WIDTH,
    contents,
    write_released,
    write_tokenizer,
)


def test_no_more_than_a_shard_and_a_tensor_are_in_memory(tmp_path, released, tensors, monkeypatch):
    """Counts the bytes of source tensors that are alive while 3 MB go through shards of 600 kB."""
    held = {"now": 0, "most": 0}
    read = store.Store.read

    def counted(self, name):
        tensor = read(self, name)
        held["now"] += tensor.nbytes
        held["most"] = max(held["most"], held["now"])
        weakref.finalize(tensor, lambda size: held.update(now=held["now"] - size), tensor.nbytes)
        return tensor

    monkeypatch.setattr(store.Store, "read", counted)
    shard_bytes, largest = 600_000, max(tensor.nbytes for tensor in tensors.values())
    import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", shard_bytes=shard_bytes)
    assert sum(tensor.nbytes for tensor in tensors.values()) > 4 * shard_bytes
    assert largest <= held["most"] <= max(shard_bytes, largest)
    for path in (tmp_path / "out").glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            one = len(list(file.keys())) == 1
        assert one or path.stat().st_size <= shard_bytes + 10_000


def test_progress_goes_up_to_the_total(tmp_path, released):
    steps: list[tuple[int, int]] = []
    report = import_checkpoint(
        released, tmp_path / "out", layout="minicpm-v-4.5",
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert len(steps) == report.tensors
    assert steps == sorted(steps)
    assert steps[-1] == (report.bytes, report.bytes)


def test_a_run_that_stops_leaves_nothing(tmp_path, released):
    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_checkpoint(
            released, tmp_path / "out", layout="minicpm-v-4.5", shard_bytes=500_000, progress=stop
        )
    assert list(tmp_path.iterdir()) == []


def test_while_it_is_being_written_nothing_has_the_final_name(tmp_path, released):
    seen = set()
    import_checkpoint(
        released, tmp_path / "out", layout="minicpm-v-4.5",
        progress=lambda done, total: seen.update(path.name for path in tmp_path.iterdir()),
    )  # fmt: skip
    assert all(name.startswith(".out.") and name.endswith(".part") for name in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path, released):
    out = tmp_path / "out"
    out.mkdir()
    import_checkpoint(released, out, layout="minicpm-v-4.5")
    before = contents(out)
    with pytest.raises(CheckpointError, match="exists and is not empty: name another folder"):
        import_checkpoint(released, out, layout="minicpm-v-4.5")
    with pytest.raises(CheckpointError, match="exists and is not empty"):
        export_checkpoint(out, out)
    assert contents(out) == before


def refused(tmp_path: Path, source: Path, **settings) -> str:
    """The message with which an import is refused; it leaves nothing behind."""
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5", **settings)
    assert {path.name for path in tmp_path.iterdir()} == before
    return str(caught.value)


def test_missing_tensors_are_named_once_for_all_layers(tmp_path, tensors):
    some = {name: one for name, one in tensors.items() if "q_norm" not in name}
    del some["resampler.proj"]
    text = refused(tmp_path, write_released(tmp_path / "in", some))
    assert "missing from the source (3):" in text
    assert "language_model.model.layers.*.self_attn.q_norm.weight (2 times: 0-1)" in text
    assert "connector.proj" in text
    assert "nothing was written" in text


def test_unexpected_tensors_are_named(tmp_path, tensors):
    more = {**tensors, "apm.conv1.weight": torch.zeros(2), "llm.model.extra": torch.zeros(2)}
    text = refused(tmp_path, write_released(tmp_path / "in", more))
    assert "without a place (2):\n  apm.conv1.weight\n  llm.model.extra" in text


def test_misshapen_tensors_are_named_with_both_shapes(tmp_path, tensors):
    text = refused(tmp_path, write_released(tmp_path / "in", tensors, query_num=16))
    assert f"connector.query: [{QUERIES}, {WIDTH}] in the source, [16, {WIDTH}] needed" in text
    wide = {
        name: torch.zeros(65, WIDTH) if name.endswith("gate_proj.weight") else one
        for name, one in tensors.items()
    }
    text = refused(tmp_path, write_released(tmp_path / "wide", wide))
    assert "layers.*.mlp.gate_proj.weight (2 times: 0-1): [65, 256] in the source, [64" in text


def test_a_dropped_last_layer_is_not_expected(tmp_path, tensors):
    fewer = {
        name: one for name, one in tensors.items() if not name.startswith("vpm.encoder.layers.1.")
    }
    source = write_released(tmp_path / "in", fewer, tokenizer=False, drop_vision_last_layer=True)
    report = import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    assert report.tensors == len(fewer)


def test_faults_are_found_before_anything_is_read(tmp_path, tensors, monkeypatch):
    monkeypatch.setattr(store.Store, "read", lambda self, name: pytest.fail("read too early"))
    refused(tmp_path, write_released(tmp_path / "in", tensors, query_num=16))


def cut_off(source: Path) -> None:
    path = source / "model-00002-of-00003.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def garbage(source: Path) -> None:
    (source / "model-00002-of-00003.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not json at all!")


def empty(source: Path) -> None:
    (source / "model-00002-of-00003.safetensors").write_bytes(b"")


def pointer(source: Path) -> None:
    (source / "model-00002-of-00003.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    )


def swapped(source: Path) -> None:
    first, second = (source / f"model-0000{n}-of-00003.safetensors" for n in (1, 2))
    second.write_bytes(first.read_bytes())


def broken_index(source: Path) -> None:
    (source / "model.safetensors.index.json").write_text('{"weight_map": ')


def remove(name: str):
    def act(source: Path) -> None:
        (source / name).unlink()

    return act


def other_model(source: Path) -> None:
    (source / "config.json").write_text(json.dumps({**RELEASED, "version": 2.6}))


def wrong_type(source: Path) -> None:
    (source / "config.json").write_text(json.dumps({**RELEASED, "num_hidden_layers": "two"}))


def other_tokenizer(source: Path) -> None:
    write_tokenizer(source, [*CHAT, *MARKS])


def no_weights(source: Path) -> None:
    for path in source.glob("model*"):
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut_off, ["model-00002-of-00003.safetensors", "cut off or damaged", "again"]),
        (garbage, ["model-00002-of-00003.safetensors", "cut off or damaged", "again"]),
        (empty, ["model-00002-of-00003.safetensors (0 bytes)", "again"]),
        (pointer, ["model-00002-of-00003.safetensors", "git lfs pull"]),
        (swapped, ["model-00002-of-00003.safetensors does not hold", "different checkpoints"]),
        (remove("model-00003-of-00003.safetensors"), ["00003-of-00003.safetensors is missing"]),
        (remove("model.safetensors.index.json"), ["holds no weights", "model.safetensors"]),
        (no_weights, ["holds no weights"]),
        (broken_index, ["model.safetensors.index.json is no JSON", "again"]),
        (remove("config.json"), ["config.json is missing"]),
        (other_model, ["version 2.6", "minicpm-v-4.5 is 'minicpmv', version 4.5"]),
        (wrong_type, ["config.json cannot be used", "num_hidden_layers"]),
        (other_tokenizer, ["tokenizer.json has no <unk>"]),
    ],
)
def test_a_damaged_source_is_refused_by_name(tmp_path, tensors, harm, words):
    source = write_released(tmp_path / "in", tensors, shards=3)
    harm(source)
    text = refused(tmp_path, source)
    for word in words:
        assert word in text


def test_a_damaged_torch_file_is_refused_by_name(tmp_path, tensors):
    source = write_released(tmp_path / "in", tensors, torch_files=True)
    path = source / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:-500])
    assert "pytorch_model.bin" in refused(tmp_path, source)


def test_a_torch_file_with_code_in_it_is_not_run(tmp_path, tensors):
    source = write_released(tmp_path / "in", tensors, torch_files=True)
    torch.save({"llm": Report}, source / "pytorch_model.bin")
    assert "pytorch_model.bin" in refused(tmp_path, source)


def test_a_marked_tokenizer_is_needed_before_weights_are_copied(tmp_path, tensors, monkeypatch):
    source = write_released(tmp_path / "in", tensors)
    write_tokenizer(source, [*CHAT, "<unk>"])
    monkeypatch.setattr(store.Store, "read", lambda self, name: pytest.fail("read too early"))
    with pytest.raises(ConfigError, match="no token of its own for <image>"):
        import_checkpoint(source, tmp_path / "out", layout="minicpm-v-4.5")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_noticed_first(tmp_path, released, monkeypatch):
    monkeypatch.setattr(store.shutil, "disk_usage", lambda folder: type("U", (), {"free": 10})())
    assert "bytes free" in refused(tmp_path, released)


def test_settings_that_cannot_be_are_refused(tmp_path, released, imported):
    with pytest.raises(ConfigError, match=r"minicpm-v-4\.5, siglip\+qwen3"):
        import_checkpoint(released, tmp_path / "out", layout="llava")
    with pytest.raises(ConfigError, match=r"to export: minicpm-v-4\.5"):
        export_checkpoint(imported, tmp_path / "out", layout="siglip+qwen3")
    with pytest.raises(ConfigError, match="shard_bytes is 0"):
        import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", shard_bytes=0)
    with pytest.raises(ConfigError, match="routr cannot be set here"):
        import_checkpoint(released, tmp_path / "out", layout="minicpm-v-4.5", routr=True)
    with pytest.raises(CheckpointError, match="is one folder; 2 were given"):
        import_checkpoint([released, released], tmp_path / "out", layout="minicpm-v-4.5")
    with pytest.raises(CheckpointError, match="two folders, tower and language model; 1"):
        import_checkpoint(released, tmp_path / "out", layout="siglip+qwen3")
    with pytest.raises(CheckpointError, match="export takes 'pagemill'"):
        export_checkpoint(released, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_names_are_collapsed_by_layer():
    names = [f"a.layers.{number}.w" for number in (0, 1, 2, 5)] + ["b", "c.1.d.2.e", "c.1.d.3.e"]
    assert collapsed(names) == ["a.layers.*.w (4 times: 0-2, 5)", "b", "c.*.d.*.e (2 times)"]
