"""Characters as tokens."""

from __future__ import annotations

from collections.abc import Iterable

from s2s_lit.text.counted import CountedTokenizers, TokenTokenizer
from s2s_lit.text.vocabularies import VocabularyRule

SPACE = "▁"
"""Stands for a space, so that it can be seen in lists and pictures."""


class CharacterTokenizer(TokenTokenizer):
    """One id for each character (code point) of a vocabulary, UNK for any other."""

    def split(self, text: str) -> list[str]:
        return list(text.replace(" ", SPACE))

    def join(self, tokens: Iterable[str]) -> str:
        """The text, exactly, if it had single spaces and no `▁` of its own."""
        return " ".join("".join(tokens).replace(SPACE, " ").split())


class Characters(CountedTokenizers):
    """Characters, counted in the training text.

    A sentence has five times as many characters as words: see to data.max_source_length and data.max_target_length.

    Args:
        vocabulary: Which of them get an id; null: a `DynamicVocabulary`, all of them within its bound.
        target_vocabulary: Which of the target side's, if that has another rule; null: the same.
        joint: One vocabulary for both languages.
        sample_rows: Most sentence pairs read from the start of the training stream.
    """

    tokenizer_class = CharacterTokenizer

    def __init__(
        self,
        *,
        vocabulary: VocabularyRule | None = None,
        target_vocabulary: VocabularyRule | None = None,
        joint: bool = False,
        sample_rows: int = 1_000_000,
    ) -> None:
        super().__init__(vocabulary, target_vocabulary, joint=joint, sample_rows=sample_rows)
