"""What an output may not be: StepModels around another one, so that every search obeys and none needs to know."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from s2s_lit.decoding.step import StepModel
from s2s_lit.types import BOS, EOS, PAD, DecoderState, Encoded, Inputs

FREE = -1
"""Behind the end of a prefix: any token may follow."""


class RealTokens:
    """No PAD and no BOS: they stand in batches, and in no output.

    It is inside of all constraints, so that none of them can leave one of the two as the only token. Like a barred
    token's, their probability is taken away and given to no other.

    Args:
        model: The one that is searched.
    """

    def __init__(self, model: StepModel) -> None:
        self.model = model
        self.start = model.start

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        log_probs, weights, after = self.model.step(tokens, encoded, state)
        for token in (PAD, BOS):  # two columns in place: a copy of [N, V] would cost time in every step
            log_probs[:, token].fill_(-torch.inf)
        return log_probs, weights, after


class Constraint(ABC):
    """A StepModel that bars some of another one's next tokens.

    A barred token gets the log-probability -inf and the others keep theirs: nothing is normalized anew, so a
    hypothesis's `log_prob` stays the model's own. Where every possible token would be barred, none is: a search never
    gets stuck, and of several constraints the innermost is the strongest.

    Args:
        model: The one that is constrained.
    """

    def __init__(self, model: StepModel) -> None:
        self.model = model

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        encoded, state = self.model.start(inputs)
        return self.prepare(encoded), state.updated(**self.remember(encoded["mask"]))

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        log_probs, weights, after = self.model.step(tokens, encoded, state)
        barred, remembered = self.bar(tokens, encoded, state, log_probs)
        allowed = log_probs.masked_fill(barred, -torch.inf)
        stuck = allowed.amax(dim=-1, keepdim=True) == -torch.inf
        return torch.where(stuck, log_probs, allowed), weights, after.updated(**remembered)

    def prepare(self, encoded: Encoded) -> Encoded:
        """What was encoded, with what the constraint must know of each sentence."""
        return encoded

    @abstractmethod
    def remember(self, mask: Tensor) -> dict[str, Tensor]:
        """What it remembers before the first token, one row a sentence [B, ...]; `mask` [B, S] is that of the input."""

    @abstractmethod
    def bar(
        self, tokens: Tensor, encoded: Encoded, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The tokens barred after `tokens` [N], True in [N, V], and what is remembered from here on."""


class MinimumLength(Constraint):
    """No EOS before an output has `length` tokens, EOS counted.

    Args:
        model: The one that is constrained.
        length: Fewest tokens.
    """

    def __init__(self, model: StepModel, length: int) -> None:
        super().__init__(model)
        self.length = length

    def remember(self, mask: Tensor) -> dict[str, Tensor]:
        return {"minimum_length.tokens": mask.new_zeros(len(mask), dtype=torch.long)}

    def bar(
        self, tokens: Tensor, encoded: Encoded, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        tokens = state["minimum_length.tokens"] + 1  # [N], with the one that is looked for now
        is_end = torch.arange(log_probs.shape[-1], device=tokens.device) == EOS
        return is_end & (tokens < self.length).unsqueeze(1), {"minimum_length.tokens": tokens}


class NoRepeatedNgram(Constraint):
    """No `size` successive tokens stand twice in an output (Paulus et al. 2018, section 2.5, there with trigrams).

    Args:
        model: The one that is constrained.
        size: n, tokens of an n-gram; 1 allows each token once.
    """

    def __init__(self, model: StepModel, size: int) -> None:
        super().__init__(model)
        self.size = size

    def remember(self, mask: Tensor) -> dict[str, Tensor]:
        return {
            "no_repeated_ngram.tokens": mask.new_zeros(len(mask), 0, dtype=torch.long)
        }  # [B, 0]; BOS joins them, and never comes again

    def bar(
        self, tokens: Tensor, encoded: Encoded, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        tokens = torch.cat([state["no_repeated_ngram.tokens"], tokens.unsqueeze(1)], dim=1)  # [N, t]
        barred = torch.zeros_like(log_probs, dtype=torch.bool)
        if tokens.shape[1] >= self.size:
            ngrams = tokens.unfold(1, self.size, 1)  # [N, t - n + 1, n]
            latest = tokens[:, tokens.shape[1] - self.size + 1 :].unsqueeze(1)  # [N, 1, n - 1]
            rows, places = (ngrams[..., :-1] == latest).all(dim=-1).nonzero(as_tuple=True)
            barred[rows, ngrams[rows, places, -1]] = True
        return barred, {"no_repeated_ngram.tokens": tokens}


class ForcedPrefix(Constraint):
    """Every output of a sentence begins with its prefix, whose log-probability counts as any other.

    A prefix is cut where the sentence's cap is reached. A token that the model holds impossible is not forced, and
    neither are PAD and BOS.

    Args:
        model: The one that is constrained.
        prefixes: [B, P] tokens without BOS, padded with `FREE`.
    """

    def __init__(self, model: StepModel, prefixes: Tensor) -> None:
        super().__init__(RealTokens(model))
        self.prefixes = prefixes

    def prepare(self, encoded: Encoded) -> Encoded:
        return encoded.updated(**{"forced_prefix.tokens": self.prefixes})

    def remember(self, mask: Tensor) -> dict[str, Tensor]:
        return {"forced_prefix.position": mask.new_zeros(len(mask), dtype=torch.long)}

    def bar(
        self, tokens: Tensor, encoded: Encoded, state: DecoderState, log_probs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        prefixes, position = encoded["forced_prefix.tokens"], state["forced_prefix.position"]
        prefixes = F.pad(prefixes, (0, 1), value=FREE)
        place = position.view(len(prefixes), -1).clamp(max=prefixes.shape[1] - 1)  # [B, K]
        forced = prefixes.gather(1, place).view(-1, 1)  # [N, 1]
        ids = torch.arange(log_probs.shape[-1], device=tokens.device)
        return (forced != FREE) & (ids != forced), {"forced_prefix.position": position + 1}
