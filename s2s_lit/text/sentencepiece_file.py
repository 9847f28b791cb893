"""Subword tokens of a sentencepiece model that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.text.sentencepiece import SentencePieceTokenizer
from s2s_lit.text.tokenizer import TokenizerBuilder, TokenizerPair


class SentencePieceFile(TokenizerBuilder):
    """The vocabularies of existing sentencepiece models, whatever the training text.

    A model replaces letters by its own normalization rule, in what is said though not in the references:
    `data.unicode_form` should say the same. Checkpoints carry the models, the files are read once.

    Args:
        path: The model's file, which spm_train has made with --pad_id=0 --unk_id=1 --bos_id=2 --eos_id=3.
        target_path: The file of the target language's model; null: one vocabulary for both languages.
    """

    def __init__(self, *, path: Path, target_path: Path | None = None) -> None:
        super().__init__()
        self.path = path
        self.target_path = target_path

    def build(self, pairs: Iterable[tuple[str, str]]) -> TokenizerPair:
        """The models' tokenizers: no text is looked at and nothing is cached.

        Raises:
            UserError: a file cannot be read, is no sentencepiece model, or has other ids of the specials.
        """
        return self.train(())

    def train(self, pairs: Sequence[tuple[str, str]]) -> TokenizerPair:
        source = _read(self.path, "path")
        return TokenizerPair(source, source if self.target_path is None else _read(self.target_path, "target_path"))


def _read(path: Path, setting: str) -> SentencePieceTokenizer:
    try:
        return SentencePieceTokenizer(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise UserError(f"data.tokenizer.{setting}: {path} cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # of sentencepiece
        raise UserError(f"data.tokenizer.{setting}: {path} is not a sentencepiece model") from error
    except ValueError as error:
        raise UserError(f"data.tokenizer.{setting}: {path}: {error}") from error
