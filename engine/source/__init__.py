"""Inputs into documents: what the user names comes in, one local file at a time goes out.

In reading order:

- `location`: paths and URIs, and `FoundFile`, `InputFile`; `input` opens either;
- `listing`: inputs into `Source`s, by `folder` (local), `bucket` (object stores and web servers),
  and `sniff` (what a file is by name and first bytes);
- `contents`: the documents of an archive: `archive` holds the limits and refuses what is
  dangerous, `zip` (with `zip_method`) and `tar` read the formats, `inflate` unpacks in bounds;
- `fetch`: a `Source` as a hashed local file; `spool` unpacks compressed tars once a machine.

zip and tar are read here and not by `zipfile` and `tarfile`, which give up on whole archives for
one bad entry, and believe any size that an archive claims.
"""
