"""The severity table, measured: OCR engines read lines of a corpus at every severity.

A corpus goes in, the error rates of each operator, engine, x-height and severity come out, as
`corruption.severity` reads them. In reading order:

- `sample`   which lines are read, and at which sizes
- `measure`  corrupt and read; one job is one operator at one x-height
- `fit`      error rates of lines into curves that never fall
- `journal`  what a stopped run has measured
- `table`    the curves of all jobs and the table's header
- `run`      all of it on Ray: a line or a job that fails is counted, and a stopped run goes on
"""
