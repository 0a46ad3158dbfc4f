"""LitData on the same pages: run by bench/stream.py in an environment of its own.

python bench/stream_litdata.py FOLDER SECONDS_FILE

FOLDER holds `{number}.png` and `{number}.json`; they are put into LitData's chunks, then iterated
and decoded, in the stored order and shuffled, in one process.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2
import litdata
import numpy as np
import orjson

RUNS = 3


def sample(path: str) -> dict[str, bytes]:
    """The two members of a page."""
    image = Path(path)
    return {"png": image.read_bytes(), "json": image.with_suffix(".json").read_bytes()}


def main() -> None:
    """Write chunks, read them, leave pages a second."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    images = sorted(str(path) for path in folder.glob("*.png"))
    chunks = str(folder / "chunks")
    litdata.optimize(fn=sample, inputs=images, output_dir=chunks, chunk_bytes="64MB", num_workers=1)
    found = {}
    for shuffle in (False, True):
        rates = []
        for _ in range(RUNS):
            dataset = litdata.StreamingDataset(chunks, shuffle=shuffle)
            start, count = time.perf_counter(), 0
            for one in dataset:
                cv2.imdecode(np.frombuffer(one["png"], np.uint8), cv2.IMREAD_UNCHANGED)
                orjson.loads(one["json"])
                count += 1
            rates.append(count / (time.perf_counter() - start))
        found["shuffled" if shuffle else "in order"] = rates
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
