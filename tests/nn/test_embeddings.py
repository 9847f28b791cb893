from __future__ import annotations

from functools import partial
from typing import Any, Literal

import pytest
import torch

from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.embeddings import TokenEmbedding, VariationalEmbedding, WordDropoutEmbedding
from s2s_lit.optim.parameter_groups import decay_groups
from s2s_lit.types import BOS, EOS, PAD, UNK
from support.networks import SIZES, VOCAB, random_batch
from support.parts import concrete_subclasses

EMBEDDINGS: list[type[TokenEmbedding]] = [TokenEmbedding, *concrete_subclasses(TokenEmbedding, "s2s_lit.nn")]
SIZE = 8
Tie = Literal["none", "output", "embeddings", "all"]


@pytest.fixture(params=EMBEDDINGS)
def make(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    return request.param


def without_dropout(make: Any) -> Any:
    return partial(make) if make is TokenEmbedding else partial(make, word_dropout=0.0)


def many_ids(sentences: int = 200) -> torch.Tensor:
    """[sentences, 12], every token twice in its sentence."""
    half = torch.stack([torch.randperm(VOCAB - 4)[:6] + 4 for _ in range(sentences)])
    return torch.cat([half, half], dim=1)


# Laws of every embedding


def test_it_looks_up_what_stands_in_the_table(make: Any) -> None:
    embedding = make(VOCAB, SIZE, dropout=0.5).eval()
    ids = torch.tensor([[4, 9, 4], [5, 0, 1]])
    assert torch.equal(embedding(ids), embedding.table.weight[ids])
    assert torch.equal(embedding(ids[:, 0]), embedding.table.weight[ids[:, 0]])  # a step of the search
    without = without_dropout(make)(VOCAB, SIZE).train()
    assert torch.equal(without(ids), without.table.weight[ids])


def test_the_start_is_that_of_the_plain_one(make: Any) -> None:
    torch.manual_seed(3)
    plain, state = TokenEmbedding(VOCAB, SIZE), torch.get_rng_state()
    torch.manual_seed(3)
    assert torch.equal(make(VOCAB, SIZE).table.weight, plain.table.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_vectors_start_with_length_one() -> None:
    """So that a table that is also the output layer gives logits of unit scale."""
    torch.manual_seed(0)
    lengths = TokenEmbedding(500, 64).table.weight.norm(dim=1)
    torch.testing.assert_close(lengths.mean(), torch.tensor(1.0), atol=0.02, rtol=0)
    assert lengths.std() < 0.15


def test_what_is_dropped_depends_on_the_seed(make: Any) -> None:
    embedding = make(VOCAB, SIZE, dropout=0.3).train()
    ids = many_ids(4)
    torch.manual_seed(1)
    first, second = embedding(ids), embedding(ids)
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(embedding(ids), first)


def test_a_step_in_training_is_possible(make: Any) -> None:
    assert make(VOCAB, SIZE, dropout=0.3).train()(torch.tensor([4, 4, 5])).shape == (3, SIZE)


def test_every_looked_up_token_gets_a_gradient(make: Any) -> None:
    embedding = make(VOCAB, SIZE, dropout=0.3).train()
    embedding(many_ids()).sum().backward()
    assert embedding.table.weight.grad[4:].abs().sum(dim=1).gt(0).all()


def test_frozen_has_no_gradient_and_is_in_no_optimizer(make: Any) -> None:
    model = Seq2Seq(SIZES, embedding_size=SIZE, source_embedding=partial(make, frozen=True))
    batch = random_batch()
    model(batch.inputs, batch.target).logits.sum().backward()
    assert model.source_embedding.table.weight.grad is None
    assert model.target_embedding.table.weight.grad is not None
    names = [name for group in decay_groups(model) for name, _ in group["params"]]
    assert "target_embedding.table.weight" in names
    assert "source_embedding.table.weight" not in names


def test_given_vectors_fill_their_rows_alone(make: Any) -> None:
    embedding = make(VOCAB, SIZE)
    before = embedding.table.weight.detach().clone()
    ids, vectors = torch.tensor([7, 5]), torch.randn(2, SIZE)
    embedding.start_from(ids, vectors)
    assert torch.equal(embedding.table.weight[ids], vectors)
    others = [i for i in range(VOCAB) if i not in (5, 7)]
    assert torch.equal(embedding.table.weight[others], before[others])
    assert embedding.table.weight.requires_grad


# Word dropout


def test_word_dropout_makes_whole_tokens_unknown_each_position_for_itself() -> None:
    torch.manual_seed(0)
    embedding = WordDropoutEmbedding(VOCAB, SIZE, word_dropout=0.25).train()
    ids = many_ids()
    vectors = embedding(ids)
    unknown = (vectors == embedding.table.weight[UNK]).all(-1)
    assert torch.equal(vectors[~unknown], embedding.table.weight[ids][~unknown])
    assert unknown.float().mean() == pytest.approx(0.25, abs=0.03)
    assert (unknown[:, :6] != unknown[:, 6:]).any()  # the same tokens again


def test_word_dropout_spares_the_specials() -> None:
    embedding = WordDropoutEmbedding(VOCAB, SIZE, word_dropout=0.9).train()
    ids = torch.tensor([[PAD, BOS, EOS, UNK]] * 50)
    assert torch.equal(embedding(ids), embedding.table.weight[ids])


# Variational dropout


def test_variational_dropout_drops_a_token_wherever_it_stands_in_its_sentence() -> None:
    torch.manual_seed(0)
    embedding = VariationalEmbedding(VOCAB, SIZE, word_dropout=0.25).train()
    ids = many_ids()
    vectors = embedding(ids)
    dropped = (vectors == 0).all(-1)
    torch.testing.assert_close(vectors[~dropped], embedding.table.weight[ids][~dropped] / 0.75)
    assert torch.equal(dropped[:, :6], dropped[:, 6:])
    assert dropped.float().mean() == pytest.approx(0.25, abs=0.04)
    for token in (5, 6):  # not in all sentences at once
        assert 0 < dropped[ids == token].float().mean() < 1
    pairs = dropped[:, :6].float()
    assert torch.corrcoef(pairs.T).fill_diagonal_(0).abs().max() < 0.3  # other tokens are drawn for themselves


def test_variational_dropout_has_one_mask_for_all_positions_of_a_sentence() -> None:
    torch.manual_seed(0)
    embedding = VariationalEmbedding(VOCAB, SIZE, word_dropout=0.0, dropout=0.5).train()
    ids = many_ids()
    mask = embedding(ids) / embedding.table.weight[ids]
    torch.testing.assert_close(mask, mask[:, :1].expand_as(mask))
    assert set(mask.detach().round(decimals=3).unique().tolist()) == {0.0, 2.0}
    assert len(mask[:, 0].unique(dim=0)) > 50  # sentences have their own


@pytest.mark.parametrize("make_with", [WordDropoutEmbedding, VariationalEmbedding])
@pytest.mark.parametrize("probability", [-0.1, 1.0])
def test_what_is_no_probability_is_refused(make_with: Any, probability: float) -> None:
    with pytest.raises(ValueError, match="word_dropout"):
        make_with(VOCAB, SIZE, word_dropout=probability)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_dropout_that_is_no_probability_is_refused(make: Any, rate: float) -> None:
    with pytest.raises(ValueError, match=rf"^dropout must be at least 0 and below 1, not {rate}"):
        make(VOCAB, SIZE, dropout=rate)


# Tied tables


def tied(tie: Tie, **parts: Any) -> Seq2Seq:
    decoder = partial(RecurrentDecoder, feature_size=SIZE)
    return Seq2Seq(SIZES, embedding_size=SIZE, decoder=decoder, tie=tie, **parts)


@pytest.mark.parametrize("tie", ["none", "output", "embeddings", "all"])
def test_tied_tables_are_one_and_learn_from_each_use(tie: Tie) -> None:
    torch.manual_seed(0)
    model = tied(tie)
    tables = [model.source_embedding.table.weight, model.target_embedding.table.weight, model.output.layer.weight]
    distinct = {"none": 3, "output": 2, "embeddings": 2, "all": 1}[tie]
    assert len({id(table) for table in tables}) == distinct
    assert (tables[1] is tables[2]) == (tie in ("output", "all"))
    assert (tables[0] is tables[1]) == (tie in ("embeddings", "all"))
    batch = random_batch()
    TokenNLL()(model(batch.inputs, batch.target), batch).objective.backward()
    assert all(table.grad is not None and table.grad.abs().sum() > 0 for table in tables)
    groups = [name for group in decay_groups(model) for name, _ in group["params"]]
    assert sum("table" in name or name.endswith("output.layer.weight") for name in groups) == distinct
    before = [table.detach().clone() for table in tables]
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert all(not torch.equal(table, old) for table, old in zip(tables, before, strict=True))
    other = tied(tie)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(batch.inputs, batch.target).logits, model(batch.inputs, batch.target).logits)


@pytest.mark.parametrize("tie", ["embeddings", "all"])
def test_one_table_is_not_half_frozen(tie: Tie) -> None:
    with pytest.raises(ValueError, match="frozen"):
        tied(tie, source_embedding=partial(TokenEmbedding, frozen=True))


def test_tables_of_other_sizes_are_not_tied() -> None:
    with pytest.raises(ValueError, match=r"share data\.tokenizer"):
        Seq2Seq({"source": VOCAB, "target": VOCAB + 1}, embedding_size=SIZE, tie="embeddings")
    wider = partial(RecurrentDecoder, feature_size=SIZE + 1)
    with pytest.raises(ValueError, match=rf"decoder\.feature_size \({SIZE + 1}\) = embedding_size \({SIZE}\)"):
        Seq2Seq(SIZES, embedding_size=SIZE, decoder=wider, tie="all")
