"""What a model is asked. All phrasings are here; which one a sample gets is drawn by its name."""

from __future__ import annotations

READ = (
    "Read the page.",
    "Transcribe all text on this page.",
    "What does this page say? Write it out in reading order.",
    "Write down the text of the page, line by line.",
    "OCR this page.",
)
"""The answer is the page's text in reading order, restored where it was corrupted."""

RESTORE = (
    "Write the text of each box, one a line.",
    "Read or restore the text in these boxes:",
    "What stands, or stood, in each of these boxes?",
    "Give the original text of every box in order.",
)
"""Followed by the boxes; the answer has a line for each."""

PHRASINGS = {"read": READ, "restore": RESTORE}
"""Task to what asks for it."""
