"""The contract between text and ids, and how tokenizers are built and kept."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import islice
from typing import Any, Self

from s2s_lit.errors import UserError
from s2s_lit.text import cache
from s2s_lit.text.normalize import Form, normalize

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


class TokenizerPair:
    """The tokenizers of both sides; a joint vocabulary is one tokenizer on both.

    Args:
        source: The tokenizer of the source language.
        target: The tokenizer of the target language.
        form: Unicode normalization of the text that they encode.
    """

    def __init__(self, source: Tokenizer, target: Tokenizer, *, form: Form = "NFC") -> None:
        self.source = source
        self.target = target
        self.form = form

    @property
    def joint(self) -> bool:
        return self.source is self.target

    @property
    def samples(self) -> bool:
        """Whether training sentences are segmented anew each epoch."""
        return self.source.samples or self.target.samples

    def normalize(self, line: str) -> str:
        """A line as these tokenizers were trained to see it."""
        return normalize(line, self.form)

    def state(self) -> State:
        sides = {"source": self.source} if self.joint else {"source": self.source, "target": self.target}
        states = {
            side: {"class": _class_path(tokenizer), "state": tokenizer.state()} for side, tokenizer in sides.items()
        }
        return states if self.form == "NFC" else {**states, "form": self.form}

    @classmethod
    def from_state(cls, state: State) -> TokenizerPair:
        """The pair whose `state()` this is.

        Raises:
            ValueError: the state names something that is not a tokenizer.
        """
        sides = [side for side in ("source", "target") if side in state]
        tokenizers = {side: _tokenizer_class(state[side]["class"]).from_state(state[side]["state"]) for side in sides}
        return cls(tokenizers["source"], tokenizers.get("target", tokenizers["source"]), form=state.get("form", "NFC"))


class TokenizerBuilder(ABC):
    """Builds the tokenizers of an experiment from its training text, or takes them from the cache.

    A builder keeps each argument of its constructor in an attribute: together with the training text they are the key
    under which the cache knows the result.

    Args:
        sample_rows: Most sentence pairs read from the start of the training stream.
    """

    def __init__(self, *, sample_rows: int = 1_000_000) -> None:
        self.sample_rows = sample_rows

    @abstractmethod
    def train(self, pairs: Sequence[tuple[str, str]]) -> TokenizerPair:
        """Tokenizers for these (source, target) pairs; the same for the same pairs."""

    def version(self) -> str:
        """Changes when the same arguments and the same text would give another tokenizer."""
        return "1"

    def build(self, pairs: Iterable[tuple[str, str]]) -> TokenizerPair:
        """Tokenizers for the training text, from the cache if it was seen before.

        Raises:
            UserError: there is no text.
        """
        sample = list(islice(pairs, self.sample_rows))
        if not any(source and target for source, target in sample):
            raise UserError(
                "The training split has no usable sentence pair, so no vocabulary can be built: look at the columns' "
                "names (data.source_column, data.target_column) and at the data."
            )
        key = cache.content_key([_class_path(self), self.version(), repr(sorted(vars(self).items()))], sample)
        try:
            if (state := cache.load(key)) is not None:
                return TokenizerPair.from_state(state)
        except Exception as error:  # whatever a damaged file breaks, the remedy is the same
            log.warning("The cached vocabulary %s cannot be read (%s); building it again.", cache.path_of(key), error)
        tokenizers = self.train(sample)
        cache.store(key, tokenizers.state())
        return tokenizers


def _class_path(instance: object) -> str:
    return f"{type(instance).__module__}.{type(instance).__qualname__}"


def _tokenizer_class(path: str) -> type[Tokenizer]:
    module, _, name = path.rpartition(".")
    found = getattr(import_module(module), name, None)
    if not (isinstance(found, type) and issubclass(found, Tokenizer)):
        raise ValueError(f"{path} is not a tokenizer")
    return found
