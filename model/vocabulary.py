"""The tokenizer: what text is cut into, how it is trained, and where the shipped one lies.

Byte-level BPE without a normaliser: what is read off a page comes back byte for byte. A digit is
a token of its own, so that a number is read digit by digit; a line break never hides in another
token's tail, so that lines stay lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from ..engine.errors import ConfigError
from .prompt.token import END_OF_TEXT, SPECIAL_TOKENS, TEXT_TOKENS, TURN_END
from .prompt.tokenizer import without_special_tokens

BYTES = 256
MAX_LENGTH_TOKENS = 32_768

WORD = r"[\p{L}\p{M}]"
MARK = r"[^\s\p{L}\p{M}\p{N}]"
ELIDED = "[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quelqu|un|dell|all|nell|dall|sull|quell|quest"

PIECES = (
    rf"['’](?i:s|t|re|ve|m|ll|d)(?!{WORD})",  # don't, it's
    rf" ?(?i:{ELIDED})['’](?={WORD})",  # l'homme, dell'arte
    rf" ?{WORD}+",
    r"\p{N}",
    rf"({MARK})\1{{2,15}}",  # dot leaders, rules
    rf" ?(?:(?!({MARK})\2\2){MARK}){{1,16}}",
    r"[\r\n]{1,4}",
    r"[^\S\r\n]{1,16}(?![^\s\p{N}])",  # leaves the last space to the word or mark that follows
    r"\s",
)
"""What a merge may not reach across, tried in this order at each position. All text is covered."""


def train(texts: Iterable[str], *, size: int = 12_288) -> Tokenizer:
    """A tokenizer of exactly `size` tokens, the special ones and the 256 bytes among them.

    Deterministic: equal texts, in any order, give an equal `tokenizer.json`.

    Raises:
        ConfigError: `size` leaves no room for a merge, or the texts hold too few pairs to merge.
    """
    least = len(SPECIAL_TOKENS) + BYTES
    if size <= least:
        raise ConfigError(
            f"a vocabulary of {size} tokens has no room: {least} are taken by special tokens and"
            f" bytes. Ask for more than {least}."
        )
    draft = _pipeline(BPE())
    draft.train_from_iterator(texts, _trainer(size))
    if draft.get_vocab_size() < size:
        raise ConfigError(
            f"the texts are enough for {draft.get_vocab_size()} tokens, not for {size}."
            " Give more text, or ask for fewer tokens."
        )
    return _finished(draft)


def shipped() -> Path:
    """The folder of the tokenizer that comes with the package, for `from_pretrained`."""
    return Path(__file__).resolve().parent / "tokenizer"


def wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers wants it: no token is added that the caller did not write."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        bos_token=None,
        unk_token=None,
        clean_up_tokenization_spaces=False,
        model_max_length=MAX_LENGTH_TOKENS,
        padding_side="left",
    )


def _trainer(size: int) -> BpeTrainer:
    return BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )


def _pipeline(model: BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = Sequence(
        [
            Split(Regex("|".join(PIECES)), behavior="isolated"),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = ByteLevelDecoder()
    return tokenizer


def _finished(draft: Tokenizer) -> Tokenizer:
    """The merges of `draft` in a new tokenizer: a trainer makes every token of ours special."""
    tokenizer = without_special_tokens(draft)
    tokenizer.add_tokens(list(_added()))
    return tokenizer


def _added() -> Iterator[AddedToken]:
    for token in SPECIAL_TOKENS:
        yield AddedToken(token, special=token not in TEXT_TOKENS, normalized=False)
