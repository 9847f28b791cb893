"""What stands between spaces as tokens: phones, tags, text that is tokenized already."""

from __future__ import annotations

from collections.abc import Iterable

from s2s_lit.text.counted import CountedTokenizerBuilder, WholeTokenizer


class SymbolTokenizer(WholeTokenizer):
    """One id for each symbol of a vocabulary, UNK for any other."""

    def split(self, text: str) -> list[str]:
        return text.split()

    def join(self, tokens: Iterable[str]) -> str:
        """The text, exactly, if it had single spaces."""
        return " ".join(tokens)


class Symbols(CountedTokenizerBuilder):
    """Whatever stands between spaces, counted in the training text.

    Args:
        vocabulary: Which of them get an id; null: a `DynamicVocabulary`, all of them within its bound.
        sample_rows: Most training rows, from the first on, whose text is read.
    """

    tokenizer_class = SymbolTokenizer
