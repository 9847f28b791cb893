"""Subword tokens by sentencepiece (Kudo and Richardson 2018)."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterable, Sequence
from typing import Literal

import sentencepiece
import torch
from tqdm import tqdm

from s2s_lit.errors import UserError
from s2s_lit.text.sampling import Sampling, draw
from s2s_lit.text.tokenizer import State, Tokenizer, TokenizerBuilder
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.types import BOS, EOS, PAD, UNK

log = logging.getLogger(__name__)

_LONGEST_LINE = 4192  # bytes; sentencepiece leaves out longer ones unless it is told, and says nothing
_LIMIT = re.compile(r"<=\s*(\d+)")


class SentencePieceTokenizer(Tokenizer):
    """A trained sentencepiece model.

    Args:
        model: The serialized model.
        strength: `alpha` and `nbest_size` of the segmentations that `sample` draws; None: there is only one.

    Raises:
        ValueError: the specials have other ids than those of this program.
    """

    def __init__(self, model: bytes, strength: tuple[float, int] | None = None) -> None:
        self._model = model
        self._strength = strength
        self.samples = strength is not None
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.tokens = tuple(self._processor.id_to_piece(list(range(len(self._processor)))))
        processor = self._processor
        ids = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
        if ids != (PAD, UNK, BOS, EOS):
            raise ValueError(
                f"the ids of padding, unknown, begin and end must be {PAD}, {UNK}, {BOS} and {EOS}, but are "
                f"{', '.join(map(str, ids))}: train the model with --pad_id={PAD} --unk_id={UNK} --bos_id={BOS} "
                f"--eos_id={EOS}"
            )

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return self._processor.encode(list(texts), out_type=int, num_threads=1)

    def sample(self, text: str, seed: int) -> list[int]:
        return self.encode(text) if self._strength is None else draw(self._processor, text, self._strength, seed)

    def tokenize(self, text: str) -> list[str]:
        return self._processor.encode(text, out_type=str)

    def decode(self, ids: Iterable[int]) -> str:
        return " ".join(self._processor.decode(list(ids)).split())  # an UNK decodes with spaces around it

    def state(self) -> State:
        model = torch.frombuffer(bytearray(self._model), dtype=torch.uint8)
        return {"model": model} if self._strength is None else {"model": model, "sampling": list(self._strength)}

    @classmethod
    def from_state(cls, state: State) -> SentencePieceTokenizer:
        strength = tuple(state["sampling"]) if "sampling" in state else None
        return cls(state["model"].cpu().numpy().tobytes(), strength)


class SentencePiece(TokenizerBuilder):
    """A subword vocabulary trained on the training text.

    A vocabulary larger than the text allows is capped, with a warning that names the size it got.

    Args:
        vocab_size: Tokens of the vocabulary, the four specials counted.
        model_type: `unigram` (Kudo 2018) or `bpe` (Sennrich 2016).
        sampling: Training sentences are segmented anew each epoch, at random; null: always in the same way. Whatever
            is evaluated or generated is.
        sample_rows: Most training rows, from the first on, whose text is read.

    Raises:
        UserError: such a vocabulary cannot be sampled so.
    """

    def __init__(
        self,
        *,
        vocab_size: int = 8000,
        model_type: Literal["unigram", "bpe"] = "unigram",
        sampling: Sampling | None = None,
        sample_rows: int = 1_000_000,
    ) -> None:
        super().__init__(sample_rows=sample_rows)
        if sampling is not None and sampling.model_type != model_type:
            raise UserError(
                f"sampling: {type(sampling).__name__} needs a {sampling.model_type} vocabulary: set "
                f"model_type={sampling.model_type}"
            )
        self.vocab_size = vocab_size
        self.model_type = model_type
        self.sampling = sampling

    def version(self) -> str:
        return f"3 sentencepiece {sentencepiece.__version__}"

    def train(self, texts: Sequence[str], name: str = "text") -> SentencePieceTokenizer:
        texts = [text for text in texts if text]
        try:
            model = self._train_model(texts, self.vocab_size, name)
        except RuntimeError as error:
            limit = _LIMIT.search(str(error))
            if limit is None or int(limit.group(1)) >= self.vocab_size:
                raise UserError(
                    f"sentencepiece cannot build the {name} vocabulary of {self.vocab_size} tokens from {len(texts)} "
                    f"lines (vocab_size): {error}"
                ) from error
            size = int(limit.group(1))
            log.warning(
                "vocab_size: %d tokens are more than the %s text has; the vocabulary has %d.",
                self.vocab_size, name, size,
            )  # fmt: skip
            model = self._train_model(texts, size, name)
        return SentencePieceTokenizer(model, None if self.sampling is None else self.sampling.strength())

    def _train_model(self, texts: Sequence[str], vocab_size: int, name: str) -> bytes:
        model = io.BytesIO()
        shown = tqdm(texts, f"sentencepiece, {name}", unit=" lines", delay=2, leave=False, disable=None)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(shown),
            model_writer=model,
            vocab_size=vocab_size,
            model_type=self.model_type,
            character_coverage=1.0,
            max_sentence_length=max([_LONGEST_LINE, *(len(text.encode()) for text in texts)]),
            normalization_rule_name="identity",  # the field has normalized the text already
            num_threads=1,  # unigram scores depend on the number of threads
            pad_id=PAD, unk_id=UNK, bos_id=BOS, eos_id=EOS,
            pad_piece=SPECIALS[PAD], unk_piece=SPECIALS[UNK], bos_piece=SPECIALS[BOS], eos_piece=SPECIALS[EOS],
            minloglevel=2,
        )  # fmt: skip
        return model.getvalue()
