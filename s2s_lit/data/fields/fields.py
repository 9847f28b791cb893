"""All fields of a task's examples, with their tokenizers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from s2s_lit.data.fields.base import Field
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.sources.rows import Malformed
from s2s_lit.errors import UserError
from s2s_lit.text.tokenizer import State, Tokenizer, TokenizerBuilder, tokenizer_from_state, tokenizer_state
from s2s_lit.types import TARGET, Example, Inputs


class Fields(Mapping[str, Field]):
    """The fields by name: `target`, which is generated, and the inputs, in the order in which a model reads them.

    Args:
        fields: All of them.
        tokenizer: Builds the tokenizer that is shared by all text fields that have none of their own.

    Raises:
        UserError: There is no target, it is no text, or a text field has no tokenizer.
    """

    def __init__(self, fields: Mapping[str, Field], *, tokenizer: TokenizerBuilder | None = None) -> None:
        self._fields = dict(fields)
        self._shared = tokenizer
        if not isinstance(self._fields.get(TARGET), TextField):
            raise UserError(f"data.fields needs `{TARGET}`, a TextField; there are: {', '.join(fields)}")
        for name, field in self.text_fields.items():
            if field.builder is None and tokenizer is None:
                raise UserError(f"data.fields.{name} has no tokenizer: set its own, or data.tokenizer")

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def target(self) -> TextField:
        """The field that is generated."""
        target = self._fields[TARGET]
        assert isinstance(target, TextField)
        return target

    @property
    def inputs(self) -> dict[str, Field]:
        """All other fields."""
        return {name: field for name, field in self.items() if name != TARGET}

    @property
    def text_fields(self) -> dict[str, TextField]:
        """The fields that are text."""
        return {name: field for name, field in self.items() if isinstance(field, TextField)}

    @property
    def sizes(self) -> dict[str, int]:
        """Tokens of each vocabulary, or features of a position, by field: what a model is made for."""
        return {name: field.size for name, field in self.items()}

    @property
    def is_ready(self) -> bool:
        """Whether every text field has its tokenizer."""
        return all(field.is_ready for field in self.text_fields.values())

    @property
    def samples(self) -> bool:
        """Whether training examples are cut anew each epoch."""
        return any(field.samples for field in self.values())

    def shares_tokenizer(self, name: str) -> bool:
        """Whether a text field has the target's tokenizer."""
        field = self._fields.get(name)
        return isinstance(field, TextField) and field.tokenizer is self.target.tokenizer

    def build(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Builds the tokenizers from the texts of the training rows, or takes them from the cache.

        Raises:
            UserError: There is no text.
        """
        own = {name: field.builder for name, field in self.text_fields.items() if field.builder is not None}
        shared = [name for name in self.text_fields if name not in own]
        builders = [*own.values(), *([self._shared] if shared and self._shared is not None else [])]
        sample = list(islice(rows, max((builder.sample_rows for builder in builders), default=0)))
        for name, builder in own.items():
            self.text_fields[name].tokenizer = builder.build([row[name] for row in sample[: builder.sample_rows]], name)
        if shared and self._shared is not None:
            texts = [row[name] for row in sample[: self._shared.sample_rows] for name in shared]
            tokenizer = self._shared.build(texts, " and ".join(shared))
            for name in shared:
                self.text_fields[name].tokenizer = tokenizer

    def state(self) -> State:
        """The tokenizers, each once, and which field has which; for checkpoints."""
        tokenizers: list[Tokenizer] = []
        places = {}
        for name, field in self.text_fields.items():
            known = next((place for place, each in enumerate(tokenizers) if each is field.tokenizer), None)
            if known is None:
                tokenizers.append(field.tokenizer)
            places[name] = len(tokenizers) - 1 if known is None else known
        return {"tokenizers": [tokenizer_state(each) for each in tokenizers], "fields": places}

    def load_state(self, state: State) -> None:
        """Gives the fields the tokenizers of a `state()`.

        Raises:
            ValueError: The state names something that is not a tokenizer, or belongs to other fields.
        """
        if set(state["fields"]) != set(self.text_fields):
            raise ValueError(f"the tokenizers are those of the fields {', '.join(state['fields'])}")
        tokenizers = [tokenizer_from_state(each) for each in state["tokenizers"]]
        for name, place in state["fields"].items():
            self.text_fields[name].tokenizer = tokenizers[place]

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> list[Example]:
        """An example for each row of raw values, in their order (`row` is its place); without a target it is empty.

        Raises:
            UserError: A row lacks an input, or a value cannot be read.
        """
        read = [{name: self._read(name, row, place) for name in self} for place, row in enumerate(rows)]
        encoded = {name: field.encode([row[name] for row in read]) for name, field in self.items()}
        return [
            Example(
                {name: field.marked(encoded[name][place]) for name, field in self.inputs.items()},
                encoded[TARGET][place],
                {name: field.text(row[name]) for name, field in self.items()},
                (row[TARGET],),
                place,
            )
            for place, row in enumerate(read)
        ]

    def _read(self, name: str, row: Mapping[str, Any], place: int) -> Any:
        if name not in row and name == TARGET:
            return ""
        if name not in row:
            raise UserError(f"example {place + 1} has no {name}; this model reads {', '.join(self.inputs)}")
        value = self[name].read(row[name])
        if isinstance(value, Malformed):
            raise UserError(f"the {name} of example {place + 1} cannot be used: {value.reason}")
        return value

    def idle_inputs(self) -> Inputs:
        """The inputs of one example without meaning, for a process that has none."""
        return self.blank_inputs(1, dict.fromkeys(self.inputs, 1))

    def blank_inputs(self, count: int, lengths: Mapping[str, int]) -> Inputs:
        """The inputs of `count` examples without meaning, of so many positions each."""
        return Inputs(count, **{name: field.blank(count, lengths[name]) for name, field in self.inputs.items()})
