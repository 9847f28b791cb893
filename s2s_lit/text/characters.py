"""Characters as tokens."""

from __future__ import annotations

from collections.abc import Iterable

from s2s_lit.text.counted import CountedTokenizerBuilder, WholeTokenizer

SPACE = "▁"
"""Stands for a space, so that it can be seen in lists and pictures."""


class CharacterTokenizer(WholeTokenizer):
    """One id for each character (code point) of a vocabulary, UNK for any other."""

    def split(self, text: str) -> list[str]:
        return list(text.replace(" ", SPACE))

    def join(self, tokens: Iterable[str]) -> str:
        """The text, exactly, if it had single spaces and no `▁` of its own."""
        return " ".join("".join(tokens).replace(SPACE, " ").split())


class Characters(CountedTokenizerBuilder):
    """Characters, counted in the training text.

    A sentence has five times as many characters as words: see to the max_length of its field.

    Args:
        vocabulary: Which of them get an id; null: a `DynamicVocabulary`, all of them within its bound.
        sample_rows: Most training rows, from the first on, whose text is read.
    """

    tokenizer_class = CharacterTokenizer
