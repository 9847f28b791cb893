"""What every model obeys, whatever its decoder, attention, recurrence, bridge and output are."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from s2s_lit.decoding.beam import BeamSearch
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.base import Model
from s2s_lit.types import Batch, DecoderState, Inputs, ModelOutput, Sequences, Target
from support.networks import VOCAB, batch_of, combinations, language_models, pairs_of, random_batch
from support.parts import concrete_subclasses
from support.saving import saved

NETWORKS: dict[str, Callable[[], Model]] = {**dict(combinations()), **dict(language_models())}
BATCH = random_batch(sizes=((5, 4), (3, 5), (1, 1), (4, 2)))
PAIRS = pairs_of(BATCH)


@dataclass(frozen=True)
class Network:
    """A network in training mode (no dropout is set), and what it makes of `BATCH`."""

    make: Callable[[], Model]
    model: Model
    output: ModelOutput


@pytest.fixture(params=NETWORKS, scope="module")
def network(request: pytest.FixtureRequest) -> Network:
    torch.manual_seed(0)
    make = NETWORKS[request.param]
    model = make()
    return Network(make, model, model(BATCH.inputs, BATCH.target))


def test_no_model_is_missing() -> None:
    assert {type(make()) for make in NETWORKS.values()} == set(concrete_subclasses(Model, "s2s_lit.models"))


def objective(output: ModelOutput, batch: Batch = BATCH) -> Tensor:
    return TokenNLL()(output, batch).objective


def assert_same_state(one: DecoderState, other: DecoderState) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], msg=lambda text, name=name: f"{name}: {text}")


def test_padding_changes_nothing(network: Network) -> None:
    batch = batch_of(PAIRS, extra=3)
    padded = network.model(batch.inputs, batch.target)
    torch.testing.assert_close(padded.logits, network.output.logits)
    weights, expected = padded.decoded.weights, network.output.decoded.weights
    if expected is not None:
        size = expected.shape[2]
        assert (weights[:, :, size:] == 0).all()
        torch.testing.assert_close(weights[:, :-3, :size][BATCH.target.mask], expected[BATCH.target.mask])


def test_a_batch_equals_its_sentences(network: Network) -> None:
    single = [batch_of([pair]) for pair in PAIRS]
    alone = torch.cat([network.model(batch.inputs, batch.target).logits for batch in single])
    torch.testing.assert_close(network.output.logits, alone, atol=1e-5, rtol=1e-5)


def test_stepping_equals_the_whole_target(network: Network) -> None:
    model, whole = network.model, network.output.decoded
    encoded, state = model.start(BATCH.inputs)
    log_probs, weights = [], []
    for tokens in BATCH.target.inputs.unbind(1):
        step_log_probs, step_weights, state = model.step(tokens, encoded, state)
        log_probs.append(step_log_probs)
        weights.append(step_weights)
    stepped = torch.stack(log_probs, dim=1)[BATCH.target.mask]
    torch.testing.assert_close(stepped, network.output.logits.log_softmax(-1))
    assert_same_state(state, whole.state)
    if whole.weights is None:
        assert weights[0] is None
    else:
        torch.testing.assert_close(torch.stack(weights, dim=1), whole.weights)


def test_hypotheses_of_a_sentence_do_not_see_each_other(network: Network) -> None:
    """Three of each sentence, with pasts of their own: together, and each without the others."""
    tokens = torch.randint(4, VOCAB, (2, len(BATCH), 3), generator=torch.Generator().manual_seed(3))
    encoded, start = network.model.start(BATCH.inputs)
    together, alone = start.select(torch.arange(len(BATCH)).repeat_interleave(3)), [start] * 3
    for fed in tokens:
        log_probs, _, together = network.model.step(fed.flatten(), encoded, together)
        for k in range(3):
            expected, _, alone[k] = network.model.step(fed[:, k], encoded, alone[k])
            torch.testing.assert_close(log_probs[k::3], expected)


def test_windows_with_carried_state_equal_the_whole_target(network: Network) -> None:
    model, whole = network.model, network.output.decoded
    _, state = model.start(BATCH.inputs)
    windows = []
    for start in range(0, BATCH.target.ids.shape[1], 3):
        inputs, ids = (each[:, start : start + 3] for each in (BATCH.target.inputs, BATCH.target.ids))
        window = Target(inputs, ids, (BATCH.target.lengths - start).clamp(0, inputs.shape[1]))
        windows.append(model(BATCH.inputs, window, state).decoded)
        state = windows[-1].state.detach()
    assert_same_state(state, whole.state)
    for name in ("features", "hidden") if whole.weights is None else ("features", "hidden", "weights"):
        carried = torch.cat([getattr(window, name) for window in windows], dim=1)
        torch.testing.assert_close(carried, getattr(whole, name), msg=lambda text, name=name: f"{name}: {text}")


def test_every_parameter_gets_a_gradient(network: Network) -> None:
    network.model.zero_grad()
    objective(network.model(BATCH.inputs, BATCH.target)).backward()
    parameters = network.model.named_parameters()
    assert not [name for name, p in parameters if p.grad is None or not p.grad.abs().sum() > 0]


def test_saving_and_loading_changes_nothing(network: Network) -> None:
    torch.manual_seed(99)
    other = network.make()
    other.load_state_dict(saved(network.model.state_dict()))
    assert torch.equal(other(BATCH.inputs, BATCH.target).logits, network.output.logits)


def test_search_of_a_batch_equals_its_sentences(network: Network) -> None:
    search = BeamSearch(beam_size=3, n_best=2, max_length_ratio=0, max_length_offset=5)
    together = search(network.model, BATCH.inputs, keep_weights=True)
    source = BATCH.inputs["source"]
    for i, n in enumerate(source.lengths.tolist()):
        sentence = Sequences(source.values[i : i + 1, :n], source.lengths[i : i + 1])
        alone = search(network.model, Inputs(1, source=sentence), keep_weights=True)
        assert [h.token_ids for h in together[i]] == [h.token_ids for h in alone[0]]
        for one, other in zip(together[i], alone[0], strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-5)
            if other.weights is not None:
                torch.testing.assert_close(one.weights, other.weights)


def test_sixteen_bits_are_enough_for_products(network: Network) -> None:
    network.model.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = network.model(BATCH.inputs, BATCH.target)
        loss = objective(output)
    loss.backward()
    torch.testing.assert_close(output.logits.float(), network.output.logits, atol=0.1, rtol=0.1)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.model.parameters())


def test_parameters_may_have_sixteen_bits(network: Network) -> None:
    """All at once and step by step."""
    model = copy.deepcopy(network.model).bfloat16()
    output = model(BATCH.inputs, BATCH.target)
    objective(output).backward()
    torch.testing.assert_close(output.logits.float(), network.output.logits, atol=0.1, rtol=0.1)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    encoded, state = model.start(BATCH.inputs)
    for tokens in BATCH.target.inputs.unbind(1):
        log_probs, _, state = model.step(tokens, encoded, state)
    last = log_probs[BATCH.target.mask[:, -1]]
    whole = output.logits.float().log_softmax(-1)[BATCH.target.lengths.cumsum(0) - 1][BATCH.target.mask[:, -1]]
    torch.testing.assert_close(last, whole, atol=0.1, rtol=0.1)
    dtypes = {name: tensor.dtype for name, tensor in state.items()}
    assert dtypes == {name: tensor.dtype for name, tensor in output.decoded.state.items()}


def test_all_is_computed_in_the_precision_of_the_parameters(network: Network) -> None:
    model = copy.deepcopy(network.model).double()
    output = model(BATCH.inputs, BATCH.target)
    objective(output).backward()
    carried = [output.logits, *output.decoded.state.values()]
    assert {tensor.dtype for tensor in carried if tensor.is_floating_point()} == {torch.float64}
    torch.testing.assert_close(output.logits.float(), network.output.logits)
