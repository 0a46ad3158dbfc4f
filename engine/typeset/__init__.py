"""Pages made from texts and fonts, with exact ground truth: a pure function of (seed, number).

A folder of texts and fonts comes in, images and `Page` objects go out. In reading order:
`config` (the settings), `cmap`, `font` and `text` (what one may draw with and from), `material`
(the folder, and what is held out), `sheet` (where words and rules lie, and the drawing of them),
`flow` (words into lines), `locale` and `invent` (made-up names, dates, amounts), `scene` (what
is drawn for one page before its layout), the kinds `strip`, `prose`, `table`, `form`, `bill`,
`letter`, `slide`, and `press`, which makes one page.
"""
