"""What codecs over counted pieces (words, characters) share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Self

from s2s_lit.errors import UserError
from s2s_lit.text.codec import Codec, CodecBuilder, CodecPair, State
from s2s_lit.text.vocabularies import DynamicVocabulary, PieceCounts, VocabularyRule
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.types import BOS, EOS, PAD, UNK


class PieceCodec(Codec):
    """One id for each piece of a vocabulary, UNK for any other.

    Args:
        vocabulary: The known pieces.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.pieces = vocabulary.pieces

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """The pieces of `text`."""

    @abstractmethod
    def join(self, pieces: Iterable[str]) -> str:
        """The text of `pieces`."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [self.vocabulary.encode(self.split(text)) for text in texts]

    def encode_as_pieces(self, text: str) -> list[str]:
        return self.split(text)

    def decode(self, ids: Iterable[int]) -> str:
        pieces = self.pieces
        return self.join("⁇" if i == UNK else pieces[i] for i in ids if i not in (PAD, BOS, EOS))

    def state(self) -> State:
        return {"pieces": list(self.pieces)}

    @classmethod
    def from_state(cls, state: State) -> Self:
        return cls(Vocabulary(state["pieces"]))


class CountedCodecs(CodecBuilder):
    """Codecs whose vocabularies a rule chooses from the counts of the training text's pieces.

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
    def codec_class(self) -> type[PieceCodec]:
        """What cuts a text into pieces."""

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
                "data.codec: a joint vocabulary has one rule; leave out target_vocabulary or set joint=false"
            )
        self.vocabulary = vocabulary or DynamicVocabulary()
        self.target_vocabulary = target_vocabulary or self.vocabulary
        self.joint = joint

    def version(self) -> str:
        return f"3 {self.vocabulary.version()} {self.target_vocabulary.version()}"

    def train(self, pairs: Sequence[tuple[str, str]]) -> CodecPair:
        if self.joint:
            codec = self._codec((text for pair in pairs for text in pair), self.vocabulary)
            return CodecPair(codec, codec)
        sources, targets = zip(*pairs, strict=True)
        return CodecPair(self._codec(sources, self.vocabulary), self._codec(targets, self.target_vocabulary))

    def _codec(self, texts: Iterable[str], rule: VocabularyRule) -> PieceCodec:
        counts = PieceCounts()
        split = self.codec_class(Vocabulary(SPECIALS)).split
        for text in texts:
            counts.count(split(text))
        return self.codec_class(rule.choose(counts))
