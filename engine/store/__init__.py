"""Pages at rest, in reading order: `place` (local or object store), `parcel` (one document's
pages while a build runs), `tar` and `shard` (WebDataset tars), `parquet` (tables that know their
checksum), `index` (sidecars), `ledger` (the fate of every page), `corpus` (corpus.json),
`explain` and `ledger_text` (the ledger for people); `verify` re-reads everything, by `walk` (a tar
from end to end), `page_check`, `shard_check`, `ledger_check`, and speaks in `fault`s.
"""
