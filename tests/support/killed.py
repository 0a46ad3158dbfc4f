"""Run by a test and killed: takes steps for ever, noting each digest and the state behind it."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from pathlib import Path

from pagemill.model import PagemillImageProcessor, PagemillProcessor
from pagemill.model.vocabulary import shipped
from pagemill.train.stream.stream import PageStream
from support.streams import CONFIG, SCHEDULE, packs_of
from transformers import AutoTokenizer


def main(folder: Path, scans: str, forms: str) -> None:
    """The digest is noted before the state: a step cut off in between is repeated."""
    processor = PagemillProcessor(
        PagemillImageProcessor(scale_resolution=84, max_slice_nums=3),
        AutoTokenizer.from_pretrained(shipped()),
        query_num=8,
    )
    stream = PageStream(
        {scans: 2.0, forms: 1.0}, processor, seed=3, schedule=SCHEDULE, config=CONFIG,
        names=("scans", "forms"),
    )  # fmt: skip
    state = folder / "state.json"
    if state.exists():
        stream.load_state_dict(json.loads(state.read_text()))
    for batch in stream.batches(workers=2):
        line = json.dumps({
            "step": stream.cursor.step, "digests": packs_of(batch),
            "workers": [one.pid for one in multiprocessing.active_children()],
        })  # fmt: skip
        part = folder / "part"
        part.write_text(json.dumps(stream.state_dict()))
        with (folder / "log").open("a") as log:
            log.write(line + "\n")
            log.flush()
            os.fsync(log.fileno())
        part.replace(state)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
