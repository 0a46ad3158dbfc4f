"""A corpus read again from its bytes: a place comes in, every fault goes out, with its key.

In reading order: `fault` (what can be wrong: a closed list), `page` (one sample against itself),
`walk` (a tar once from end to end), `shard` (a shard against its index), `ledger` (the ledger
against itself and the shards), `corpus` (all of it: `verify`).
"""
