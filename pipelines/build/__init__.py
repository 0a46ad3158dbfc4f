"""`pagemill build` and `pagemill retry`: inputs come in, a corpus goes out, whatever is killed.

In reading order: `config` (all settings), `job` (what driver and workers hand each other), `run`
(the command: what is there, what is new, run, finish), `plan` and `history` (what is to do, what a
corpus already holds), `workspace` (what survives a kill), `worker` (one document into a parcel, one
shard out of parcels), `draft` (a shard as it is written), `assemble` (documents to windows to
shards; no I/O), `driver` (one run on the pool), `ledger_rows` (a row for everything), `pending`
(rows that wait for their window), `thumbs` (small pictures of rejected pages), `tally` and
`snapshot` (where a run is, for whoever shows it), `retry`, `cached` (a corpus of a folder, kept for
the next time).
"""
