"""Segmentations drawn at random: one sentence is other tokens each time it is trained on."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import sentencepiece

from s2s_lit.errors import UserError

_MOST = 512  # of sentencepiece's n-best lists
_lock = threading.Lock()


class Sampling(ABC):
    """How sentencepiece draws the segmentation of a training sentence."""

    model_type: ClassVar[str]
    """The kind of vocabulary that can be drawn from in this way."""

    @abstractmethod
    def strength(self) -> tuple[float, int]:
        """`alpha` and `nbest_size`, as sentencepiece calls them."""


@dataclass(frozen=True, kw_only=True)
class SubwordRegularization(Sampling):
    """Subword regularization (Kudo 2018, section 3.3), for unigram vocabularies.

    The segmentation x of a sentence is drawn from P(x)^alpha / sum over x' of P(x')^alpha, where x' are its
    `nbest_size` most probable segmentations, or all of them.

    Args:
        alpha: 0 draws evenly, 1 as the unigram model says, infinity gives the best one.
        nbest_size: How many segmentations it is drawn from, 2 to 512; -1: all of them, which is also faster.
    """

    alpha: float = 0.2
    nbest_size: int = -1

    model_type: ClassVar[str] = "unigram"

    def __post_init__(self) -> None:
        if self.alpha < 0:
            raise UserError(f"data.tokenizer.sampling.alpha must not be negative, as {self.alpha} is")
        if self.nbest_size != -1 and not 2 <= self.nbest_size <= _MOST:
            raise UserError(f"data.tokenizer.sampling.nbest_size must be -1 or 2 to {_MOST}, not {self.nbest_size}")

    def strength(self) -> tuple[float, int]:
        return self.alpha, self.nbest_size


@dataclass(frozen=True, kw_only=True)
class BpeDropout(Sampling):
    """BPE-dropout (Provilkov 2020, section 3), for BPE vocabularies.

    Each merge is passed over with probability `dropout`, each time it could be made.

    Args:
        dropout: p; 0 gives BPE itself, 1 characters.
    """

    dropout: float = 0.1

    model_type: ClassVar[str] = "bpe"

    def __post_init__(self) -> None:
        if not 0 <= self.dropout <= 1:
            raise UserError(f"data.tokenizer.sampling.dropout must be a probability, not {self.dropout}")

    def strength(self) -> tuple[float, int]:
        return self.dropout, -1


def draw(
    processor: sentencepiece.SentencePieceProcessor, text: str, strength: tuple[float, int], seed: int
) -> list[int]:
    """The ids of one segmentation of `text`, a function of its arguments alone (`seed` is 32 bits).

    sentencepiece has one seed for the whole process, and since 0.2.3 takes it up at the next call.
    """
    alpha, nbest_size = strength
    with _lock:
        sentencepiece.set_random_generator_seed(seed)
        ids: list[int] = processor.encode(
            text, out_type=int, enable_sampling=True, alpha=alpha, nbest_size=nbest_size, num_threads=1
        )
    return ids
