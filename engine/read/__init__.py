"""A document into pages, in a supervised child process: path in, one record a page out.

In reading order: `backend` (PDF and image libraries with one interface), `render` (a page's pixels,
how fine and how large), `reader` (a page read, judged, filtered and encoded), `message` (what
parent and child say to each other), `child` (what runs in the process), `process` (the process
with its deadline), `guard` (which process is asked, and what is tried when one dies).
"""
