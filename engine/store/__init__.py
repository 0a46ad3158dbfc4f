"""Pages at rest: files of a corpus are written and read here, on disks and in object stores.

In reading order: `place` (a folder or URI), `parcel` (one document's pages while a build runs),
`tar` and `shard` (WebDataset tars), `parquet` (tables that know their checksum), `index` (where
each sample lies), `ledger` (the fate of every page), `corpus` (corpus.json), `samples` (pages of a
finished corpus by number and by key: `open_corpus`), `explain` (the ledger's answer to one name).
"""
