"""What every HTML page is made with: one skeleton, one style sheet, one script, one escaping.

In: a template of a page and what it draws from. Out: one HTML file that nothing is fetched for.
In reading order: `page` the whole page and its security policy, on `page.html.jinja`, `style.css`,
`script.js` · `environment` the templates and their filters · `macro.html.jinja` pieces that pages
share, drawn from `view` · `text` escaping · `numbers` formats · `picture` data URIs · `chart/`
(with `line_chart.html.jinja`).

A new kind of page: a folder beside this one with a template that extends `kit/page.html.jinja`, a
module of frozen dataclasses that it draws from, and a call of `page.render_page`.
"""
