"""Every HTML page, each one file that opens without a network.

In: a corpus, a schedule of corruption, a stream, a run. Out: HTML. In reading order: `report`
draws whichever a place is · `kit/` what all pages are made with · `corpus/` what was built ·
`corruption/` what corruption makes of it · `stream/` what a model would get · `run/` how training
went.
"""
