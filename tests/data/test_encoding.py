"""Rows to examples: what training does without, what is counted, and what lies in memory."""

from __future__ import annotations

from typing import Any

import pytest

from s2s_lit.data.cleaning.cleaner import Cleaner
from s2s_lit.data.cleaning.reader import RowReader
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.loading.corpus import EncodedCorpus
from s2s_lit.data.loading.encoding import RowEncoder
from s2s_lit.text.words import Words
from s2s_lit.types import EOS, UNK, Example
from support.saving import saved

ROWS: list[Any] = [
    {"en": "a  b\n", "de": "x"},
    {"en": None, "de": "x"},
    {"de": "x"},
    {"en": 3, "de": "x"},
    {"en": "", "de": "x"},
    {"en": "a", "de": "  "},
    {"en": "a a a", "de": "x"},
    {"en": "a", "de": "x x x"},
    {"en": "b", "de": "y y"},
]
COLUMNS = {"source": "en", "target": "de"}


def fields_of(**lengths: int) -> Fields:
    """Words of each field for itself, with the most tokens of a training example."""
    fields = Fields({name: TextField(tokenizer=Words(), max_length=most) for name, most in lengths.items()})
    fields.build(dict.fromkeys(lengths, text) for text in ("a b", "x y y"))
    return fields


@pytest.fixture
def fields() -> Fields:
    fields = Fields({name: TextField(tokenizer=Words(), max_length=2) for name in COLUMNS})
    fields.build([{"source": "a a a b", "target": "x x x y"}])
    return fields


def encode(
    rows: list[Any], fields: Fields, *, limited: bool = False, columns: dict[str, str | int] | None = None
) -> tuple[list[Example], SplitReport]:
    report = SplitReport()
    encoder = RowEncoder(Cleaner(RowReader(fields, columns or {**COLUMNS})), fields, limited=limited)
    return list(encoder(enumerate(rows), report)), report


def test_training_drops_and_counts_by_reason(fields: Fields) -> None:
    kept, report = encode(ROWS, fields, limited=True)
    assert [(example.row, *example.texts.values()) for example in kept] == [(0, "a b", "x"), (8, "b", "y y")]
    assert kept[0].inputs == {"source": [*fields.text_fields["source"].tokenizer.encode("a b"), EOS]}
    assert kept[0].target == fields.target.tokenizer.encode("x")
    assert kept[0].references == ("x",)
    assert report.rows == 9
    assert report.kept == 2
    assert report.dropped == {
        "empty_source": 1, "empty_target": 1, "source_too_long": 1, "target_too_long": 1,
    }  # fmt: skip
    assert report.malformed == {"missing_field": 2, "not_text": 1}


def test_evaluation_keeps_every_row_that_has_text(fields: Fields) -> None:
    kept, report = encode(ROWS, fields)
    assert [example.row for example in kept] == [0, 4, 5, 6, 7, 8]
    assert report.dropped == {}
    assert report.malformed == {"missing_field": 2, "not_text": 1}
    assert report.kept == 6


def test_each_field_has_its_own_limit() -> None:
    fields = fields_of(question=1, passage=3, target=2)
    columns: dict[str, str | int] = {name: name for name in fields}
    rows = [
        {"question": "a", "passage": "a b a", "target": "a b"},
        {"question": "a b", "passage": "a", "target": "a"},
        {"question": "a", "passage": "a b a b", "target": "a"},
        {"question": "a", "passage": "", "target": "a"},
        {"question": "a", "passage": "a", "target": "a b a"},
    ]
    kept, report = encode(rows, fields, limited=True, columns=columns)
    assert [example.row for example in kept] == [0]
    assert list(kept[0].inputs) == ["question", "passage"]
    assert kept[0].lengths == (3, 2, 4)
    assert report.dropped == {"question_too_long": 1, "passage_too_long": 1, "empty_passage": 1, "target_too_long": 1}


def test_a_target_alone_is_an_example() -> None:
    kept, report = encode([{"de": "a b"}, {"de": ""}, {"en": "a"}], fields_of(target=2), limited=True)
    assert [(example.inputs, example.texts, example.lengths) for example in kept] == [({}, {"target": "a b"}, (3,))]
    assert (report.dropped, report.malformed) == ({"empty_target": 1}, {"missing_field": 1})


def test_references_go_with_the_example(fields: Fields) -> None:
    rows = [{"en": "a", "de": "x", "more": ["y", "x y"]}, {"en": "a", "de": "x"}]
    kept, _ = encode(rows, fields, columns={**COLUMNS, "references": "more"})
    assert [example.references for example in kept] == [("x", "y", "x y"), ("x",)]


def test_the_share_of_unknown_tokens_is_counted_by_field_of_the_rows_that_are_kept(fields: Fields) -> None:
    rows = [{"en": "a q", "de": "x"}, {"en": "a", "de": "q q"}, {"en": "q q q", "de": "q"}, {"en": "q", "de": ""}]
    _, report = encode(rows, fields, limited=True)
    assert report.kept == 2
    assert report.tokens == {"source": 3, "target": 3}
    assert report.as_dict()["unknown"] == {"source": 1 / 3, "target": 2 / 3}
    assert report.unknown_fraction("source") == 1 / 3
    kept, evaluated = encode(rows, fields)
    ids = [i for example in kept for i in example.inputs["source"] if i != EOS]
    assert evaluated.unknown_fraction("source") == ids.count(UNK) / len(ids) == 5 / 7


def test_fingerprint_is_of_the_texts_and_not_of_their_order(fields: Fields) -> None:
    def fingerprint(rows: list[Any]) -> str:
        return str(encode(rows, fields)[1].as_dict()["fingerprint"])

    assert fingerprint(ROWS) == fingerprint(ROWS[::-1])
    assert len(fingerprint(ROWS)) == 64
    assert fingerprint(ROWS) != fingerprint(ROWS[:-1])
    assert len({fingerprint([*ROWS, *ROWS[:1] * times]) for times in range(3)}) == 3  # a repeated row counts
    assert fingerprint([{"en": "a", "de": "b"}]) != fingerprint([{"en": "b", "de": "a"}])


def test_a_report_of_parts_is_that_of_the_whole_through_a_checkpoint_too(fields: Fields) -> None:
    _, whole = encode(ROWS, fields, limited=True)
    parts = SplitReport()
    for part in (ROWS[:4], ROWS[4:]):
        parts.add(SplitReport.from_state(saved(encode(part, fields, limited=True)[1].state())))
    assert parts == whole
    assert SplitReport.from_state(saved(whole.state())).as_dict() == whole.as_dict()


@pytest.mark.parametrize("names", [("target",), ("source", "target"), ("question", "target", "passage")])
def test_memory_gives_back_what_was_put_in(names: tuple[str, ...]) -> None:
    fields = fields_of(**dict.fromkeys(names, 9))
    columns: dict[str, str | int] = {name: name for name in (*names, "references")}
    texts = ["a", "", "x y q", "b b a a"]
    rows = [
        {name: texts[(i + place) % 4] for place, name in enumerate(names)} | {"references": texts[: i % 3]}
        for i in range(12)
    ]
    examples, report = encode(rows, fields, columns=columns)
    corpus = EncodedCorpus(iter(examples), fields, report)
    assert len(examples) == 12
    assert list(corpus) == examples
    assert [list(example.texts) for example in corpus] == [list(names)] * 12
    assert [corpus.lengths(i) for i in range(len(corpus))] == [example.lengths for example in examples]
