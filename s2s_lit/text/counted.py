"""What tokenizers with a counted vocabulary (words, characters) share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Self

from s2s_lit.text.tokenizer import State, Tokenizer, TokenizerBuilder
from s2s_lit.text.vocabularies import DynamicVocabulary, TokenCounts, VocabularyRule
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.types import BOS, EOS, PAD, UNK


class WholeTokenizer(Tokenizer):
    """One id for each token of a vocabulary, UNK for any other.

    Args:
        vocabulary: The known tokens.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.tokens = vocabulary.tokens

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """The tokens of `text`."""

    @abstractmethod
    def join(self, tokens: Iterable[str]) -> str:
        """The text of `tokens`."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [self.vocabulary.encode(self.split(text)) for text in texts]

    def tokenize(self, text: str) -> list[str]:
        return self.split(text)

    def decode(self, ids: Iterable[int]) -> str:
        tokens = self.tokens
        return self.join("⁇" if i == UNK else tokens[i] for i in ids if i not in (PAD, BOS, EOS))

    def state(self) -> State:
        return {"tokens": list(self.tokens)}

    @classmethod
    def from_state(cls, state: State) -> Self:
        return cls(Vocabulary(state["tokens"]))


class CountedTokenizerBuilder(TokenizerBuilder):
    """Builds tokenizers whose vocabulary a rule chooses from the counts of the training text's tokens.

    Args:
        vocabulary: Which tokens get an id; null: a `DynamicVocabulary`, all of them within its bound.
        sample_rows: Most training rows, from the first on, whose text is read.
    """

    def __init__(self, *, vocabulary: VocabularyRule | None = None, sample_rows: int = 1_000_000) -> None:
        super().__init__(sample_rows=sample_rows)
        self.vocabulary = vocabulary or DynamicVocabulary()

    @property
    @abstractmethod
    def tokenizer_class(self) -> type[WholeTokenizer]:
        """What cuts a text into tokens; a class attribute."""

    def version(self) -> str:
        return f"4 {self.vocabulary.version()}"

    def train(self, texts: Sequence[str], name: str = "text") -> Tokenizer:
        counts = TokenCounts()
        split = self.tokenizer_class(Vocabulary(SPECIALS)).split
        for text in texts:
            counts.count(split(text))
        return self.tokenizer_class(self.vocabulary.choose(counts))
