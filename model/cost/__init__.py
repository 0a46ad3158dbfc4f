"""What a model costs before it runs: a configuration and a load come in, numbers go out.

In reading order: `size` (parameters by part), `load` (what goes through), `product` (the matrix
products of a pass), `flops`, `memory`, `show` (all of it on one page).
"""
