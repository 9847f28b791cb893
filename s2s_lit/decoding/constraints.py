"""What an output may not be: StepModels around another one, so that every search obeys and none needs to know."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from s2s_lit.decoding.step import StepModel
from s2s_lit.types import EOS, DecoderState, Memory

FREE = -1
"""Behind the end of a prefix: any piece may follow."""


class Constraint(ABC):
    """A StepModel that bars some of another one's next pieces.

    A barred piece gets the log-probability -inf and the others keep theirs: nothing is normalized anew, so a
    hypothesis's `log_prob` stays the model's own. Where every possible piece would be barred, none is: a search never
    gets stuck, and of several constraints the innermost is the strongest.

    Args:
        model: The one that is constrained.
    """

    def __init__(self, model: StepModel) -> None:
        self.model = model

    def start(self, source_ids: Tensor, source_lengths: Tensor) -> tuple[Memory, DecoderState]:
        memory, state = self.model.start(source_ids, source_lengths)
        return self.prepare(memory), state.updated(**self.remember(source_ids))

    def step(self, tokens: Tensor, memory: Memory, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        log_probs, weights, after = self.model.step(tokens, memory, state)
        barred, remembered = self.bar(tokens, memory, state, log_probs)
        allowed = log_probs.masked_fill(barred, -torch.inf)
        stuck = allowed.amax(dim=-1, keepdim=True) == -torch.inf
        return torch.where(stuck, log_probs, allowed), weights, after.updated(**remembered)

    def prepare(self, memory: Memory) -> Memory:
        """The memory with what the constraint must know of each sentence."""
        return memory

    @abstractmethod
    def remember(self, source_ids: Tensor) -> dict[str, Tensor]:
        """What it remembers before the first piece, one row a sentence [B, ...]."""

    @abstractmethod
    def bar(
        self, tokens: Tensor, memory: Memory, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The pieces barred after `tokens` [N], True in [N, V], and what is remembered from here on."""


class MinimumLength(Constraint):
    """No EOS before an output has `length` pieces, EOS counted.

    Args:
        model: The one that is constrained.
        length: Fewest pieces.
    """

    def __init__(self, model: StepModel, length: int) -> None:
        super().__init__(model)
        self.length = length

    def remember(self, source_ids: Tensor) -> dict[str, Tensor]:
        return {"minimum_length.pieces": torch.zeros_like(source_ids[:, 0])}

    def bar(
        self, tokens: Tensor, memory: Memory, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        pieces = state["minimum_length.pieces"] + 1  # [N], with the one that is looked for now
        is_end = torch.arange(log_probs.shape[-1], device=tokens.device) == EOS
        return is_end & (pieces < self.length).unsqueeze(1), {"minimum_length.pieces": pieces}


class NoRepeatedNgram(Constraint):
    """No `size` successive pieces stand twice in an output (Paulus et al. 2018, section 2.5, there with trigrams).

    Args:
        model: The one that is constrained.
        size: n, pieces of an n-gram; 1 allows each piece once.
    """

    def __init__(self, model: StepModel, size: int) -> None:
        super().__init__(model)
        self.size = size

    def remember(self, source_ids: Tensor) -> dict[str, Tensor]:
        return {"no_repeated_ngram.pieces": source_ids[:, :0]}  # [B, 0]; BOS joins them, and never comes again

    def bar(
        self, tokens: Tensor, memory: Memory, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        pieces = torch.cat([state["no_repeated_ngram.pieces"], tokens.unsqueeze(1)], dim=1)  # [N, t]
        barred = torch.zeros_like(log_probs, dtype=torch.bool)
        if pieces.shape[1] >= self.size:
            ngrams = pieces.unfold(1, self.size, 1)  # [N, t - n + 1, n]
            latest = pieces[:, pieces.shape[1] - self.size + 1 :].unsqueeze(1)  # [N, 1, n - 1]
            rows, places = (ngrams[..., :-1] == latest).all(dim=-1).nonzero(as_tuple=True)
            barred[rows, ngrams[rows, places, -1]] = True
        return barred, {"no_repeated_ngram.pieces": pieces}


class ForcedPrefix(Constraint):
    """Every output of a sentence begins with its prefix, whose log-probability counts as any other.

    A prefix is cut where the sentence's cap is reached. A piece that the model holds impossible is not forced.

    Args:
        model: The one that is constrained.
        prefixes: [B, P] pieces without BOS, padded with `FREE`.
    """

    def __init__(self, model: StepModel, prefixes: Tensor) -> None:
        super().__init__(model)
        self.prefixes = prefixes

    def prepare(self, memory: Memory) -> Memory:
        return memory.updated(**{"forced_prefix.pieces": self.prefixes})

    def remember(self, source_ids: Tensor) -> dict[str, Tensor]:
        return {"forced_prefix.position": torch.zeros_like(source_ids[:, 0])}

    def bar(
        self, tokens: Tensor, memory: Memory, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        prefixes, position = memory["forced_prefix.pieces"], state["forced_prefix.position"]
        prefixes = F.pad(prefixes, (0, 1), value=FREE)
        place = position.view(len(prefixes), -1).clamp(max=prefixes.shape[1] - 1)  # [B, K]
        forced = prefixes.gather(1, place).view(-1, 1)  # [N, 1]
        ids = torch.arange(log_probs.shape[-1], device=tokens.device)
        return (forced != FREE) & (ids != forced), {"forced_prefix.position": position + 1}
