"""Unknown words of an output, copied from the source."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from s2s_lit.errors import UserError
from s2s_lit.text.codec import CodecPair
from s2s_lit.text.counted import PieceCodec
from s2s_lit.types import BOS, EOS, PAD, UNK


class UnknownReplacer:
    """Writes, for each UNK of an output, the source piece at which the attention looked most (Jean et al. 2015, section
    3.3; Luong et al. 2015, "Addressing the rare word problem", by alignments of its own).

    Args:
        codecs: Both of whole pieces of text, words or characters.

    Raises:
        UserError: subword pieces, which have no spelling that could stand for a word.
    """

    def __init__(self, codecs: CodecPair) -> None:
        if not (isinstance(codecs.target, PieceCodec) and type(codecs.source) is type(codecs.target)):
            raise UserError("task.replace_unknown needs the same kind of whole pieces on both sides: data.codec Words")
        self._source, self._target = codecs.source, codecs.target

    def decode(self, ids: Sequence[int], weights: Tensor | None, source_text: str) -> str:
        """The text of `ids`, looked for with `weights` [at least len(ids), source pieces and EOS].

        Raises:
            UserError: there are no weights.
        """
        if weights is None:
            raise UserError("task.replace_unknown needs an attention, which this model has not: set it to false")
        words = self._source.encode_as_pieces(source_text)
        if not words:
            return self._target.decode(ids)
        looked_at = weights[: len(ids), : len(words)].argmax(dim=1).tolist()  # never the EOS
        pieces = [
            words[place] if i == UNK else self._target.pieces[i]
            for i, place in zip(ids, looked_at, strict=True)
            if i not in (PAD, BOS, EOS)
        ]
        return self._target.join(pieces)
