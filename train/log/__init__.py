"""What a run writes of itself while it goes: records of steps come in, lines and figures go out.

In reading order: `journal` (`log.jsonl`, which survives a kill at any byte), `throughput` (tokens,
pages and FLOPs of a step), `tracker` (TensorBoard, Weights & Biases), `run_log` (all of it for one
run, and who watches it).
"""
