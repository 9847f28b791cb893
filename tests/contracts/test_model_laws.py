"""What every combination of recurrence, attention and decoder obeys."""

from __future__ import annotations

import io
from functools import partial

import pytest
import torch

from s2s_lit.decoding.beam import BeamSearch
from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.decoding.search import Search
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from support.networks import VOCAB, batch_of, combinations, pairs_of, random_batch

NETWORKS = dict(combinations())


@pytest.fixture(params=NETWORKS, scope="module")
def make(request: pytest.FixtureRequest) -> partial[Seq2Seq]:
    return NETWORKS[request.param]


@pytest.fixture
def model(make: partial[Seq2Seq]) -> Seq2Seq:
    torch.manual_seed(0)
    return make().train()  # training mode; dropout is zero


def test_padding_changes_nothing(model: Seq2Seq) -> None:
    pairs = pairs_of(random_batch())
    torch.testing.assert_close(model(batch_of(pairs, extra=4)).logits, model(batch_of(pairs)).logits)


def test_a_batch_equals_its_sentences(model: Seq2Seq) -> None:
    pairs = pairs_of(random_batch())
    alone = torch.cat([model(batch_of([pair])).logits for pair in pairs])
    torch.testing.assert_close(model(batch_of(pairs)).logits, alone, atol=1e-5, rtol=1e-5)


def test_stepping_equals_the_whole_target(model: Seq2Seq) -> None:
    batch = random_batch()
    output = model(batch)
    whole = output.decoded
    memory, state = model.start(batch.source_ids, batch.source_lengths)
    log_probs, weights = [], []
    for t in range(batch.target_ids.shape[1]):
        step_log_probs, step_weights, state = model.step(batch.target_input_ids[:, t], memory, state)
        log_probs.append(step_log_probs)
        weights.append(step_weights)
    stepped = torch.stack(log_probs, dim=1)[batch.target_mask]
    torch.testing.assert_close(stepped, output.logits.log_softmax(-1))
    if whole.weights is None:
        assert weights[0] is None
    else:
        torch.testing.assert_close(torch.stack(weights, dim=1), whole.weights)


def test_hypotheses_of_a_sentence_do_not_see_each_other(model: Seq2Seq) -> None:
    batch = random_batch()
    memory, state = model.start(batch.source_ids, batch.source_lengths)
    tokens = torch.randint(4, VOCAB, (len(batch), 3), generator=torch.Generator().manual_seed(3))
    rows = torch.arange(len(batch)).repeat_interleave(3)
    together, _, _ = model.step(tokens.flatten(), memory, state.select(rows))
    for k in range(3):
        alone, _, _ = model.step(tokens[:, k], memory, state)
        torch.testing.assert_close(together[k::3], alone)


def test_windows_with_carried_state_equal_the_whole_target(model: Seq2Seq) -> None:
    batch = random_batch(sizes=((5, 6), (4, 6)))
    memory, state = model.start(batch.source_ids, batch.source_lengths)
    inputs = model.target_embedding(batch.target_input_ids)
    whole = model.decoder(inputs, memory, state)
    first = model.decoder(inputs[:, :4], memory, state)
    second = model.decoder(inputs[:, 4:], memory, first.state)
    torch.testing.assert_close(torch.cat([first.features, second.features], dim=1), whole.features)


def test_every_parameter_gets_a_gradient(model: Seq2Seq) -> None:
    batch = random_batch()
    result = TokenNLL()(model(batch).logits, batch.target_ids[batch.target_mask])
    result.objective.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without


def test_saving_and_loading_changes_nothing(model: Seq2Seq, make: partial[Seq2Seq]) -> None:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    torch.manual_seed(99)
    other = make()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(random_batch()).logits, model(random_batch()).logits)


@pytest.mark.parametrize("search", [GreedySearch(), BeamSearch(beam_size=4, n_best=2)], ids=["greedy", "beam"])
def test_search_of_a_batch_equals_its_sentences(model: Seq2Seq, search: Search) -> None:
    model.eval()
    batch = random_batch()
    together = search(model, batch.source_ids, batch.source_lengths, keep_weights=True)
    for i, n in enumerate(batch.source_lengths.tolist()):
        alone = search(model, batch.source_ids[i : i + 1, :n], batch.source_lengths[i : i + 1], keep_weights=True)[0]
        assert [h.token_ids for h in together[i]] == [h.token_ids for h in alone]
        for one, other in zip(together[i], alone, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-5)
            if other.weights is not None:
                torch.testing.assert_close(one.weights, other.weights)
