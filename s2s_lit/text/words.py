"""Words and punctuation as tokens."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from s2s_lit.text.counted import CountedTokenizerBuilder, WholeTokenizer

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


class WordTokenizer(WholeTokenizer):
    """One id for each word or punctuation mark of a vocabulary, UNK for any other."""

    def split(self, text: str) -> list[str]:
        return tokenize(text)

    def join(self, tokens: Iterable[str]) -> str:
        return detokenize(tokens)


class Words(CountedTokenizerBuilder):
    """Words and punctuation marks, counted in the training text.

    Args:
        vocabulary: Which of them get an id; null: a `DynamicVocabulary`, all of them within its bound.
        sample_rows: Most training rows, from the first on, whose text is read.
    """

    tokenizer_class = WordTokenizer
