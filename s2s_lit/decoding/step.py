"""What a search needs of a model: the one protocol between decoding and everything that scores a next token."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from s2s_lit.types import DecoderState, Encoded, Inputs


class StepModel(Protocol):
    """Anything that can say, token by token, how likely each next token is.

    The K hypotheses of a sentence lie side by side: row n of `tokens` and of the state belongs to row n // K of the
    `Encoded`, with K = N // B, so nothing encoded is copied per hypothesis. All that a hypothesis carries is in its
    state, and a search moves hypotheses by `state.select` alone. Hence an ensemble, a bound on the length or a
    forced prefix is a StepModel around another one (what it must remember is a tensor more in the state), and no
    search needs to know of it.
    """

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        """Read the inputs: what was encoded and the states before the first token, one row an example.

        `encoded` has a `mask` [B, S] at least, True at the positions that the attention may look at; their number also
        bounds the length of an output. A model without an input has none: S = 0.
        """
        ...

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        """Feed one token to every hypothesis; the first one fed is BOS.

        Args:
            tokens: [N] the last token of each hypothesis.
            encoded: B rows.
            state: N = B * K rows.

        Returns:
            The normalized log-probabilities [N, V] of the next token (float32; the caller may write into them), the
            attention's weights [N, S] (None without attention), and the next state (N rows).
        """
        ...
