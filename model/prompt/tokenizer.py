"""A tokenizer for text that is only text, such as what stands on a page."""

from __future__ import annotations

import json

from tokenizers import Tokenizer


def without_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """The same ids for the same text, but no special token is ever found in it.

    `split_special_tokens=True` of transformers leaves those of `TEXT_TOKENS` whole.
    """
    tree = json.loads(tokenizer.to_str())
    tree.update(added_tokens=[], post_processor=None, truncation=None, padding=None)
    return Tokenizer.from_str(json.dumps(tree))
