"""From shards to a model: a recipe and corpora come in, checkpoints, a log and evaluations go out.

The folders in reading order: `stream` (shards to packed batches), `recipe` (the settings of a run),
`backend` (what holds weights, gradients and moments), `checkpoint`, `log`, `evaluate` (how well a
reader reads).

The files, from the top down:

    arguments    the options of every way to start
    launch       processes and stages; `ray` starts them on a cluster, `ranks` says which this is
    ablation     the same recipe with each mixture of levels
    trainer      the loop: `train` → `train_steps` → `train_step`; what is due between steps
    setup        model, backend and stream before the first step; `initial` the weights it starts
                 with, `trainable` and `adapter` which of them learn
    validate     evaluation between steps
    signals      SIGTERM and Ctrl-C as requests to stop
    state        how far a run is
    step         one step of the optimizer: forward and backward, then a guarded update
    micro_batch  a batch in parts; `loss` what is learned from one
    optimizer    AdamW and its groups; `lr` the learning rate over the steps
    guard        steps that are not taken
"""
