"""Subword tokens of a sentencepiece model that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.text.sentencepiece import SentencePieceTokenizer
from s2s_lit.text.tokenizer import TokenizerBuilder


class SentencePieceFile(TokenizerBuilder):
    """The vocabulary of an existing sentencepiece model, whatever the training text.

    A model replaces letters by its own normalization rule, in what is generated though not in the references:
    `unicode_form` of the field should say the same. Checkpoints carry the model, the file is read once.

    Args:
        path: The model's file, which spm_train has made with --pad_id=0 --unk_id=1 --bos_id=2 --eos_id=3.
    """

    def __init__(self, *, path: Path) -> None:
        super().__init__(sample_rows=0)
        self.path = path

    def build(self, texts: Sequence[str], name: str = "text") -> SentencePieceTokenizer:
        """The model's tokenizer: no text is looked at and nothing is cached.

        Raises:
            UserError: The file cannot be read, is no sentencepiece model, or has other ids of the specials.
        """
        return self.train((), name)

    def train(self, texts: Sequence[str], name: str = "text") -> SentencePieceTokenizer:
        try:
            return SentencePieceTokenizer(Path(self.path).expanduser().read_bytes())
        except OSError as error:
            raise UserError(f"SentencePieceFile.path: {self.path} cannot be read: {error.strerror}") from error
        except RuntimeError as error:  # of sentencepiece
            raise UserError(f"SentencePieceFile.path: {self.path} is not a sentencepiece model") from error
        except ValueError as error:
            raise UserError(f"SentencePieceFile.path: {self.path}: {error}") from error
