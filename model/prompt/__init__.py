"""Prompts: a task, a picture's slices and boxes in, text and token ids out.

In reading order: `token` (the tokens with a meaning; spelled here alone), `tokenizer` (text in
which there are none), `task` (what is asked, in several phrasings), `box` (places on a page),
`image_token` (the room of a picture), `chat` (the template of conversations), `writer` (all of
these as token ids: the prompts of training, evaluation and reading).
"""
