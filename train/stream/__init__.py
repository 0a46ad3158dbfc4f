"""Shards in, packed batches out: the same for any number of ranks, workers and restarts.

Everything is derived from (sources, seed, cursor): no file here holds a state of its own.

In reading order: `corpus` (the samples of one, in arrays; `shard_cache` keeps whole shards of a
remote one) and `conversation` (instruction data); `token_count` (lengths before pages are read);
`box` and `sample` (a page becomes a question and its answer); `order` (which samples a window
holds), `pack` (samples into sequences of one budget), `packing` (which packs a step takes, and the
cursor), `planned` (samples as they are planned), `dataset` and `worker` (where they are made),
`collate` (a `Batch` of tensors), `config`, `stream` (`PageStream`, all of it together). To look at
batches: `inspect`, and `picture` (patches back to pixels).
"""
