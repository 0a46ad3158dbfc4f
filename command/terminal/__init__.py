"""What a command shows, at work and when done: records come in, lines and tables go out.

On a terminal rich draws them; in a file or a pipe they are plain lines. In reading order: `console`
(what a stream can show, and the one way to print), `number` (durations, sizes, rates), `table`.
While something runs: `live` (what is redrawn in place), `screen` (a live display that falls back to
lines), `meter` (one long step), `build_rate` and `progress` (a build), `training` (a run). What is
done: `ledger`, `fault`, `stream`, `model`, `evaluation`, `ablation`.
"""
