"""May a page's text layer be believed? An image and a `TextLayer` come in, a `Verdict` goes out.

`decision.judge` is the way in; it weighs what the others find. In reading order:

- `script`: what the characters say of themselves, without a look at the page;
- `ink`: where the page has ink that looks like text, and whether the words lie on it;
- `shape`: whether the pictures of the glyphs look like the characters claimed, on `mark` (where
  each character was painted), `likeness` (how pictures are compared) and `reference` (what
  characters look like, shipped as `reference.npz`);
- `x_height`: how large the text is, for corruption.

Limits and how they were measured: `docs/verdict.md`.
"""
