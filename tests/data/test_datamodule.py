from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from jsonargparse import ArgumentParser

from s2s_lit.data.batching.batchers import Batcher, LengthBuckets, TokenBudget
from s2s_lit.data.cleaning.filters import Duplicates, WordCount
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.errors import UserError
from s2s_lit.text.tokenizer import TokenizerBuilder, TokenizerPair
from s2s_lit.text.words import Words


class NoBuilder(TokenizerBuilder):
    def build(self, pairs: Iterable[tuple[str, str]]) -> TokenizerPair:
        raise AssertionError("nothing is to be built")

    def train(self, pairs: Iterable[tuple[str, str]]) -> TokenizerPair:
        raise AssertionError("nothing is to be built")


def module(folder: Path, *, streaming: bool = False, tokenizer: TokenizerBuilder | None = None, **options: Any) -> Any:
    return DataModule(
        source=HubCorpus(path="owner/name", data_dir=folder),
        tokenizer=tokenizer or Words(),
        batcher=LengthBuckets(size=8, pool=24),
        streaming=streaming,
        **options,
    )


@pytest.mark.parametrize("streaming", [False, True])
def test_every_split_has_its_loader(corpus: Path, streaming: bool) -> None:
    data = module(corpus, streaming=streaming, eval_batch_size=4)
    data.setup("fit")
    assert sum(map(len, data.train_dataloader())) == 53
    assert [len(batch) for batch in data.val_dataloader()].count(4) == 2
    for split, rows in (("validation", 11), ("dev", 11), ("test", 7)):
        numbers = sorted(row for batch in data.loader(split) for row in batch.rows)
        assert numbers == list(range(rows))


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("batcher", [LengthBuckets(size=8, pool=24), TokenBudget(max_tokens=40)])
def test_the_count_of_an_epochs_batches_is_known_or_not(corpus: Path, streaming: bool, batcher: Batcher) -> None:
    """As Lightning asks for it, which takes the plan of an epoch."""
    data = module(corpus, streaming=streaming)
    data.batcher = batcher
    known = data.constant_count
    data.setup("fit")
    with contextlib.nullcontext() if known else pytest.raises(TypeError):
        len(data.train_dataloader())


def test_streaming_and_memory_report_the_same(corpus: Path) -> None:
    reports = []
    for streaming in (False, True):
        data = module(corpus, streaming=streaming, max_source_length=5, max_target_length=9)
        data.setup("fit")
        assert [len(list(loader)) for loader in (data.train_dataloader(), data.val_dataloader())][1] == 1
        reports.append(data.report)
    assert reports[0].pop("streaming") is False
    assert reports[1].pop("streaming") is True
    assert reports[0] == reports[1]
    train, validation = reports[0]["splits"]["train"], reports[0]["splits"]["validation"]
    assert train["rows"] == 53
    assert set(train["dropped"]) == {"source_too_long", "target_too_long"}
    assert train["kept"] == 53 - sum(train["dropped"].values())
    assert (validation["rows"], validation["kept"], validation["dropped"]) == (11, 11, {})


def test_assigned_tokenizers_are_used_and_none_are_built(corpus: Path) -> None:
    first = module(corpus)
    with pytest.raises(RuntimeError, match="setup"):
        _ = first.tokenizers
    first.setup("fit")
    second = module(corpus, tokenizer=NoBuilder())
    second.tokenizers = first.tokenizers
    second.setup("test")
    assert "train" not in second.report["splits"]  # nor is the training split read
    assert sum(map(len, second.test_dataloader())) == 7


def test_malformed_rows_are_counted_and_cost_nothing_else(write: Callable[..., Path]) -> None:
    good = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    bad: list[dict[str, str | None]] = [{"en": None, "de": "x"}, {"en": "a"}]
    for streaming in (False, True):
        data = module(write(train=[*good, *bad], validation=good, test=[*bad, *good]), streaming=streaming)
        data.setup("fit")
        assert sum(map(len, data.train_dataloader())) == 6
        assert sum(map(len, data.test_dataloader())) == 6
        splits = data.report["splits"]
        assert splits["train"]["malformed"] == splits["test"]["malformed"] == {"missing_field": 2}


@pytest.mark.parametrize("streaming", [False, True])
def test_a_missing_column_or_split_is_the_users_to_mend(corpus: Path, streaming: bool) -> None:
    with pytest.raises(UserError, match=r"no column 'fr'; it has 'en', 'de'"):
        module(corpus, streaming=streaming, target_column="fr").setup("fit")
    data = module(corpus, streaming=streaming)
    data.setup("fit")
    with pytest.raises(UserError, match="no split 'tset'; it has 'train', 'validation', 'test'"):
        data.loader("tset")


def test_is_built_from_names_and_arguments(corpus: Path) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(DataModule, "data")
    config = parser.parse_object({"data": {
        "source": {
            "class_path": "s2s_lit.data.sources.hub.HubCorpus", "init_args": {"path": "x/y", "data_dir": str(corpus)},
        },
        "tokenizer": {"class_path": "s2s_lit.text.sentencepiece.SentencePiece", "init_args": {"vocab_size": 60}},
        "batcher": {"class_path": "s2s_lit.data.batching.batchers.TokenBudget", "init_args": {"max_tokens": 64}},
    }})  # fmt: skip
    data = parser.instantiate_classes(config)["data"]
    data.setup("fit")
    assert sum(map(len, data.train_dataloader())) == 53
    assert len(data.tokenizers.source) <= 60
    assert "Pairs in a batch of an evaluation split." in parser.format_help()


def test_a_split_that_only_the_end_needs_is_asked_for_at_the_start(write: Callable[..., Path]) -> None:
    rows = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    with pytest.raises(UserError, match="no split 'test'"):
        module(write(train=rows, validation=rows)).setup("fit")


def test_that_no_pair_is_left_is_said_with_the_reasons(corpus: Path) -> None:
    with pytest.raises(UserError, match=r"53 rows .*\(.*target_too_long\): .*data\.max_target_length"):
        module(corpus, max_target_length=0).setup("fit")


@pytest.mark.parametrize("key", ["shuffle_pool", "eval_batch_size"])
def test_refuses_sizes_below_one(corpus: Path, key: str) -> None:
    with pytest.raises(UserError, match=rf"data\.{key} must be at least 1, not 0"):
        module(corpus, **{key: 0})


@pytest.mark.parametrize("streaming", [False, True])
def test_filters_clean_what_trains_and_the_vocabulary_but_no_evaluation(
    write: Callable[..., Path], streaming: bool
) -> None:
    texts = [("a b", "x y"), ("a b", "x y"), ("rare", "z"), ("c d", "x y")]
    rows = [{"en": source, "de": target} for source, target in texts]
    filters = [WordCount(least=2), Duplicates(remember=64)]
    data = module(write(train=rows, validation=rows, test=rows), streaming=streaming, filters=filters)
    data.setup("fit")
    loader = data.train_dataloader()
    for _ in range(2):  # each epoch drops the same
        assert sorted(text for batch in loader for text in batch.source_texts) == ["a b", "c d"]
    assert data.report["splits"]["train"]["dropped"] == {"duplicate_pair": 1, "source_too_few_words": 1}
    assert "rare" not in data.tokenizers.source.tokens
    assert sum(map(len, data.val_dataloader())) == 4


@pytest.mark.parametrize("streaming", [False, True])
def test_strict_stops_with_file_and_row(write: Callable[..., Path], streaming: bool) -> None:
    good = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    folder = write(train=[*good, {"en": None, "de": "x"}], validation=good, test=good)
    with pytest.raises(UserError, match=r"\.jsonl, row 7 is malformed: missing_field \(data\.strict\)"):
        module(folder, streaming=streaming, strict=True).setup("fit")


def test_the_unicode_form_reaches_texts_and_tokenizers(write: Callable[..., Path]) -> None:
    rows = [{"en": "ﬁne", "de": "ﬂott"}] * 3
    data = module(write(train=rows, validation=rows, test=rows), unicode_form="NFKC")
    data.setup("fit")
    (batch,) = data.val_dataloader()
    assert (batch.source_texts[0], batch.target_texts[0]) == ("fine", "flott")
    again = TokenizerPair.from_state(data.tokenizers.state())
    assert again.normalize(" ﬁne ") == data.tokenizers.normalize("ﬁne") == "fine"


@pytest.mark.parametrize("streaming", [False, True])
def test_nested_columns_are_named_by_their_path(write: Callable[..., Path], streaming: bool) -> None:
    rows = [{"translation": {"en": f"a {i}", "de": f"x {i}"}} for i in range(6)]
    folder = write(train=rows, validation=rows, test=rows)
    data = module(folder, streaming=streaming, source_column="translation.en", target_column="translation.de")
    data.setup("fit")
    assert sorted(text for batch in data.val_dataloader() for text in batch.target_texts) == [
        f"x {i}" for i in range(6)
    ]
    with pytest.raises(UserError, match=r"no column 'en'; it has 'translation\.en', 'translation\.de'"):
        module(folder, streaming=streaming).setup("fit")


def test_shards_that_do_not_go_round_are_told(corpus: Path) -> None:
    data = module(corpus, streaming=True)
    shards = data._rows("train").num_shards
    assert data.dealing(shards) == data.dealing(1) == module(corpus).dealing(2) == ""
    assert data.dealing(shards + 1).startswith(f"{shards} shards for {shards + 1} processes: {shards} of them")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("rows", ["", "a\0b\tx y\n"])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_without_a_pair_is_told_before_training(tmp_path: Path, split: str, rows: str, streaming: bool) -> None:
    """Such a training would end without a checkpoint, or with scores of nothing."""
    files: dict[str, Any] = {}
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.tsv").write_text("en\tde\n" + (rows if name == split else "a b\tx y\n"))
        files[name] = f"{name}.tsv"
    source = FileCorpus(files=files, data_dir=tmp_path)
    data = DataModule(source=source, tokenizer=Words(), batcher=LengthBuckets(size=1), streaming=streaming)
    with pytest.raises(UserError, match=f"the {split} split has no pair|{split}.tsv has no row that can be used"):
        data.setup("fit")
