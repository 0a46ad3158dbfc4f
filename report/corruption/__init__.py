"""What the corruption does to a corpus, on one page of HTML; no request leaves it.

In: a corpus and a schedule. Out: what a model trainer looks at before training on it. In reading
order: `write` puts it together · `pick` which pages · `specimen` which lines of them · `legend`
what the levels mean, in words and colours · `ladder` one line at all levels · `whole` whole pages
with their regions · `sheet` operators by severity · `checks` leaks and the severity table ·
`picture` pixels as data URIs · `preview.css`, `preview.js`.
"""

from .write import PreviewSummary, write_preview

__all__ = ["PreviewSummary", "write_preview"]
