"""The command line: words in, calls to the other rooms, lines and an exit status out.

In reading order: `main` (joins the commands, turns errors into exit statuses), `option` (options
that several commands have), `extra` (which optional packages are missing), `status` (exit
statuses); then one file a command, `add_X` for its words and `run_X` for its call. On corpora:
`build`, `retry`, `explain`, `verify`, `stats`, `preview`, `calibrate`, `config`, `typeset`,
`report`; on models: `stream`, `train`, `eval`, `model`, `read`. `terminal` draws progress and
tables. What computes anything lies in another room.
"""
