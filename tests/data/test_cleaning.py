"""Rows to clean text: what is wrong with a row is counted, or stops the run."""

from __future__ import annotations

from typing import Any

import pytest

from s2s_lit.data.cleaning.cleaner import Cleaner
from s2s_lit.data.cleaning.filters import CopiedSource, Duplicates
from s2s_lit.data.cleaning.reader import RowReader
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.sources.rows import INVALID_JSON, LONGEST, Malformed
from s2s_lit.errors import UserError
from s2s_lit.text.words import Words

READER = RowReader(
    Fields({"source": TextField(), "target": TextField()}, tokenizer=Words()), {"source": "en", "target": "de"}
)
BROKEN: dict[str, list[Any]] = {
    "missing_field": [{"de": "x"}, {"en": None, "de": "x"}, {}],
    "not_text": [
        {"en": 3, "de": "x"},
        {"en": "a", "de": ["x"]},
        {"en": "a", "de": {"de": "x"}},
        {"en": b"a", "de": "x"},
    ],
    "nul": [{"en": "a\0b", "de": "x"}],
    "invalid_utf8": [{"en": "a\udcff", "de": "x"}, {"en": "a", "de": "\ud800"}],
    "too_long": [{"en": "a" * (LONGEST + 1), "de": "x"}],
    "invalid_json": [INVALID_JSON],
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_malformed_row_is_counted_and_left_out(reason: str) -> None:
    rows = [{"en": "a", "de": "x"}, *BROKEN[reason], {"en": "b", "de": "y"}]
    report = SplitReport()
    kept = list(Cleaner(READER)(enumerate(rows), report))
    assert [read.texts["source"] for _, read in kept] == ["a", "b"]
    assert [number for number, _ in kept] == [0, len(rows) - 1]
    assert report.malformed == {reason: len(BROKEN[reason])}
    assert report.rows == len(rows)


@pytest.mark.parametrize("reason", BROKEN)
def test_strict_names_place_and_reason(reason: str) -> None:
    rows = [{"en": "a", "de": "x"}, *BROKEN[reason]]
    cleaner = Cleaner(READER, place=lambda number: f"file.jsonl, row {number + 1}")
    with pytest.raises(UserError, match=rf"^file\.jsonl, row 2 is malformed: {reason} \(data\.strict\)$"):
        list(cleaner(enumerate(rows), SplitReport()))


def test_every_row_is_kept_dropped_or_malformed() -> None:
    rows: list[Any] = [{"en": "a", "de": "x"}] * 2 + [{"en": "b", "de": "b"}, {"en": 1}, Malformed("nul")]
    report = SplitReport()
    kept = list(Cleaner(READER, [CopiedSource(), Duplicates(remember=8)])(enumerate(rows), report))
    assert [(number, read.texts) for number, read in kept] == [(0, {"source": "a", "target": "x"})]
    assert report.dropped == {"copied_source": 1, "duplicate_example": 1}
    assert report.malformed == {"not_text": 1, "nul": 1}
    assert len(kept) + report.dropped.total() + report.malformed.total() == report.rows


def test_a_pass_in_several_calls_is_one_pass() -> None:
    rows = [(number, {"en": "a", "de": "x"}) for number in range(4)]
    report, cleaner = SplitReport(), Cleaner(READER, [Duplicates(remember=8)])
    begun = cleaner.begin()
    kept = [number for part in (rows[:2], rows[2:]) for number, _ in begun(part, report)]
    assert kept == [0]
    assert report.dropped == {"duplicate_example": 3}
    assert [number for number, _ in cleaner(rows[2:], SplitReport())] == [2]


def test_asking_whether_filters_remember_makes_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Duplicates, "begin", lambda self: pytest.fail("which takes 32 MB"))
    assert Cleaner(READER, [CopiedSource(), Duplicates()]).remembers
    assert not Cleaner(READER, [CopiedSource()]).remembers
