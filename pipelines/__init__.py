"""Engine steps in parallel on Ray.

In reading order: `config` (all settings), `job` (what driver and workers hand each other),
`worker` (one document, one shard), `stage` (a pool that may lose actors), `cluster` (the only
`ray.init`), `assemble` (documents → windows → shards), `driver` (one run), `workspace` (what
survives a kill), `history` and `plan` (what is there, what is to do), `build` and `retry` (the
commands), `progress`, `meter` and `report` (what people see).
"""
