"""A trained model as its checkpoint keeps it: network, fields and search, without corpus, task or trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from s2s_lit.config.objections import objections
from s2s_lit.config.stored import read, stored_parts, take_vocabularies
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.output_text import OutputText
from s2s_lit.decoding.sampling import sampling_without_input
from s2s_lit.decoding.search import Search
from s2s_lit.errors import UserError
from s2s_lit.models.base import Model

_PREFIX = "model."  # of the network's weights in a checkpoint


@dataclass(frozen=True)
class Bundle:
    """What a checkpoint holds for those who use the model.

    Attributes:
        model: The network, on the CPU and in evaluation mode.
        fields: The inputs and the target, with their tokenizers.
        search: The search that the run is configured with.
        text_of: Writes an output as text.
        batch_size: Examples at a time.
    """

    model: Model
    fields: Fields
    search: Search
    text_of: OutputText
    batch_size: int


def read_bundle(checkpoint: Path, overrides: Sequence[str] = ()) -> Bundle:
    """The trained model of a checkpoint; `overrides` change its configuration, as on the command line.

    Raises:
        UserError: The file is unreadable, torn or not of this program; or the overrides change what the weights do
            not fit.
    """
    content = read(checkpoint)
    parts = stored_parts(content["s2s_lit"]["config"], overrides)
    fields = Fields(parts.data.fields, tokenizer=parts.data.tokenizer)
    take_vocabularies(fields, content["s2s_lit"])
    with objections():
        model: Model = parts.model(fields.sizes)
    _take_weights(model, content["state_dict"])
    if parts.task.replace_unknown and not model.attends:
        raise UserError("task.replace_unknown needs an attention, which this model does not have: leave it out")
    return Bundle(
        model=model.eval(),
        fields=fields,
        search=parts.task.search or sampling_without_input(),
        text_of=OutputText(fields, replace_unknown=parts.task.replace_unknown),
        batch_size=parts.data.eval_batch_size,
    )


def _take_weights(model: Model, state_dict: Mapping[str, Tensor]) -> None:
    weights = {name.removeprefix(_PREFIX): value for name, value in state_dict.items() if name.startswith(_PREFIX)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"the checkpoint's weights do not fit: leave out what changes the model ({error})") from error
