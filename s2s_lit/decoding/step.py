"""What a search needs of a model: the one protocol between decoding and everything that scores a next token."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from s2s_lit.types import DecoderState, Encoded


class StepModel(Protocol):
    """Anything that can say, token by token, how likely each next token is.

    The K hypotheses of a sentence lie side by side: row n of `tokens` and of the state belongs to row n // K of the
    `Encoded`, with K = N // B, so nothing encoded is copied per hypothesis. All that a hypothesis carries is in its
    state, and a search moves hypotheses by `state.select` alone. Hence an ensemble, a bound on the length or a
    forced prefix is a StepModel around another one (what it must remember is a tensor more in the state), and no
    search needs to know of it.
    """

    def start(self, source_ids: Tensor, source_lengths: Tensor) -> tuple[Encoded, DecoderState]:
        """Read the sources [B, S] of `source_lengths` [B] tokens: what was encoded, and states; one row a sentence."""
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
