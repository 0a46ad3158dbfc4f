"""The report of a training run, from the run's folder alone, while it runs or after.

In: the folder of a run, or of one with a folder for each stage. Out: one HTML file. In reading
order: `report` puts it together, on `run.html.jinja` · `data` the log in columns · `series` long
columns made short · `curves` columns as curves · `summary` the top · `learning`, `evaluation`,
`rates` charts over the steps · `samples` cards of the newest evaluation, `difference` target
against reading · `incidents` what went wrong · `checkpoints`.
"""

from .data import holds_run
from .report import write_run_report

__all__ = ["holds_run", "write_run_report"]
