"""Unknown words stand as in the source."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.errors import UserError
from s2s_lit.text.characters import Characters
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.unknown import UnknownReplacer
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.text.words import WordTokenizer
from s2s_lit.types import UNK

SOURCE = WordTokenizer(Vocabulary([*SPECIALS, "in", "lives", "￭."]))
TARGET = WordTokenizer(Vocabulary([*SPECIALS, "in", "wohnt", "￭."]))
TEXT = "Zoe lives in Kyoto."
PIECES = [UNK, 5, 4, UNK, 6]  # ⁇ wohnt in ⁇.


def looking_at(*places: int) -> torch.Tensor:
    weights = torch.full((len(places), 6), 0.01)
    weights[torch.arange(len(places)), torch.tensor(places)] = 0.9
    return weights


def test_each_unknown_word_is_the_one_looked_at() -> None:
    replacer = UnknownReplacer(SOURCE, TARGET)
    assert TARGET.decode(PIECES) == "⁇ wohnt in ⁇."
    assert replacer.decode(PIECES, looking_at(0, 1, 2, 3, 4, 5), TEXT) == "Zoe wohnt in Kyoto."
    assert replacer.decode(PIECES, looking_at(3, 1, 2, 0, 4, 5), TEXT) == "Kyoto wohnt in Zoe."


def test_the_end_of_the_source_is_no_word() -> None:
    weights = looking_at(5, 1, 2, 3, 4, 5)  # the first looks at EOS, then at the third
    weights[0, 2] = 0.05
    assert UnknownReplacer(SOURCE, TARGET).decode(PIECES, weights, TEXT) == "in wohnt in Kyoto."


def test_what_cannot_be_replaced_is_said() -> None:
    with pytest.raises(UserError, match="needs an attention"):
        UnknownReplacer(SOURCE, TARGET).decode(PIECES, None, TEXT)


def test_subwords_and_two_kinds_of_tokens_are_refused(texts: list[str]) -> None:
    subwords, letters = SentencePiece(vocab_size=60).train(texts), Characters().train(texts)
    for source, target in ((subwords, subwords), (SOURCE, subwords), (subwords, TARGET), (letters, TARGET)):
        with pytest.raises(UserError, match=r"task\.replace_unknown needs the same kind .* such as Words"):
            UnknownReplacer(source, target)
