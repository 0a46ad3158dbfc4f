"""What holds weights, gradients and moments, and takes a step with them.

A frozen model and a recipe come in; a step's micro-batches go through `backward` and `update`, and
`pieces` gives a checkpoint its tensors by name. In reading order: `protocol` (what the trainer
asks of a backend), `torch` (everything on every rank), `deepspeed` (spread over ranks by ZeRO; the
only file that knows DeepSpeed).
"""
