"""A model that is a table, to test searches against everything it can say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from s2s_lit.types import BOS, EOS, PAD, DecoderState, Encoded, Inputs, Sequences, Target

A, B, C = 4, 5, 6
"""The tokens of a table's language; PAD, UNK and BOS are impossible in it."""
SIZE = 7
NOTHING = 0  # the token before BOS


class TableModel:
    """A StepModel over `tables` [number, SIZE, SIZE, SIZE]: log P(next | sentence, token before last, last token).

    A sentence is told by its first source token alone, which is the number of its table and lies in `Encoded`; the
    token before the last lies in the state. So whoever mixes up rows of encoded or state gets other probabilities,
    and `step` objects at once when the two do not belong together. The weights are no distribution but tell what was
    seen: `code` of the table and the two tokens, plus a tenth for each column.
    """

    def __init__(self, tables: Tensor) -> None:
        self.tables = tables
        self.steps: list[int] = []  # rows of each step

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        source = inputs["source"]
        tables = source.values[:, 0]
        columns = torch.arange(source.values.shape[1]).expand_as(source.values)
        encoded = Encoded(mask=source.mask, tables=tables, columns=columns)
        return encoded, DecoderState(tables=tables, before=torch.full_like(tables, NOTHING))

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        self.steps.append(len(tokens))
        width = len(tokens) // len(encoded["tables"])
        tables = encoded["tables"].repeat_interleave(width)
        assert torch.equal(tables, state["tables"]), "rows of encoded and state belong to different sentences"
        weights = self.weights(encoded, width, tables, state["before"], tokens)
        return self.tables[tables, state["before"], tokens], weights, state.updated(before=tokens)

    def weights(self, encoded: Encoded, width: int, tables: Tensor, before: Tensor, last: Tensor) -> Tensor | None:
        return code(tables, before, last).float().unsqueeze(1) + encoded["columns"][0] / 10

    def log_prob(self, table: int, tokens: Sequence[int]) -> float:
        """log P(tokens), which need not end with EOS."""
        path = [NOTHING, BOS, *tokens]
        return sum(self.tables[table, x, y, z].item() for x, y, z in zip(path, path[1:], path[2:], strict=False))

    def everything(self, table: int, cap: int) -> dict[tuple[int, ...], float]:
        """Every output of at most `cap` tokens, EOS counted, that ends with EOS and is possible: its log P."""
        found = {}
        level = [()]
        for _ in range(cap):
            for tokens in level:
                total = self.log_prob(table, (*tokens, EOS))
                if total > -math.inf:
                    found[(*tokens, EOS)] = total
            level = [(*tokens, token) for tokens in level for token in (A, B, C)]
        return found


class AttendingTable(TableModel):
    """A TableModel whose weights are a distribution over the real source positions, drawn once for each two tokens."""

    def __init__(self, tables: Tensor, seed: int = 0, spread: float = 3.0) -> None:
        super().__init__(tables)
        generator = torch.Generator().manual_seed(seed)
        self.scores = spread * torch.randn(*tables.shape[:3], 8, generator=generator)  # no source has more than eight

    def weights(self, encoded: Encoded, width: int, tables: Tensor, before: Tensor, last: Tensor) -> Tensor:
        padding = ~encoded["mask"]
        scores = self.scores[tables, before, last, : padding.shape[1]]
        return scores.masked_fill(padding.repeat_interleave(width, dim=0), -math.inf).softmax(dim=-1)


class BlindTable(TableModel):
    """A TableModel without an attention."""

    def weights(self, encoded: Encoded, width: int, tables: Tensor, before: Tensor, last: Tensor) -> None:
        return None


def code(table: Tensor | int, before: Tensor | int, last: Tensor | int) -> Tensor | int:
    return 100 * table + 10 * before + last


def random_tables(number: int, seed: int, spread: float = 2.0) -> TableModel:
    """Tables drawn at random; A, B, C and EOS are possible everywhere."""
    generator = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(number, SIZE, SIZE, SIZE, generator=generator)
    logits[..., :EOS] = -math.inf
    return TableModel(logits.log_softmax(-1))


def chain(probabilities: dict[int, dict[int, float]]) -> TableModel:
    """One table from P(next | last) written out; what is not written is impossible, and EOS follows EOS."""
    table = torch.zeros(SIZE, SIZE)
    for last, following in probabilities.items():
        for token, probability in following.items():
            table[last, token] = probability
    return TableModel(table.log().expand(1, SIZE, SIZE, SIZE))


def sources(lengths: Sequence[int], tables: Sequence[int] | None = None) -> Inputs:
    """Sources of these lengths for tables 0, 1, ..., padded."""
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    ids[:, 0] = torch.tensor(range(len(lengths)) if tables is None else tables)
    return Inputs(len(lengths), source=Sequences(ids, torch.tensor(lengths)))


def alone(inputs: Inputs, row: int) -> Inputs:
    """One of them, without padding."""
    source = inputs["source"]
    length = source.lengths[row : row + 1]
    return Inputs(1, source=Sequences(source.values[row : row + 1, : int(length)], length))


def targets(*rows: Sequence[int]) -> Target:
    """Each of these tokens in order, predicted from those before it; a row ends with EOS only if that is given."""
    ids = torch.full((len(rows), max(map(len, rows))), PAD)
    inputs = ids.clone()
    inputs[:, 0] = BOS
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        inputs[row, 1 : len(tokens)] = torch.tensor(tokens[:-1])
    return Target(inputs, ids, torch.tensor([len(tokens) for tokens in rows]))
