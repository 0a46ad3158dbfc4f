"""The stream from shards to batches; trainers and evaluation will stand here too.

In reading order: `source` (a corpus in arrays), `cache` (whole shards of a remote one), `records`
(conversations), `count` (tokens of pages); `prompt` (what is asked), `box`, `sample` (a page made
into one); `order` (which samples a window holds), `pack` (samples into sequences of one budget),
`batch` (which packs a step takes, and the state that says where it is), `collate`, `stream`.
To look at it: `shown` (facts of batches), `picture` (patches back to pixels), `told` (text),
`sheet` (HTML).
Everything is derived from (sources, seed, cursor): no component holds a state of its own.
"""
