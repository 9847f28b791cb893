"""What a search has found, as text."""

from __future__ import annotations

from s2s_lit.data.fields.fields import Fields
from s2s_lit.errors import UserError
from s2s_lit.text.unknown import UnknownReplacer
from s2s_lit.types import Hypothesis


class OutputText:
    """Writes the tokens of an output as text.

    Args:
        fields: The inputs and the target, with their tokenizers.
        replace_unknown: Write the input word at which the attention looked most for each unknown word.

    Attributes:
        needs_weights: Whether hypotheses must carry the attention's weights.

    Raises:
        UserError: Unknown words shall be replaced, and there is not one input that is text.
    """

    def __init__(self, fields: Fields, *, replace_unknown: bool = False) -> None:
        self._target = fields.target
        self._replacer = _replacer(fields) if replace_unknown else None
        self.needs_weights = replace_unknown

    def __call__(self, hypothesis: Hypothesis, source_text: str) -> str:
        """The detokenized text of an output for the input `source_text`."""
        if self._replacer is None:
            return self._target.tokenizer.decode(hypothesis.token_ids)
        return self._replacer.decode(hypothesis.token_ids, hypothesis.weights, source_text)


def _replacer(fields: Fields) -> UnknownReplacer:
    texts = [name for name in fields.inputs if name in fields.text_fields]
    if len(texts) != 1:
        raise UserError("task.replace_unknown needs one input that is text")
    return UnknownReplacer(fields.text_fields[texts[0]].tokenizer, fields.target.tokenizer)
