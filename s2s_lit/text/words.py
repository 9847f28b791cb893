"""Words and punctuation as tokens."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from s2s_lit.text.counted import CountedTokenizers, TokenTokenizer
from s2s_lit.text.vocabularies import VocabularyRule

JOINER = "￭"
"""On the side of a punctuation mark where the text has no space."""

# To `regex`, other than to `re`, combining marks are letters of a word.
_TOKEN = regex.compile(r"(?P<word>[\w\p{N}]+(?:[-'’][\w\p{N}]+)*)|[^\w\p{N}\s]")
_GLUE = regex.compile(rf"{JOINER} {JOINER}|{JOINER} | {JOINER}")


def tokenize(text: str) -> list[str]:
    """Words (letters with their combining marks, digits, inner hyphens and apostrophes) and single punctuation marks.

    A mark that touches its neighbour carries a joiner on that side, words never do, so that one word is one token
    wherever it stands: `Er sagt: "Ja."` gives `Er sagt ￭: "￭ Ja ￭. ￭"`.
    """
    tokens: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        token, start = match.group(), match.start()
        if tokens and start == end:  # no space between
            if match["word"]:
                tokens[-1] += JOINER
            else:
                token = JOINER + token
        tokens.append(token)
        end = match.end()
    return tokens


def detokenize(tokens: Iterable[str]) -> str:
    """The text of `tokens`, exactly, if its white space was single spaces and it had no joiner of its own."""
    return _GLUE.sub("", " ".join(tokens)).strip(JOINER)


class WordTokenizer(TokenTokenizer):
    """One id for each word or punctuation mark of a vocabulary, UNK for any other."""

    def split(self, text: str) -> list[str]:
        return tokenize(text)

    def join(self, tokens: Iterable[str]) -> str:
        return detokenize(tokens)


class Words(CountedTokenizers):
    """Words and punctuation marks, counted in the training text.

    Args:
        vocabulary: Which of them get an id; null: a `DynamicVocabulary`, all of them within its bound.
        target_vocabulary: Which of the target side's, if that has another rule; null: the same.
        joint: One vocabulary for both languages.
        sample_rows: Most sentence pairs read from the start of the training stream.
    """

    tokenizer_class = WordTokenizer

    def __init__(
        self,
        *,
        vocabulary: VocabularyRule | None = None,
        target_vocabulary: VocabularyRule | None = None,
        joint: bool = False,
        sample_rows: int = 1_000_000,
    ) -> None:
        super().__init__(vocabulary, target_vocabulary, joint=joint, sample_rows=sample_rows)
