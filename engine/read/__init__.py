"""Documents into pages: `source` finds them, `guard` supervises, `reader` reads one page.

In reading order: `source` (folder, archive, list, object store → documents), `backend`
(PDF engines with one interface), `order` (reading order), `verdict` (does the text match the
pixels), `image` (encode, decode), `reader` (all of these on one page), `child` and `guard`
(a reader in a supervised process).
"""
