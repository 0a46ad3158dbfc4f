"""PDF and image libraries behind one interface: a path comes in, an `OpenDocument` goes out.

In reading order: `document` (the interface: size, pixels, words and warnings of a page),
`registry` (the one list of backends, each imported when it is first used), then the backends:

- `mupdf`: PyMuPDF, in the process; `span` gives its words their style, `trace` makes arrays
  of the glyphs that it paints;
- `poppler`: its programs, one process a call; `program` runs them, `pdfinfo` and `bbox` read what
  they print, `userunit` finds what they do not tell, `standard_font` warns of fonts that the
  machine lacks;
- `raster`: scans as PNG, JPEG, TIFF, WebP or BMP.

What backends share: `header` (what a file is by its bytes), `colour` (has a page colour?), and
`engine.layout`, which makes words, lines, blocks and figures of what they find.

A new backend is one file with `open_document(path, password) -> OpenDocument` and one line in
`registry.BACKENDS`; nothing else names it.
"""
