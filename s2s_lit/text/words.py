"""Words and punctuation as pieces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from s2s_lit.text.codec import Codec, CodecBuilder, CodecPair, State
from s2s_lit.text.vocabulary import Vocabulary
from s2s_lit.types import BOS, EOS, PAD, UNK

JOINER = "￭"
"""On the side of a punctuation mark where the text has no space."""

_TOKEN = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")
_GLUE = re.compile(rf"{JOINER} {JOINER}|{JOINER} | {JOINER}")


def tokenize(text: str) -> list[str]:
    """Words (letters, digits, inner hyphens and apostrophes) and single punctuation marks.

    A mark that touches its neighbour carries a joiner on that side, words never do, so that one word is one piece
    wherever it stands: `Er sagt: "Ja."` gives `Er sagt ￭: "￭ Ja ￭. ￭"`.
    """
    tokens: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        token, start = match.group(), match.start()
        is_word = token[0].isalnum() or token[0] == "_"
        if tokens and start == end:  # no space between
            if is_word:
                tokens[-1] += JOINER
            else:
                token = JOINER + token
        tokens.append(token)
        end = match.end()
    return tokens


def detokenize(tokens: Iterable[str]) -> str:
    """The text of `tokens`, exactly, if its white space was single spaces and it had no joiner of its own."""
    return _GLUE.sub("", " ".join(tokens)).strip(JOINER)


class WordCodec(Codec):
    """One id for each word or punctuation mark of a vocabulary, UNK for any other.

    Args:
        vocabulary: The known words and marks.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.pieces = vocabulary.pieces

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [self.vocabulary.encode(tokenize(text)) for text in texts]

    def encode_as_pieces(self, text: str) -> list[str]:
        return tokenize(text)

    def decode(self, ids: Iterable[int]) -> str:
        pieces = self.pieces
        return detokenize("⁇" if i == UNK else pieces[i] for i in ids if i not in (PAD, BOS, EOS))

    def state(self) -> State:
        return {"pieces": list(self.pieces)}

    @classmethod
    def from_state(cls, state: State) -> WordCodec:
        return cls(Vocabulary(state["pieces"]))


class Words(CodecBuilder):
    """Word vocabularies counted in the training text.

    Args:
        joint: One vocabulary for both languages.
        max_size: Most pieces of a vocabulary, the four specials counted; the rarest are left out.
        min_count: Fewest occurrences of a piece that is kept.
        sample_rows: Most sentence pairs read from the start of the training stream.
    """

    def __init__(
        self, *, joint: bool = False, max_size: int | None = 50_000, min_count: int = 1, sample_rows: int = 1_000_000
    ) -> None:
        super().__init__(sample_rows=sample_rows)
        self.joint = joint
        self.max_size = max_size
        self.min_count = min_count

    def train(self, pairs: Sequence[tuple[str, str]]) -> CodecPair:
        sides = [[text for pair in pairs for text in pair]] if self.joint else list(zip(*pairs, strict=True))
        codecs = [self._codec(texts) for texts in sides]
        return CodecPair(codecs[0], codecs[-1])

    def _codec(self, texts: Iterable[str]) -> WordCodec:
        counts = Counter(token for text in texts for token in tokenize(text))
        return WordCodec(Vocabulary.from_counts(counts, max_size=self.max_size, min_count=self.min_count))
