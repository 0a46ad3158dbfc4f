"""What a model costs before it runs: a configuration and a load come in, numbers go out.

In reading order: `size` (parameters by part), `load` (what goes through), `product` (the matrix
products of a pass), `flops`, `memory`; `configuration` (of a preset or a folder), `picture` (what a
page or a video costs), `summary` (all of it as one record, for `pagemill model show`).
"""
