"""Subword pieces of a sentencepiece model that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.text.codec import CodecBuilder, CodecPair
from s2s_lit.text.sentencepiece import SentencePieceCodec


class SentencePieceFile(CodecBuilder):
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

    def build(self, pairs: Iterable[tuple[str, str]]) -> CodecPair:
        """The models' codecs: no text is looked at and nothing is cached.

        Raises:
            UserError: a file cannot be read, is no sentencepiece model, or has other ids of the specials.
        """
        return self.train(())

    def train(self, pairs: Sequence[tuple[str, str]]) -> CodecPair:
        source = _read(self.path, "path")
        return CodecPair(source, source if self.target_path is None else _read(self.target_path, "target_path"))


def _read(path: Path, setting: str) -> SentencePieceCodec:
    try:
        return SentencePieceCodec(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise UserError(f"data.codec.{setting}: {path} cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # of sentencepiece
        raise UserError(f"data.codec.{setting}: {path} is not a sentencepiece model") from error
    except ValueError as error:
        raise UserError(f"data.codec.{setting}: {path}: {error}") from error
