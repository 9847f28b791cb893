"""A sentencepiece model from elsewhere is used as it is, or refused with the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sentencepiece

from s2s_lit.errors import UserError
from s2s_lit.text.sentencepiece_file import SentencePieceFile
from s2s_lit.text.tokenizer import tokenizer_from_state, tokenizer_state
from s2s_lit.types import EOS, PAD, UNK
from support.saving import saved

OURS = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}


def spm_train(path: Path, texts: list[str], **settings: Any) -> Path:
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=file, vocab_size=45, minloglevel=2, **settings
        )
    return path


def test_encodes_as_the_model_does_and_goes_through_a_checkpoint(tmp_path: Path, english: list[str]) -> None:
    file = spm_train(tmp_path / "en.model", english, pad_piece="[pad]", **OURS)
    built = SentencePieceFile(path=file).build([])
    processor = sentencepiece.SentencePieceProcessor(model_file=str(file))
    for tokenizer in (built, tokenizer_from_state(saved(tokenizer_state(built)))):
        assert tokenizer.encode_batch(english) == processor.encode(english)
        assert tokenizer.decode([*tokenizer.encode(english[0]), EOS, PAD]) == english[0]
        assert tokenizer.decode([UNK]) == "⁇"


def test_other_ids_of_the_specials_are_refused_with_the_remedy(tmp_path: Path, english: list[str]) -> None:
    file = spm_train(tmp_path / "usual.model", english)
    with pytest.raises(UserError, match=r"SentencePieceFile\.path: .*usual\.model: .* are -1, 0, 1, 2: .*--pad_id=0"):
        SentencePieceFile(path=file).build([])


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"SentencePieceFile\.path: .*missing.* cannot be read: No such file"):
        SentencePieceFile(path=tmp_path / "missing").build([])
    (tmp_path / "text").write_text("no model")
    with pytest.raises(UserError, match=r"SentencePieceFile\.path: .*text is not a sentencepiece model"):
        SentencePieceFile(path=tmp_path / "text").build([])
