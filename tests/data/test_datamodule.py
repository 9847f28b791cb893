from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from jsonargparse import ArgumentParser

from s2s_lit.data.batching.batchers import Batcher, LengthBuckets, TokenBudget
from s2s_lit.data.cleaning.filters import Duplicates, WordCount
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.base import Field
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.errors import UserError
from s2s_lit.text.tokenizer import Tokenizer, TokenizerBuilder
from s2s_lit.text.words import Words

COLUMNS: dict[str, str | int] = {"source": "en", "target": "de"}


class NoBuilder(TokenizerBuilder):
    def build(self, texts: Sequence[str], name: str = "text") -> Tokenizer:
        raise AssertionError("nothing is to be built")

    def train(self, texts: Sequence[str], name: str = "text") -> Tokenizer:
        raise AssertionError("nothing is to be built")


def texts_of(**lengths: int) -> dict[str, Field]:
    """Text fields with the most tokens of a training example."""
    return {name: TextField(max_length=most) for name, most in (lengths or {"source": 100, "target": 100}).items()}


def module(folder: Path, *, streaming: bool = False, **options: Any) -> DataModule:
    given: dict[str, Any] = {"fields": texts_of(), "columns": COLUMNS, "tokenizer": Words(), **options}
    return DataModule(
        corpus=HubCorpus(path="owner/name", data_dir=folder),
        batcher=LengthBuckets(size=8, pool=24),
        streaming=streaming,
        **given,
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
        data = module(corpus, streaming=streaming, fields=texts_of(source=5, target=9), allow_lost_rows=True)
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


def test_loaded_tokenizers_are_used_and_none_are_built(corpus: Path) -> None:
    first = module(corpus)
    assert not first.fields.is_ready
    first.setup("fit")
    second = module(corpus, tokenizer=NoBuilder())
    second.fields.load_state(first.fields.state())
    second.setup("test")
    assert "train" not in second.report["splits"]  # nor is the training split read
    assert sum(map(len, second.test_dataloader())) == 7


def test_malformed_rows_are_counted_and_cost_nothing_else(write: Callable[..., Path]) -> None:
    good = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    bad: list[dict[str, str | None]] = [{"en": None, "de": "x"}, {"en": "a"}]
    for streaming in (False, True):
        folder = write(train=[*good, *bad], validation=good, test=[*bad, *good])
        data = module(folder, streaming=streaming, allow_lost_rows=True)
        data.setup("fit")
        assert sum(map(len, data.train_dataloader())) == 6
        assert sum(map(len, data.test_dataloader())) == 6
        splits = data.report["splits"]
        assert splits["train"]["malformed"] == splits["test"]["malformed"] == {"missing_field": 2}


@pytest.mark.parametrize("streaming", [False, True])
def test_a_missing_column_or_split_is_the_users_to_mend(corpus: Path, streaming: bool) -> None:
    with pytest.raises(UserError, match=r"no column 'fr'; it has 'en', 'de'"):
        module(corpus, streaming=streaming, columns=COLUMNS | {"target": "fr"}).setup("fit")
    data = module(corpus, streaming=streaming)
    data.setup("fit")
    with pytest.raises(UserError, match="no split 'tset'; it has 'train', 'validation', 'test'"):
        data.loader("tset")


def test_is_built_from_names_and_arguments(corpus: Path) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(DataModule, "data")
    config = parser.parse_object({"data": {
        "corpus": {
            "class_path": "s2s_lit.data.sources.hub.HubCorpus", "init_args": {"path": "x/y", "data_dir": str(corpus)},
        },
        "fields": {
            "source": {
                "class_path": "s2s_lit.data.fields.text.TextField",
                "init_args": {"tokenizer": {"class_path": "s2s_lit.text.characters.Characters"}},
            },
            "target": {"class_path": "s2s_lit.data.fields.text.TextField", "init_args": {"max_length": 30}},
        },
        "columns": {"source": "en", "target": "de", "references": "more"},
        "tokenizer": {"class_path": "s2s_lit.text.sentencepiece.SentencePiece", "init_args": {"vocab_size": 60}},
        "batcher": {"class_path": "s2s_lit.data.batching.batchers.TokenBudget", "init_args": {"max_tokens": 64}},
    }})  # fmt: skip
    data = parser.instantiate_classes(config)["data"]
    data.setup("fit")
    assert sum(map(len, data.train_dataloader())) == 53
    assert len(data.fields.target.tokenizer) <= 60
    assert data.fields.target.max_length == 30
    assert "5" in data.fields.text_fields["source"].tokenizer.tokens
    assert "Examples in a batch of an evaluation split." in parser.format_help()


def test_a_split_that_only_the_end_needs_is_asked_for_at_the_start(write: Callable[..., Path]) -> None:
    rows = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    with pytest.raises(UserError, match="no split 'test'"):
        module(write(train=rows, validation=rows)).setup("fit")


def test_that_no_example_is_left_is_said_with_the_reasons(corpus: Path) -> None:
    with pytest.raises(UserError, match=r"53 rows .*\(53 source_too_long\): .*max_length of data\.fields"):
        module(corpus, fields=texts_of(source=1, target=99)).setup("fit")


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
        assert sorted(texts["source"] for batch in loader for texts in batch.texts) == ["a b", "c d"]
    assert data.report["splits"]["train"]["dropped"] == {"duplicate_example": 1, "source_too_few_words": 1}
    assert "rare" not in data.fields.target.tokenizer.tokens
    assert sum(map(len, data.val_dataloader())) == 4


@pytest.mark.parametrize("streaming", [False, True])
def test_strict_stops_with_file_and_row(write: Callable[..., Path], streaming: bool) -> None:
    good = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    folder = write(train=[*good, {"en": None, "de": "x"}], validation=good, test=good)
    with pytest.raises(UserError, match=r"\.jsonl, row 7 is malformed: missing_field \(data\.strict\)"):
        module(folder, streaming=streaming, strict=True).setup("fit")


def test_the_unicode_form_reaches_texts_and_tokenizers(write: Callable[..., Path]) -> None:
    rows = [{"en": "ﬁne", "de": "ﬂott"}] * 3
    data = module(
        write(train=rows, validation=rows, test=rows), fields={name: TextField(unicode_form="NFKC") for name in COLUMNS}
    )
    data.setup("fit")
    (batch,) = data.val_dataloader()
    assert batch.texts[0] == {"source": "fine", "target": "flott"}
    assert batch.references[0] == ("flott",)
    assert data.fields.target.tokenizer.tokens[4:] == ("fine", "flott")
    assert data.fields.encode([{"source": " ﬁne "}])[0].texts["source"] == "fine"


@pytest.mark.parametrize("streaming", [False, True])
def test_nested_columns_are_named_by_their_path(write: Callable[..., Path], streaming: bool) -> None:
    rows = [{"translation": {"en": f"a {i}", "de": f"x {i}"}} for i in range(6)]
    folder = write(train=rows, validation=rows, test=rows)
    data = module(folder, streaming=streaming, columns={"source": "translation.en", "target": "translation.de"})
    data.setup("fit")
    assert sorted(texts["target"] for batch in data.val_dataloader() for texts in batch.texts) == [
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
def test_a_split_without_an_example_is_told_before_training(
    tmp_path: Path, split: str, rows: str, streaming: bool
) -> None:
    """Such a training would end without a checkpoint, or with scores of nothing."""
    files: dict[str, Any] = {}
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.tsv").write_text("en\tde\n" + (rows if name == split else "a b\tx y\n"))
        files[name] = f"{name}.tsv"
    data = DataModule(
        corpus=FileCorpus(files=files, data_dir=tmp_path), fields=texts_of(), columns=COLUMNS, tokenizer=Words(),
        batcher=LengthBuckets(size=1), streaming=streaming,
    )  # fmt: skip
    with pytest.raises(UserError, match=f"the {split} split has no example|{split}.tsv has no row that can be used"):
        data.setup("fit")


@pytest.mark.parametrize("streaming", [False, True])
def test_several_inputs_and_references_reach_the_batches(write: Callable[..., Path], streaming: bool) -> None:
    rows = [{"q": f"q {i}", "p": "p " * (i + 1), "a": f"x {i}", "more": [f"y {i}", "z"][: i % 3]} for i in range(6)]
    columns = {"question": "q", "passage": "p", "target": "a", "references": "more"}
    fields = texts_of(question=9, passage=3, target=9)
    data = module(write(train=rows, validation=rows, test=rows), streaming=streaming, fields=fields, columns=columns)
    data.setup("fit")
    assert sum(map(len, data.train_dataloader())) == 3
    (batch,) = data.val_dataloader()
    assert {name: tuple(each.values.shape) for name, each in batch.inputs.items()} == {
        "question": (6, 3), "passage": (6, 7),
    }  # fmt: skip
    found = dict(zip(batch.rows, batch.references, strict=True))
    assert [found[row] for row in sorted(found)] == [(f"x {i}", f"y {i}", "z")[: 1 + i % 3] for i in range(6)]
    assert data.report["splits"]["train"]["dropped"] == {"passage_too_long": 3}
    assert set(data.report["splits"]["train"]["unknown"]) == {"question", "passage", "target"}


@pytest.mark.parametrize("streaming", [False, True])
def test_a_target_alone_needs_no_other_column(write: Callable[..., Path], streaming: bool) -> None:
    rows = [{"de": f"x {i}"} for i in range(6)]
    data = module(write(train=rows, validation=rows, test=rows), streaming=streaming, fields=texts_of(target=9))
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert sum(map(len, batches)) == 6
    assert all(not batch.inputs for batch in batches)
    assert data.report["columns"] == ["de"]


def test_a_field_without_a_column_is_the_users_to_mend(corpus: Path) -> None:
    with pytest.raises(UserError, match=r"set data\.columns\.passage"):
        module(corpus, fields=texts_of(source=9, passage=9, target=9))


@pytest.mark.parametrize("streaming", [False, True])
def test_rows_that_are_lost_are_told_and_too_many_stop_the_run(write: Callable[..., Path], streaming: bool) -> None:
    good = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    long = [{"en": "a " * 9, "de": f"x {i}"} for i in range(5)]
    broken: list[dict[str, Any]] = [{"en": "a"}]
    short = texts_of(source=5, target=5)

    some = module(write(train=[*good, *long, *broken], validation=good, test=good), streaming=streaming, fields=short)
    some.setup("fit")  # half of the rows is not more than half
    assert [len(list(loader)) for loader in (some.train_dataloader(), some.val_dataloader())] == [1, 1]
    assert some.lost_rows[0] == (
        "train: 6 of 12 rows are kept; lost: 5 × its source has too many tokens (data.fields.source.max_length); "
        "1 × one of its columns is missing or null (data.columns)"
    )
    assert some.lost_rows[1:] == ([f"first rows of {some.lost_rows[0]}"] if streaming else [])
    cases: list[tuple[dict[str, Any], str]] = [
        (
            {"train": [*good, *long, *broken * 2]},
            "train: 6 of 13 rows .* training would lose more than half of its rows",
        ),
        ({"validation": [*good, *broken]}, "validation: 6 of 7 rows .* scores would leave rows out"),
        (
            {"test": [*good, {"en": 5, "de": "x"}]},
            r"test: 6 of 7 .* 1 × .* no text, but a number or a list \(data\.columns",
        ),
    ]
    for other, message in cases:
        folder = write(**{"train": good, "validation": good, "test": good, **other})
        with pytest.raises(UserError, match=rf"{message}.*--data\.allow_lost_rows=true"):
            module(folder, streaming=streaming, fields=short).setup("fit")
        told = module(folder, streaming=streaming, fields=short, allow_lost_rows=True)
        told.setup("fit")
        list(told.train_dataloader())
        assert re.search(message.partition(" .*")[0], told.lost_rows[0])


def test_an_evaluation_of_other_data_stops_when_rows_are_lost(write: Callable[..., Path]) -> None:
    good = [{"en": f"a {i}", "de": f"x {i}"} for i in range(6)]
    data = module(write(train=good, validation=good, test=good, later=[*good, {"en": None, "de": "x"}]))
    data.setup("fit")
    with pytest.raises(UserError, match="later: 6 of 7 rows are kept"):
        data.loader("later")


def test_nothing_is_said_where_nothing_is_lost(corpus: Path) -> None:
    data = module(corpus)
    data.setup("fit")
    assert data.lost_rows == []


def test_unknown_tokens_are_those_of_rows_that_are_kept(write: Callable[..., Path]) -> None:
    good = [{"en": "a b", "de": "x y"} for _ in range(6)]
    long = [{"en": "new " * 9, "de": "x"}]
    first = module(write(train=good, validation=good, test=good))
    first.setup("fit")
    data = module(write(train=[*good, *long], validation=good, test=good), fields=texts_of(source=5, target=5))
    data.fields.load_state(first.fields.state())
    data.setup("fit")
    assert data.report["splits"]["train"]["unknown"] == {"source": 0.0, "target": 0.0}


def test_references_are_read_from_parquet_though_rows_may_lack_them(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        columns: dict[str, Any] = {"en": ["a b"], "de": ["x y"], "other": [5]}
        more = {} if split == "train" else {"more": [["x z"]]}
        pyarrow.parquet.write_table(pa.table(columns | more), tmp_path / f"{split}.parquet")
    data = module(tmp_path, columns=COLUMNS | {"references": "more"})
    data.setup("fit")
    (batch,) = data.val_dataloader()
    assert batch.references[0] == ("x y", "x z")
