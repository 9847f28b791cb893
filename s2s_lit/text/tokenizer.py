"""The contract between text and ids, and how tokenizers are built and kept."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Self

from s2s_lit.errors import UserError
from s2s_lit.text import cache

log = logging.getLogger(__name__)

State = dict[str, Any]
"""Strings, numbers, lists and tensors only: it lies in checkpoints that are read with `weights_only=True`."""


class Tokenizer(ABC):
    """Turns a line of text into ids and ids into a line of text.

    The first four ids are PAD, UNK, BOS and EOS in every tokenizer. Encoding adds neither BOS nor EOS: the batch does.
    """

    tokens: Sequence[str]
    """All tokens; a token's position is its id."""

    samples: bool = False
    """Whether `sample` gives anything but `encode`."""

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The ids of `text`, without BOS and EOS."""
        return self.encode_batch([text])[0]

    @abstractmethod
    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """As `encode`, for many lines in one call."""

    def sample(self, text: str, seed: int) -> list[int]:
        """The ids of `text` in a segmentation drawn for training, a function of both; `seed` has 32 bits."""
        return self.encode(text)

    @abstractmethod
    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text`, one for each id of `encode(text)`; an unknown token keeps its own spelling."""

    @abstractmethod
    def decode(self, ids: Iterable[int]) -> str:
        """The detokenized text of `ids`: PAD, BOS and EOS vanish, an UNK reads `⁇`."""

    @abstractmethod
    def state(self) -> State:
        """All that `from_state` needs to make the same tokenizer again."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: State) -> Self:
        """The tokenizer whose `state()` this is."""


class TokenizerBuilder(ABC):
    """Builds a tokenizer from the training text, or takes it from the cache.

    A builder keeps each argument of its constructor in an attribute: together with the training text they are the key
    under which the cache knows the result.

    Args:
        sample_rows: Most training rows, from the first on, whose text is read.
    """

    def __init__(self, *, sample_rows: int = 1_000_000) -> None:
        self.sample_rows = sample_rows

    @abstractmethod
    def train(self, texts: Sequence[str], name: str = "text") -> Tokenizer:
        """A tokenizer for these texts; the same for the same texts. `name` is what messages call them."""

    def version(self) -> str:
        """Changes when the same arguments and the same text would give another tokenizer."""
        return "1"

    def build(self, texts: Sequence[str], name: str = "text") -> Tokenizer:
        """A tokenizer for the training text, from the cache if it was seen before.

        Raises:
            UserError: There is no text.
        """
        if not any(texts):
            raise UserError(
                f"The training split has no text for {name}, so no vocabulary can be built: look at the data, and at "
                "data.columns."
            )
        key = cache.content_key([_class_path(self), self.version(), repr(sorted(vars(self).items()))], texts)
        try:
            if (state := cache.load(key)) is not None:
                return tokenizer_from_state(state)
        except Exception as error:  # whatever a damaged file breaks, the remedy is the same
            log.warning("The cached vocabulary %s cannot be read (%s); building it again.", cache.path_of(key), error)
        tokenizer = self.train(texts, name)
        cache.store(key, tokenizer_state(tokenizer))
        return tokenizer


def tokenizer_state(tokenizer: Tokenizer) -> State:
    """The tokenizer's class and its own state."""
    return {"class": _class_path(tokenizer), "state": tokenizer.state()}


def tokenizer_from_state(state: State) -> Tokenizer:
    """The tokenizer whose `tokenizer_state` this is.

    Raises:
        ValueError: The state names something that is not a tokenizer.
    """
    module, _, name = str(state["class"]).rpartition(".")
    found = getattr(import_module(module), name, None)
    if not (isinstance(found, type) and issubclass(found, Tokenizer)):
        raise ValueError(f"{state['class']} is not a tokenizer")
    return found.from_state(state["state"])


def _class_path(instance: object) -> str:
    return f"{type(instance).__module__}.{type(instance).__qualname__}"
