"""What tokenizers over counted tokens (words, characters) share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Self

from s2s_lit.errors import UserError
from s2s_lit.text.tokenizer import State, Tokenizer, TokenizerBuilder, TokenizerPair
from s2s_lit.text.vocabularies import DynamicVocabulary, TokenCounts, VocabularyRule
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.types import BOS, EOS, PAD, UNK


class TokenTokenizer(Tokenizer):
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


class CountedTokenizers(TokenizerBuilder):
    """Tokenizers whose vocabularies a rule chooses from the counts of the training text's tokens.

    Args:
        vocabulary: The rule; null: a `DynamicVocabulary`.
        target_vocabulary: The rule of the target side; null: the same.
        joint: One vocabulary for both languages.
        sample_rows: Most sentence pairs read from the start of the training stream.

    Raises:
        UserError: a joint vocabulary has two rules.
    """

    @property
    @abstractmethod
    def tokenizer_class(self) -> type[TokenTokenizer]:
        """What cuts a text into tokens."""

    def __init__(
        self,
        vocabulary: VocabularyRule | None,
        target_vocabulary: VocabularyRule | None,
        *,
        joint: bool,
        sample_rows: int,
    ) -> None:
        super().__init__(sample_rows=sample_rows)
        if joint and target_vocabulary is not None:
            raise UserError(
                "data.tokenizer: a joint vocabulary has one rule; leave out target_vocabulary or set joint=false"
            )
        self.vocabulary = vocabulary or DynamicVocabulary()
        self.target_vocabulary = target_vocabulary or self.vocabulary
        self.joint = joint

    def version(self) -> str:
        return f"3 {self.vocabulary.version()} {self.target_vocabulary.version()}"

    def train(self, pairs: Sequence[tuple[str, str]]) -> TokenizerPair:
        if self.joint:
            tokenizer = self._tokenizer((text for pair in pairs for text in pair), self.vocabulary)
            return TokenizerPair(tokenizer, tokenizer)
        sources, targets = zip(*pairs, strict=True)
        return TokenizerPair(
            self._tokenizer(sources, self.vocabulary), self._tokenizer(targets, self.target_vocabulary)
        )

    def _tokenizer(self, texts: Iterable[str], rule: VocabularyRule) -> TokenTokenizer:
        counts = TokenCounts()
        split = self.tokenizer_class(Vocabulary(SPECIALS)).split
        for text in texts:
            counts.count(split(text))
        return self.tokenizer_class(rule.choose(counts))
