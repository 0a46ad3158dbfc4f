"""Which pages are kept and where they go: `filter`, `language`, `select` (splits, order)."""
