"""Which pages are kept and where they go: counts, verdict and language in, a reason or a place out.

In reading order: `filter` (limits of size, ink, words, language and verdict), `language` (of a
text), `select` (splits, the order of documents and pages, where shards are cut).
"""
