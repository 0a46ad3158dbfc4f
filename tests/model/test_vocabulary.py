"""What is read comes back byte for byte; ids are where the model expects them; training repeats."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="needs pagemill[train]")

from pagemill.engine.errors import ConfigError
from pagemill.model.prompt.token import SPECIAL_TOKENS, TEXT_TOKENS
from pagemill.model.prompt.tokenizer import without_special_tokens
from pagemill.model.vocabulary import (
    MAX_LENGTH_TOKENS,
    shipped,
    train,
    wrap,
)
from tokenizers import Tokenizer
from transformers import AutoTokenizer

SIZE = 12_288
PLACE_TOKENS = [token for token in SPECIAL_TOKENS if token not in TEXT_TOKENS]
TEXTS = [
    f"Invoice {number}: {number * 37 % 1000},00 € for paper, ink and {word}"
    for number in range(60)
    for word in ("printing", "painting", "reading", "Lesung", "l'impression")
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PAGE_TEXT = st.lists(
    st.sampled_from(
        [
            "l’été",
            "Größe",
            "e\u0301",
            "ﬁ",
            "\u00a0",
            "\u2028",
            "\x85",
            "\u200b",
            "\x00",
            "👩‍👧",
            "12",
        ]
    )
    | st.sampled_from([*SPECIAL_TOKENS, " ", "\t", "\r\n", "\n\n", "....", "_____", "--", "don't"]),
    max_size=12,
).map("".join)


@pytest.fixture(scope="module")
def ours() -> Tokenizer:
    return Tokenizer.from_file(str(shipped() / "tokenizer.json"))


@pytest.fixture(scope="module")
def bare(ours) -> Tokenizer:
    return without_special_tokens(ours)


@pytest.fixture(scope="module")
def fast():
    return AutoTokenizer.from_pretrained(shipped())


@settings(max_examples=300)
@given(text=ANY_TEXT | PAGE_TEXT)
@example(text="")
@example(text=" \u3000\u2009\ufeff\u00ad\v\f\x1c\x7f")
@example(text="A\u030a\u0327 Å 각 각 क्षि \U0010ffff\ufffe")
@example(text="." * 500 + " " * 500 + "\n" * 50 + "é" * 500)
def test_any_text_comes_back(ours, text):
    assert ours.decode(ours.encode(text).ids, skip_special_tokens=False) == text


@settings(max_examples=150)
@given(text=ANY_TEXT | PAGE_TEXT)
def test_any_text_comes_back_through_transformers(fast, text):
    for split in (False, True):
        ids = fast(text, split_special_tokens=split).input_ids
        assert fast.decode(ids, clean_up_tokenization_spaces=False) == text


def test_there_are_exactly_as_many_tokens_as_asked_for(ours, fast):
    assert ours.get_vocab_size() == len(fast) == SIZE
    assert sorted(ours.get_vocab().values()) == list(range(SIZE))


def test_the_special_tokens_have_the_first_ids_in_order(ours, fast):
    assert SPECIAL_TOKENS[:4] == ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>")
    assert len(SPECIAL_TOKENS) == 32
    assert [ours.encode(token).ids for token in SPECIAL_TOKENS] == [[n] for n in range(32)]
    assert [fast(token).input_ids for token in SPECIAL_TOKENS] == [[n] for n in range(32)]


def test_every_byte_has_a_token(ours):
    assert [len(ours.id_to_token(number)) for number in range(32, 32 + 256)] == [1] * 256


def test_every_digit_is_a_token_of_its_own(ours):
    text = "1234567890 12.500,00 € 007 A4 ½²"
    pieces = [ours.decode([token]) for token in ours.encode(text).ids]
    assert [piece for piece in pieces if any(map(str.isnumeric, piece))] == [
        char for char in text if char.isnumeric()
    ]


def test_no_token_holds_a_digit_and_something_else(ours):
    pieces = (ours.decode([token]) for token in range(32, SIZE))
    assert [piece for piece in pieces if any(map(str.isdigit, piece)) and len(piece) > 1] == []


def test_no_token_holds_a_line_break_and_something_else(ours):
    pieces = (ours.decode([token]) for token in range(32, SIZE))
    assert [piece for piece in pieces if "\n" in piece and piece.strip("\r\n")] == []


@pytest.mark.parametrize("mark", [".", "_", " "])
def test_leaders_rules_and_gaps_take_one_token_per_sixteen(ours, mark):
    assert len(ours.encode(mark * 64).ids) == 4


@pytest.mark.parametrize("char", "éßłşțőčñœæ€£§©°–—’“„«»…•²½µ±×≤≠∑√∫αβγπΩ→☐☑ﬁﬂ\u00a0\u00ad\u202f")
def test_what_documents_are_printed_with_takes_one_token_each(ours, char):
    assert len(ours.encode(char).ids) == 1


def test_the_words_that_head_a_form_take_one_token(ours):
    for words in ("Invoice", "Rechnung", "Facture", "Total", " Date", " amount", " the"):
        assert len(ours.encode(words).ids) == 1


def test_skipping_special_tokens_keeps_what_belongs_to_the_answer(ours, fast):
    for tokenizer in (ours, fast.backend_tokenizer, fast):
        whole = "".join(f"a{token}" for token in SPECIAL_TOKENS)
        ids = ours.encode(whole).ids
        kept = "".join(f"a{token if token in TEXT_TOKENS else ''}" for token in SPECIAL_TOKENS)
        assert tokenizer.decode(ids, skip_special_tokens=True) == kept


@pytest.mark.parametrize("token", PLACE_TOKENS)
def test_a_special_token_in_a_text_is_only_text_where_that_is_asked_for(fast, token):
    ids = fast(f"see {token} here", split_special_tokens=True).input_ids
    assert min(ids) >= 32
    assert fast.decode(ids, skip_special_tokens=True) == f"see {token} here"
    assert SPECIAL_TOKENS.index(token) in fast(f"see {token} here").input_ids


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_plain_text_holds_no_special_token_at_all(ours, bare, token):
    ids = bare.encode(f"see {token} here").ids
    assert min(ids) >= 32
    assert ours.decode(ids, skip_special_tokens=True) == f"see {token} here"


def test_plain_text_has_the_ids_it_has_anyway(ours, bare):
    assert bare.encode(TEXTS[7]).ids == ours.encode(TEXTS[7]).ids


def test_the_shipped_tokenizer_loads_in_transformers_with_the_same_ids(ours, fast):
    for text in ("<|im_start|>user\nRead the text.<|im_end|>\n", "<box>1 2 3 4</box>", *TEXTS[:9]):
        assert fast(text).input_ids == ours.encode(text).ids


def test_the_shipped_tokenizer_has_the_settings_that_wrap_gives(ours, fast):
    for tokenizer in (fast, wrap(ours)):
        assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("<|im_end|>", 2)
        assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|endoftext|>", 0)
        assert tokenizer.bos_token is None
        assert tokenizer.unk_token is None
        assert tokenizer.clean_up_tokenization_spaces is False
        assert tokenizer.model_max_length == MAX_LENGTH_TOKENS
        assert tokenizer.padding_side == "left"
        assert tokenizer.special_tokens_map.keys() == {"eos_token", "pad_token"}


def test_a_tokenizer_that_was_saved_is_the_one_that_was_wrapped(ours, tmp_path):
    wrap(ours).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert json.loads((tmp_path / name).read_bytes()) == json.loads(
            (shipped() / name).read_bytes()
        )


def test_the_folder_holds_data_alone():
    names = sorted(path.name for path in shipped().iterdir())
    assert names == ["tokenizer.json", "tokenizer_config.json"]
    assert all((shipped() / name).stat().st_size < 2_000_000 for name in names)


def test_equal_texts_in_any_order_give_an_equal_tokenizer():
    first = train(TEXTS, size=330).to_str()
    assert train(iter(TEXTS), size=330).to_str() == first
    assert train(reversed(TEXTS), size=330).to_str() == first
    assert train([text.upper() for text in TEXTS], size=330).to_str() != first


def test_a_fresh_tokenizer_has_exactly_the_size():
    tokenizer = train(TEXTS, size=330)
    assert tokenizer.get_vocab_size() == 330
    assert tokenizer.encode("<think>").ids == [3]


@pytest.mark.parametrize("size", [-1, 0, 31, 288])
def test_a_size_without_room_for_a_merge_is_refused(size):
    with pytest.raises(ConfigError, match=f"vocabulary of {size} tokens has no room: 288"):
        train(TEXTS, size=size)


def test_too_little_text_is_refused_with_what_it_is_enough_for():
    with pytest.raises(ConfigError, match=r"enough for 288 tokens, not for 400"):
        train(["a b", "c d"], size=400)
