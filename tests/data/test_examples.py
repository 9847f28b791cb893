from __future__ import annotations

from typing import Any

import pytest

from s2s_lit.data.cleaning.cleaner import Cleaner, PairReader, SplitReport
from s2s_lit.data.fields.encoding import EncodedCorpus, Encoder, TokenLimits
from s2s_lit.text.tokenizer import TokenizerPair
from s2s_lit.text.words import Words
from s2s_lit.types import EOS

READER = PairReader("en", "de")
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


@pytest.fixture
def tokenizers() -> TokenizerPair:
    return Words().build(READER.pairs(ROWS))


def test_training_drops_and_counts_by_reason(tokenizers: TokenizerPair) -> None:
    report = SplitReport()
    encoder = Encoder(Cleaner(READER), tokenizers, TokenLimits(source=2, target=2))
    kept = list(encoder(enumerate(ROWS), report))
    assert [(example.row, example.source_text, example.target_text) for example in kept] == [
        (0, "a b", "x"), (8, "b", "y y"),
    ]  # fmt: skip
    assert kept[0].source_ids == [*tokenizers.source.encode("a b"), EOS]
    assert kept[0].target_ids == tokenizers.target.encode("x")
    assert report.rows == 9
    assert report.kept == 2
    assert report.dropped == {
        "empty_source": 1, "empty_target": 1, "source_too_long": 1, "target_too_long": 1,
    }  # fmt: skip
    assert report.malformed == {"missing_field": 2, "not_text": 1}


def test_evaluation_keeps_every_row_that_has_text(tokenizers: TokenizerPair) -> None:
    report = SplitReport()
    kept = list(Encoder(Cleaner(READER), tokenizers)(enumerate(ROWS), report))
    assert [example.row for example in kept] == [0, 4, 5, 6, 7, 8]
    assert report.dropped == {}
    assert report.malformed == {"missing_field": 2, "not_text": 1}


def test_the_share_of_unknown_tokens_is_counted_by_side(tokenizers: TokenizerPair) -> None:
    report = SplitReport()
    rows = [{"en": "a b q", "de": "x"}, {"en": "a", "de": "q q"}]
    list(Encoder(Cleaner(READER), tokenizers, TokenLimits(source=2, target=2))(enumerate(rows), report))
    assert report.as_dict()["unknown"] == {"source": 1 / 4, "target": 2 / 3}


def test_fingerprint_is_of_the_texts_and_not_of_their_order(tokenizers: TokenizerPair) -> None:
    def fingerprint(rows: list[Any]) -> str:
        report = SplitReport()
        list(Encoder(Cleaner(READER), tokenizers)(enumerate(rows), report))
        return str(report.as_dict()["fingerprint"])

    assert fingerprint(ROWS) == fingerprint(ROWS[::-1])
    assert len(fingerprint(ROWS)) == 64
    assert fingerprint(ROWS) != fingerprint(ROWS[:-1])
    assert len({fingerprint([*ROWS, *ROWS[:1] * times]) for times in range(3)}) == 3  # a repeated row counts
    assert fingerprint([{"en": "a", "de": "b"}]) != fingerprint([{"en": "b", "de": "a"}])


def test_memory_gives_back_what_was_put_in(tokenizers: TokenizerPair) -> None:
    report = SplitReport()
    examples = list(Encoder(Cleaner(READER), tokenizers)(enumerate(ROWS), report))
    corpus = EncodedCorpus(iter(examples), report)
    assert list(corpus) == examples
    assert [corpus.lengths(i) for i in range(len(corpus))] == [(e.source_length, e.target_length) for e in examples]
