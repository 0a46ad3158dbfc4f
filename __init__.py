"""Pagemill: dumps of PDFs into verified page corpora, and the model that reads them.

Rooms, in the direction in which imports run: `engine`, `corruption`, `pipelines`,
`model`, `train`. Import from the room you need; this package itself stays light.
"""

__version__ = "0.5.0"
__all__ = ["__version__"]
