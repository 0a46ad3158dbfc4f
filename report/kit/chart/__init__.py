"""Charts as markup; colours come from the classes of the style sheet.

In: numbers, and the class of each series. Out: `Markup` for a template to print. In reading order:
`axis` round numbers, bins and value axes · `svg` elements · `bar` (`bar_chart`, `range_chart`) ·
`column` (`histogram_chart`, `column_chart`) · `bubble` (`bubble_chart`) · `curve` one series of a
chart over steps · `line` (`line_chart`, `area_chart`).
"""

from .axis import Bins, bin_ticks, linear_bins, log_bins
from .bar import bar_chart, range_chart
from .bubble import bubble_chart
from .column import column_chart, histogram_chart
from .curve import Curve
from .line import StepAxis, area_chart, line_chart

__all__ = [
    "Bins",
    "Curve",
    "StepAxis",
    "area_chart",
    "bar_chart",
    "bin_ticks",
    "bubble_chart",
    "column_chart",
    "histogram_chart",
    "line_chart",
    "linear_bins",
    "log_bins",
    "range_chart",
]
