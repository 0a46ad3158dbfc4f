"""What a page is, and how it is found, read, judged, stored and scored. No torch, no Ray.

Bytes come in, `Page` objects, shards and scores go out. What all rooms stand on, in reading order:
`errors` (the error tree), `reason` (why a page is not in a shard), `config`, `text` (what comes
from outside, made valid), `files` (whole files, locks, the cache), `geometry`, `key`, `draw`
(randomness by name), `image` (pixels to bytes), `page` (the page itself), `record` (what is known
of one), `failure`, `progress`.

Then the rooms, as a page goes through them:

- `source`: folders, archives, lists and buckets, one readable file at a time;
- `read`: one document in a supervised child, page by page, with a backend of `read.backend`;
- `layout`: glyphs and words into lines, blocks, figures and reading order;
- `verdict`: may the text layer be believed? judged by pixels;
- `curate`: what is kept, and in which order;
- `store`: shards, index, ledger; `verify` re-reads them;
- `score`: how right is an answer;
- `typeset`: pages made from texts and fonts.
"""
