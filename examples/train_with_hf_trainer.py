"""Feed the packed stream of a corpus to transformers' Trainer.

pagemill model new nano --out out/nano
python examples/train_with_hf_trainer.py corpus out/nano --steps 20 --out out/trained
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pagemill
from pagemill.engine.config import load
from pagemill.train.stream.config import StreamConfig
from transformers import Trainer, TrainingArguments


class StreamTrainer(Trainer):
    """A Trainer whose batches are packs: no padding, and no sample sees another."""

    def get_train_dataloader(self) -> Iterator[dict]:
        world, rank = self.args.world_size, self.args.process_index
        return (batch.inputs for batch in self.train_dataset.batches(rank=rank, ranks=world))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", help="folder that `pagemill build` wrote")
    parser.add_argument("model", help="folder that `pagemill model new` wrote")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument(
        "--config", type=Path, help="TOML of the stream, as `pagemill config stream` prints it"
    )
    parser.add_argument("--out", default="out/trained")
    arguments = parser.parse_args()

    model = pagemill.load_model(arguments.model)
    processor = pagemill.load_processor(arguments.model)
    config = load(StreamConfig, arguments.config)
    stream = pagemill.PageStream({arguments.corpus: 1.0}, processor, seed=7, config=config)
    settings = TrainingArguments(
        arguments.out, max_steps=arguments.steps, learning_rate=1e-3, logging_steps=1,
        save_strategy="no", report_to=[], remove_unused_columns=False,
    )  # fmt: skip
    trainer = StreamTrainer(model, settings, train_dataset=stream)
    trainer.train()
    trainer.save_model()
    processor.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
