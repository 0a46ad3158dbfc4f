"""Pages made from texts and fonts, with exact ground truth: a pure function of (seed, number).

A folder of texts and fonts comes in, images and `Page` objects go out. In reading order:
`config` (the settings), `font` and `text` (what there is to draw with and from), `material` (the
folder, and what is held out), `canvas` (where words and rules lie, and the drawing of them), `flow`
(words into lines), `notation` (numbers and dates, by Babel), `locale` (the words of each language,
from `locale.toml`), `fake` (made-up names, dates, amounts), `design` (what is drawn for one page
before its layout), the kinds `crop`, `prose`, `table`, `form`, `receipt`, `letter`, `slide`, and
`compose`, which makes one page.
"""
