"""Rows to clean text: what is wrong with a row is counted, or stops the run."""

from __future__ import annotations

from typing import Any

import pytest

from s2s_lit.data.cleaning.cleaner import Cleaner, PairReader, SplitReport
from s2s_lit.data.cleaning.filters import CopiedSource, Duplicates
from s2s_lit.data.sources.rows import INVALID_JSON, LONGEST, Malformed, value_at
from s2s_lit.errors import UserError

READER = PairReader("en", "de")
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
    assert [source for _, source, _ in kept] == ["a", "b"]
    assert [number for number, _, _ in kept] == [0, len(rows) - 1]
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
    assert kept == [(0, "a", "x")]
    assert report.dropped == {"copied_source": 1, "duplicate_pair": 1}
    assert report.malformed == {"not_text": 1, "nul": 1}
    assert len(kept) + report.dropped.total() + report.malformed.total() == report.rows


def test_a_form_is_chosen() -> None:
    row = {"en": "ﬁne ２", "de": "u\u0308"}
    assert PairReader("en", "de").pair(row) == ("ﬁne ２", "ü")
    assert PairReader("en", "de", "NFKC").pair(row) == ("fine 2", "ü")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"translation": {"en": "a"}}, "a"),
        ({"translation.en": "b", "translation": {"en": "a"}}, "b"),
        ({"translation": {"de": "a"}}, None),
        ({"translation": "a"}, None),
        ({"translation": None}, None),
        ({"en": "a"}, None),
    ],
)
def test_columns_are_found_by_dotted_paths(row: dict[str, Any], found: str | None) -> None:
    assert value_at(row, "translation.en") == found


def test_asking_whether_filters_remember_makes_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Duplicates, "begin", lambda self: pytest.fail("which takes 32 MB"))
    assert Cleaner(READER, [CopiedSource(), Duplicates()]).remembers
    assert not Cleaner(READER, [CopiedSource()]).remembers
