"""What the corruption does to a corpus: what a model trainer looks at before training on it.

In: a corpus and a schedule. Out: one HTML file. In reading order: `preview` puts it together, on
`preview.html.jinja` · `page_choice` which pages, `line_choice` which lines of them · `level_legend`
what the levels mean · `level_ladder` one line at all levels · `whole_page` pages with their
regions · `contact_sheet` operators by severity · `leak_check`, `severity_table` · `crop` pixels as
data URIs.
"""

from .preview import PreviewSummary, write_preview

__all__ = ["PreviewSummary", "write_preview"]
