"""Sentences whose segmentation is drawn anew each epoch, in the loaders."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from s2s_lit.data.batching.batchers import Batcher, LengthBuckets, TokenBudget
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.errors import UserError
from s2s_lit.text.sampling import BpeDropout, Sampling, SubwordRegularization
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.words import Words
from s2s_lit.types import EOS, Batch

Tokens = dict[int, tuple[list[int], list[int]]]
SAMPLINGS = [SubwordRegularization(alpha=0.1), BpeDropout(dropout=0.3)]


@pytest.fixture
def corpus(write: Any) -> Path:
    """41 sentence pairs with words that can be cut in many ways."""
    rows = [
        {"en": f"the {'singing ' * (i % 4)}bird {i}", "de": f"der {'singende ' * (i % 5)}Vogel {i}"} for i in range(41)
    ]
    return write(shards=3, train=rows, validation=rows[:7], test=rows[7:11])


def module(
    corpus: Path, sampling: Sampling | None, *, streaming: bool = False, seed: int = 1, batcher: Batcher | None = None
) -> DataModule:
    kind: Any = "unigram" if sampling is None else sampling.model_type
    data = DataModule(
        corpus=HubCorpus(path="owner/name", data_dir=corpus),
        fields={"source": TextField(), "target": TextField()},
        columns={"source": "en", "target": "de"},
        tokenizer=SentencePiece(vocab_size=48, model_type=kind, sampling=sampling),
        batcher=batcher or LengthBuckets(size=8, pool=16),
        streaming=streaming,
        shuffle_pool=7,
        seed=seed,
    )
    data.setup("fit")
    return data


def tokens(batch: Batch) -> Tokens:
    source, target = batch.inputs["source"], batch.target
    return {
        row: (source.values[i, : source.lengths[i]].tolist(), target.ids[i, : target.lengths[i] - 1].tolist())
        for i, row in enumerate(batch.rows)
    }


def epoch(batches: Any) -> Tokens:
    return {row: ids for batch in batches for row, ids in tokens(batch).items()}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_each_epoch_has_other_tokens_of_the_same_sentences(corpus: Path, sampling: Sampling, streaming: bool) -> None:
    data = module(corpus, sampling, streaming=streaming)
    loader = data.train_dataloader()
    first, second = epoch(loader), epoch(loader)
    assert first.keys() == second.keys()
    assert len(first) == 41
    assert sum(first[row] != second[row] for row in first) > 20
    tokenizer = data.fields.target.tokenizer
    for ids in (first, second):
        for row, (source, target) in ids.items():
            assert source[-1] == EOS
            source_text, target_text = tokenizer.decode(source), tokenizer.decode(target)
            assert source_text.startswith("the ")
            assert target_text.split()[-1] == source_text.split()[-1], row


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_tokens_are_a_function_of_seed_epoch_and_row_alone(corpus: Path, sampling: Sampling) -> None:
    wanted = epoch(module(corpus, sampling).train_dataloader())
    assert epoch(module(corpus, sampling).train_dataloader()) == wanted
    assert epoch(module(corpus, sampling, batcher=TokenBudget(max_tokens=90)).train_dataloader()) == wanted
    assert epoch(module(corpus, sampling, seed=2).train_dataloader()) != wanted


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_going_on_within_an_epoch_gives_what_would_have_followed(
    corpus: Path, sampling: Sampling, streaming: bool
) -> None:
    loader = module(corpus, sampling, streaming=streaming).train_dataloader()
    epoch(loader)
    whole = [tokens(batch) for batch in loader]
    loader.set_epoch(1)
    list(islice(loader, 2))
    other = module(corpus, sampling, streaming=streaming).train_dataloader()
    other.load_state_dict(loader.state_dict())
    assert [tokens(batch) for batch in other] == whole[2:]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_evaluation_sees_the_one_segmentation(corpus: Path, sampling: Sampling, streaming: bool) -> None:
    sampled, plain = module(corpus, sampling, streaming=streaming), module(corpus, None, streaming=streaming)
    if sampling.model_type == "bpe":
        plain.fields.load_state(sampled.fields.state())
    for split in ("validation", "test", "train"):
        for batch in sampled.loader(split):
            for texts, (source, _) in zip(batch.texts, tokens(batch).values(), strict=True):
                assert source == [*plain.fields.target.tokenizer.encode(texts["source"]), EOS]


def test_the_order_of_sentences_is_that_without_sampling(corpus: Path) -> None:
    sampled, plain = module(corpus, SAMPLINGS[0]).train_dataloader(), module(corpus, None).train_dataloader()
    assert [batch.rows for batch in sampled] == [batch.rows for batch in plain]
    assert epoch(sampled) != epoch(plain)


def test_windows_of_drawn_targets_need_a_stream(corpus: Path) -> None:
    batcher = TimeStepWindows(batcher=LengthBuckets(size=8, pool=16), size=3)
    with pytest.raises(UserError, match=r"data\.streaming=true"):
        module(corpus, SAMPLINGS[0], batcher=batcher).train_dataloader()
    loader = module(corpus, SAMPLINGS[0], batcher=batcher, streaming=True).train_dataloader()
    whole = epoch(module(corpus, SAMPLINGS[0], streaming=True).train_dataloader())
    assert sum(int(batch.target.lengths.sum()) for batch in loader) == sum(len(t) + 1 for _, t in whole.values())


def test_only_the_fields_that_sample_are_drawn_anew(corpus: Path) -> None:
    sampling = SentencePiece(vocab_size=48, sampling=SAMPLINGS[0])
    for name, other in (("source", "target"), ("target", "source")):
        data = DataModule(
            corpus=HubCorpus(path="owner/name", data_dir=corpus), batcher=LengthBuckets(size=8, pool=16), seed=1,
            fields={name: TextField(tokenizer=sampling), other: TextField()}, columns={"source": "en", "target": "de"},
            tokenizer=Words(),
        )  # fmt: skip
        data.setup("fit")
        loader = data.train_dataloader()
        first, second = epoch(loader), epoch(loader)
        changed = [sum(first[row][side] != second[row][side] for row in first) > 20 for side in (0, 1)]
        assert changed == [name == "source", name == "target"]
