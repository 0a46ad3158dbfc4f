"""Words as a backend gives them into a text layer: lines, blocks, figures, reading order.

`lines.text_layer` is the way in: `RawWord`s of any order, in px, come in, a `TextLayer` goes out.
In reading order:

- `character` (letters made valid, directions of scripts), `hangul` (Korean words apart), `glyph`
  (words that lie outside the page): what is mended before;
- `lines` (words, lines and blocks), on `upright` (pages turned until they read to the right);
- `order` (a recursive cut into columns and bands), on `segment` (runs of words), `column` (where a
  gutter is), `whitespace` (space of a line, or part of a gutter?);
- `figure`: images, tables and drawings from the boxes of their paths.

Nothing here knows a PDF library: what one alone says stands in `engine.read.backend`.
"""
