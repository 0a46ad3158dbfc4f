"""Steps of the other rooms over many documents, in parallel and in any order, with one result.

What they share, in reading order: `cluster` (the only `ray.init`), `pool` (actors that may be lost:
retries, one error policy, no job forgotten), `failure` (whose failure an exception is: the
machine's, or that of one document). Then one folder a task: `build` (documents to a corpus),
`calibrate` (the severity table, measured), `typeset` (a corpus of made pages, by processes of the
standard library instead of Ray).
"""
