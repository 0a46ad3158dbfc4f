"""A corpus of typeset pages, made by processes of the standard library: no Ray, no PDF backend.

A request comes in (texts, fonts, how many pages), a corpus goes out. Processes make ranges of
consecutive pages, the driver lays them into shards in the order of their numbers, so that any
number of workers gives the same bytes. A shard's index is written last: after a kill, shards with
an index stay and the others are made again. In reading order: `request` (what is asked for, and
the shards), `worker` (pages in a process), `pool` (the processes), `shard` (tar, ledger, index),
`typeset` (the whole run).
"""
