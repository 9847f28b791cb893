"""Unknown words of an output, copied from the input."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from s2s_lit.errors import UserError
from s2s_lit.text.counted import WholeTokenizer
from s2s_lit.text.tokenizer import Tokenizer
from s2s_lit.types import BOS, EOS, PAD, UNK


class UnknownReplacer:
    """Writes, for each UNK of an output, the input token at which the attention looked most (Jean et al. 2015, section
    3.3; Luong et al. 2015, "Addressing the rare word problem", by alignments of its own).

    Args:
        source: The tokenizer of the input, of whole tokens of text: words or characters.
        target: That of the output, of the same kind.

    Raises:
        UserError: One has subword tokens, which have no spelling that could stand for a word.
    """

    def __init__(self, source: Tokenizer, target: Tokenizer) -> None:
        if not (isinstance(target, WholeTokenizer) and type(source) is type(target)):
            raise UserError(
                "task.replace_unknown needs the same kind of whole tokens on both sides, such as Words: set "
                "data.tokenizer Words"
            )
        self._source, self._target = source, target

    def decode(self, ids: Sequence[int], weights: Tensor | None, source_text: str) -> str:
        """The text of `ids`, looked for with `weights` [at least len(ids), input tokens and EOS].

        Raises:
            UserError: There are no weights.
        """
        if weights is None:
            raise UserError("task.replace_unknown needs an attention, which this model has not: set it to false")
        words = self._source.tokenize(source_text)
        if not words:
            return self._target.decode(ids)
        looked_at = weights[: len(ids), : len(words)].argmax(dim=1).tolist()  # never the EOS
        tokens = [
            words[place] if i == UNK else self._target.tokens[i]
            for i, place in zip(ids, looked_at, strict=True)
            if i not in (PAD, BOS, EOS)
        ]
        return self._target.join(tokens)
