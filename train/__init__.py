"""The stream from shards to batches, the trainer, evaluation.

In reading order: `source` (a corpus in arrays), `cache` (whole shards of a remote one), `records`
(conversations), `count` (tokens of pages); `prompt` (what is asked), `box`, `sample` (a page made
into one); `order` (which samples a window holds), `pack` (samples into sequences of one budget),
`batch` (which packs a step takes, and the state that says where it is), `collate`, `stream`.
To look at it: `shown` (facts of batches), `picture` (patches back to pixels), `told` (text),
`sheet` (HTML).
Everything is derived from (sources, seed, cursor): no component holds a state of its own.

The trainer: `recipe` (settings), `launch` (how processes start; `cluster` through Ray), `ranks`,
`run` (the loop), `begin` (the model it starts with), `loss`, `step`, `parallel` (DeepSpeed),
`optimiser`, `pace` (learning rate), `guard` (steps that are not taken), `figures`; `checkpoint`,
`keep` and `export`; `tell`, `journal` and `track` (what it says), `report` (HTML), `ablate`.
Evaluation: `metric`, `evaluate`.
"""
