"""Loss, perplexity and the accuracies."""

from __future__ import annotations

import math

import pytest
import torch

from s2s_lit.metrics.likelihood import Likelihood, TextLikelihood
from s2s_lit.types import length_mask


def update(metric: Likelihood, nll_sum: float, sentences: list[list[bool]]) -> None:
    """A batch whose tokens were predicted right or not, sentence by sentence."""
    lengths = torch.tensor([len(sentence) for sentence in sentences])
    hits = torch.tensor([hit for sentence in sentences for hit in sentence], dtype=torch.bool)
    metric.update(torch.tensor(nll_sum), hits, length_mask(lengths, int(lengths.max()) + 2))


def test_batches_weigh_by_their_tokens_and_sentences() -> None:
    metric = Likelihood()
    update(metric, 20.0, [[True, False, True], [True, True], [False], [True, False, False, True]])
    update(metric, 1.0, [[True]])
    found = {name: value.item() for name, value in metric.compute().items()}
    expected = {"loss": 21 / 11, "perplexity": math.exp(21 / 11), "token_accuracy": 7 / 11, "sequence_accuracy": 2 / 5}
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_row_without_tokens_is_no_sentence() -> None:
    metric = Likelihood()
    update(metric, 1.0, [[True, True], [], [False]])
    assert metric.compute()["sequence_accuracy"].item() == pytest.approx(1 / 2)


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary() -> None:
    metric = Likelihood()
    log_probs = torch.zeros(12, 50).log_softmax(-1)
    metric.update(-log_probs[:, 7].sum(), log_probs.argmax(-1) == 7, torch.ones(3, 4, dtype=torch.bool))
    assert metric.compute()["perplexity"].item() == pytest.approx(50, abs=1e-4)


def test_many_batches_lose_no_precision() -> None:
    metric, hits = Likelihood(), torch.ones(1_000, dtype=torch.bool)
    for _ in range(2_000):
        metric.update(torch.tensor(12_345.678), hits, hits.reshape(10, 100))
    exact = torch.tensor(12_345.678).double().item() / 1_000
    assert metric.compute()["loss"].item() == pytest.approx(exact, rel=1e-12)


def test_keeps_no_graph() -> None:
    metric = Likelihood()
    mask = torch.ones(1, 2, dtype=torch.bool)
    metric.update(torch.tensor(1.0, requires_grad=True) * 2, mask[0], mask)
    assert not metric.compute()["loss"].requires_grad


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_has_no_loss() -> None:
    assert all(math.isnan(value) for value in Likelihood().compute().values())


def test_all_that_is_computed_is_described() -> None:
    metric = Likelihood()
    update(metric, 3.0, [[True]])
    assert list(metric.compute()) == [score.name for score in metric.scores]
    assert all(score.printed(0.25) for score in metric.scores)


def test_the_perplexity_by_word_counts_words_and_ends_of_lines_whatever_the_tokens_are() -> None:
    texts = ["a big dog", "", "two words\nand a line"]
    by_words, by_letters = TextLikelihood(), TextLikelihood()
    update(by_words, 14.0, [[True] * 4, [False], [True] * 7])
    update(by_letters, 14.0, [[True] * 10, [False], [True] * 21])
    for metric in (by_words, by_letters):
        metric.count_words(texts[:1])
        metric.count_words(texts[1:])
        assert metric.compute()["word_perplexity"].item() == pytest.approx(math.exp(14 / 12))
    assert by_words.compute()["perplexity"].item() == pytest.approx(math.exp(14 / 12))
    assert by_letters.compute()["perplexity"].item() == pytest.approx(math.exp(14 / 32))
    assert set(by_words.compute()) == {score.name for score in by_words.scores}
