"""The severity table, measured: OCR engines read lines of a corpus at every severity.

In reading order: `sample` (which lines, at which sizes), `worker` (corrupt and read), `fit`
(error rates → curves that never fall), `run` (all of it on Ray, resumable).
"""
