"""Checkpoints of a run: the state of a trainer comes in, folders that any number of ranks reads go
out.

In reading order: `format` (what lies on disk), `export` (the model in a checkpoint), `writer`
(whole or not at all, in the background), `reader` (checked), `listing` (which are complete, which
are best), `compatible` (which a run may go on from), `retention` (all of it for one run).
"""
