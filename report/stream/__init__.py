"""What a model would get from a stream, as one page of HTML.

In: the views of `train.stream.inspect`. Out: one HTML file without a script. In reading order:
`report` totals and packs, on `stream.html.jinja` · `card` one sample in full.
"""

from .report import render_stream, write_stream_report

__all__ = ["render_stream", "write_stream_report"]
