"""`pagemill --help` answers at once: heavy packages wait until a command needs them."""

from __future__ import annotations

import subprocess
import sys
import time

HEAVY = (
    "ray", "torch", "transformers", "pymupdf", "pdf2image", "cv2", "numpy", "pyarrow", "pandas",
    "PIL", "fsspec", "s3fs", "py3langid", "datasets", "webdataset", "asyncio",
    "albumentations", "scipy", "rapidocr", "onnxruntime", "rapidfuzz",
    "tokenizers", "safetensors", "peft", "av", "deepspeed",
)  # fmt: skip
LIMIT_S = 0.3


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, timeout=60
    )


def test_help_answers_within_a_third_of_a_second():
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        shown = run("-m", "pagemill", "--help")
        seconds.append(time.perf_counter() - start)
    assert "build" in shown.stdout
    assert min(seconds) < LIMIT_S, f"--help took {min(seconds):.2f} s at best"


def test_the_package_and_its_command_line_load_nothing_heavy():
    code = "import sys, pagemill.command.main; pagemill.command.main.parser(); print(*sys.modules)"
    loaded = {name.split(".")[0] for name in run("-c", code).stdout.split()}
    assert "pagemill" in loaded
    assert sorted(loaded & set(HEAVY)) == []
