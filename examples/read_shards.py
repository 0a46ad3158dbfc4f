"""Read a corpus three ways: as typed pages, as plain WebDataset tars, and corrupted.

python examples/read_shards.py corpus
"""

from __future__ import annotations

import argparse
import json

import pagemill
import webdataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", help="folder that `pagemill build` wrote")
    parser.add_argument("--pages", type=int, default=3, help="how many to show")
    arguments = parser.parse_args()

    corpus = pagemill.open_corpus(arguments.corpus)
    print(f"{len(corpus)} pages in {len(corpus.shards)} shards")
    for page in [corpus[number] for number in range(min(arguments.pages, len(corpus)))]:
        print(
            page.key,
            page.language,
            f"{page.width} x {page.height} px",
            " ".join(page.layer.text.split())[:60],
        )

    # The same pages in any reader of WebDataset: a tar of {key}.png and {key}.json.
    folder = arguments.corpus.rstrip("/")
    shards = [f"{folder}/{shard.tar}" for shard in corpus.shards]
    for sample in webdataset.WebDataset(shards, shardshuffle=False).slice(arguments.pages):
        words = json.loads(sample["json"])["words"]["text"]
        print(sample["__key__"], f"{len(sample['png']):,} bytes of PNG, {len(words)} words")

    # What a model is trained on: regions of the page corrupted, their text as targets.
    page = corpus[0]
    plan = pagemill.plan_page(page, seed=0, epoch=0, schedule=pagemill.Schedule())
    image = pagemill.corrupt(corpus.image(page), plan)
    print(f"{image.shape[1]} x {image.shape[0]} px with {len(plan.regions)} corrupted regions")
    for region in plan.regions[: arguments.pages]:
        print(f"  {region.level}: {region.target!r}")


if __name__ == "__main__":
    main()
