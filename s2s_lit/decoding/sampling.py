"""Sampling: outputs drawn from the model's distribution, or from its likelier part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2s_lit.checks import above, at_least, share
from s2s_lit.decoding.independent import Choice, IndependentSearch
from s2s_lit.decoding.topk import top_tokens
from s2s_lit.errors import SettingError
from s2s_lit.types import Inputs


@dataclass(kw_only=True)
class SamplingSearch(IndependentSearch):
    """Draws each next token: p(token) ~ exp(log P(token) / temperature) over the tokens that are kept.

    Kept are the `top_k` likeliest (Fan et al. 2018, section 5.4), of these the fewest whose share of the tempered
    probability reaches `top_p` (the nucleus, Holtzman et al. 2020, section 3.1).

    What is drawn for a sentence is a function of `seed` and its inputs, not of the batch, its place or the number of
    samples; torch's own random numbers are left alone. Hence equal inputs get equal samples; where a model has no
    input, the place decides. The score of a sample is its log-probability under the model, whatever the temperature;
    samples are drawn independently, so some may be equal.

    Args:
        n_best: Samples of a sentence; they come back finished ones first, likelier ones first.
        temperature: Divides the log-probabilities; below 1 likely tokens become likelier.
        top_k: Tokens among which is drawn; 0 for all.
        top_p: Share of the probability among which is drawn; 1 for all.
        seed: Another seed, other samples.
    """

    n_best: int = 1
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("n_best", self.n_best, 1)
        if self.temperature == 0:
            raise SettingError("temperature must be above 0: for its limit 0 use GreedySearch")
        above("temperature", self.temperature, 0)
        at_least("top_k", self.top_k, 0)
        share("top_p", self.top_p)

    def _choice(self, inputs: Inputs, caps: Tensor) -> Choice:
        uniform = self._uniform(inputs, caps)
        return lambda log_probs, sentences, step: self.draw(log_probs, uniform[sentences, :, step])

    def _uniform(self, inputs: Inputs, caps: Tensor) -> Tensor:
        """A number in [0, 1) for each sentence, sample and step, [B, K, longest cap]."""
        uniform = torch.zeros(len(caps), self.n_best, int(caps.max()), dtype=torch.float64)
        for row, (read, cap) in enumerate(zip(_rows(inputs), caps.tolist(), strict=True)):
            digest = hashlib.blake2b(repr((self.seed, *read)).encode(), digest_size=7).digest()
            generator = torch.Generator().manual_seed(int.from_bytes(digest, "big"))
            uniform[row, :, :cap] = torch.rand(self.n_best, cap, dtype=torch.float64, generator=generator)
        return uniform.to(caps.device)

    def draw(self, log_probs: Tensor, uniform: Tensor) -> Tensor:
        """The tokens [...] at which the cumulative distribution [..., V] passes the numbers `uniform` [...]."""
        values, ids = self.likeliest(log_probs)
        cumulative = (values / self.temperature).softmax(dim=-1, dtype=torch.float64).cumsum(dim=-1)
        if self.top_p < 1:  # the first token that reaches top_p is the nucleus's last
            before = F.pad(cumulative[..., :-1], (1, 0))
            cumulative = cumulative.where(before < self.top_p, 0.0).cummax(dim=-1).values
        targets = uniform.unsqueeze(-1) * cumulative[..., -1:]
        places = torch.searchsorted(cumulative, targets, right=True)  # never an impossible token: it adds nothing
        places = places.clamp(max=cumulative.shape[-1] - 1)  # should a number so near to 1 be rounded up to it
        return ids.expand(log_probs.shape[:-1] + ids.shape[-1:]).gather(-1, places).squeeze(-1)

    def likeliest(self, log_probs: Tensor) -> tuple[Tensor, Tensor]:
        """The log-probabilities among which is drawn and their tokens, best first where something is left out."""
        if 0 < self.top_k < log_probs.shape[-1]:
            return top_tokens(log_probs, self.top_k)
        if self.top_p < 1:
            return log_probs.sort(dim=-1, descending=True, stable=True)
        return log_probs, torch.arange(log_probs.shape[-1], device=log_probs.device)


def _rows(inputs: Inputs) -> Iterator[list[Any]]:
    """The values of each example's inputs, without padding; its place where there is no input."""
    columns = [
        [values[:length] for values, length in zip(field.values.tolist(), field.lengths.tolist(), strict=True)]
        for field in inputs.values()
    ]
    return map(list, zip(*columns, strict=True)) if columns else ([place] for place in range(inputs.size))


def sampling_without_input() -> SamplingSearch:
    """How texts are sampled from a model that reads nothing, where no search is configured: up to 100 tokens."""
    return SamplingSearch(max_length_ratio=0.0, max_length_offset=100)
