"""Loss, perplexity and token accuracy."""

from __future__ import annotations

import math

import pytest
import torch

from s2s_lit.metrics.likelihood import Likelihood


def update(metric: Likelihood, nll_sum: float, correct: int, count: int) -> None:
    metric.update(torch.tensor(nll_sum), torch.tensor(correct), torch.tensor(count))


def test_batches_weigh_by_their_pieces() -> None:
    metric = Likelihood()
    update(metric, 20.0, 3, 10)
    update(metric, 1.0, 1, 1)
    found = {name: value.item() for name, value in metric.compute().items()}
    expected = {"loss": 21 / 11, "perplexity": math.exp(21 / 11), "token_accuracy": 4 / 11}
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary() -> None:
    metric = Likelihood()
    log_probs = torch.zeros(12, 50).log_softmax(-1)
    metric.update(-log_probs[:, 7].sum(), (log_probs.argmax(-1) == 7).sum(), torch.tensor(12))
    assert metric.compute()["perplexity"].item() == pytest.approx(50, abs=1e-4)


def test_many_batches_lose_no_precision() -> None:
    metric = Likelihood()
    for _ in range(2_000):
        update(metric, 12_345.678, 1, 1_000)
    exact = torch.tensor(12_345.678).double().item() / 1_000
    assert metric.compute()["loss"].item() == pytest.approx(exact, rel=1e-12)


def test_keeps_no_graph() -> None:
    metric = Likelihood()
    metric.update(torch.tensor(1.0, requires_grad=True) * 2, torch.tensor(1), torch.tensor(2))
    assert not metric.compute()["loss"].requires_grad


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_has_no_loss() -> None:
    assert all(math.isnan(value) for value in Likelihood().compute().values())
