"""The report of a corpus, `report.html`: one file, no request leaves it.

In: a corpus. Out: what a data engineer looks at before trusting it. In reading order:
`write` puts it together · `facts` what it is about · `arrays` the ledger by column ·
`overview`, `profile`, `work`, `gallery` the sections · `panel` what they share ·
`sample` pages to look at · `paper` page sizes · `plot` SVG ·
`markup` text made harmless · `report.css`, `report.js`.
"""

from .sample import read_thumbs
from .write import write_corpus_report

__all__ = ["read_thumbs", "write_corpus_report"]
