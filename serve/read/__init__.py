"""Files in, the text of their pages out, read by a model from their pixels.

    for page in read_files(load_reader(Path("runs/demo")), [Path("scan.pdf")]):
        ...  # PageText or ReadFailure

In reading order: `selection` (which pages), `page` (what comes out: a page's text, or a failure
with its reason), `document` (one file as pictures, through the guarded reader), `read` (many files,
batch by batch, through a model).
"""
