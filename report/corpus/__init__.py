"""The report of a corpus, `report.html`: what a data engineer looks at before trusting it.

In: a corpus. Out: one HTML file. In reading order: `report` puts it together, on
`corpus.html.jinja` · `data` what it is about · `ledger_columns` the ledger by column · `overview`
totals and reasons · `distribution` text layers and pages · `production` shards and time ·
`bar_table` · `gallery` cards, `excluded` rows of what was left out · `sampling` which pages,
`thumbnail` their pictures · `page_name`, `page_size` names.
"""

from .report import write_corpus_report
from .thumbnail import read_thumbs

__all__ = ["read_thumbs", "write_corpus_report"]
