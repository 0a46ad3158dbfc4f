"""Pages at rest: `place` (local or object store), `parcel` (one document's pages while a build
runs), `shard` (WebDataset tars), `index` (sidecars), `ledger` (the fate of every page),
`verify` (re-reads everything).
"""
