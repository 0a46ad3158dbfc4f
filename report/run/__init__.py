"""The HTML report of a training run: one file, from the run's folder alone, at any time.

In reading order: `facts` (the log in columns), `series` (long columns made short), `chart` (lines
over the steps), `curves` (which lines), `head`, `difference` (target against reading), `sample`,
`trouble`, `write` (the page); `markup` holds text and numbers, and the escaping.
"""

from .facts import holds_run
from .write import write_run_report

__all__ = ["holds_run", "write_run_report"]
