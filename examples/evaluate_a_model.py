"""How well a model reads a corpus: error rates per level of corruption, with intervals.

python examples/evaluate_a_model.py runs/demo corpus --pages 20
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pagemill.model.load import load_reader
from pagemill.train.evaluate import EvalConfig, answer_cases, open_cases, summarize


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="folder of a model, a checkpoint or a run")
    parser.add_argument("corpus", help="folder that `pagemill build` wrote")
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--split", default="val", help="split of the corpus")
    parser.add_argument("--most-new-tokens", type=int, default=1024, help="of any one answer")
    arguments = parser.parse_args()

    reader = load_reader(arguments.model)
    config = EvalConfig(
        pages=arguments.pages, split=arguments.split, most_new_tokens=arguments.most_new_tokens
    )
    cases = open_cases(config, reader.processor, [arguments.corpus])
    answers = answer_cases(reader, cases, config)
    print(json.dumps(summarize(answers, config).to_dict(), indent=2))


if __name__ == "__main__":
    main()
