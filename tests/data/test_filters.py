"""Laws of all filters that exist, and what is particular to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.data.cleaning.filters import (
    CopiedSource,
    Duplicates,
    Filter,
    LengthRatio,
    Passing,
    WordCount,
    WrongScript,
)
from s2s_lit.errors import UserError
from s2s_lit.text.normalize import normalize
from support.parts import concrete_subclasses

FILTERS = concrete_subclasses(Filter, "s2s_lit.data")  # type: ignore[type-abstract]
SCRIPTS = {"source": ["Latin"], "target": ["Cyrillic"]}
SETTINGS: dict[str, Any] = {"WrongScript": {"scripts": SCRIPTS}, "Duplicates": {"remember": 64}}
texts = st.text(st.sampled_from("ab Ж7."), max_size=12).map(normalize)
pairs = st.lists(st.tuples(texts, texts), max_size=30)


def make(part: type[Filter]) -> Filter:
    return part(**SETTINGS.get(part.__name__, {}))


def texts_of(row: tuple[str, ...]) -> dict[str, str]:
    """A pair by field, or the two inputs and the target of a triple."""
    return dict(zip(("source", "target") if len(row) == 2 else ("question", "passage", "target"), row, strict=True))


def reasons(part: Filter, rows: Sequence[tuple[str, ...]]) -> list[str | None]:
    begun = part.begin()
    return [begun.reason(texts_of(row)) for row in rows]


@pytest.mark.parametrize("part", FILTERS)
@given(pairs)
def test_each_pass_over_the_same_rows_drops_the_same(part: type[Filter], rows: list[tuple[str, str]]) -> None:
    one = make(part)
    first = reasons(one, rows)
    assert reasons(one, rows) == first
    assert reasons(make(part), rows) == first


@pytest.mark.parametrize("part", FILTERS)
def test_passes_at_the_same_time_do_not_disturb_one_another(part: type[Filter]) -> None:
    one = make(part)
    passes = [one.begin(), one.begin()]
    assert len({each.reason(texts_of(("a man reads", "Жук"))) for each in passes}) == 1


@pytest.mark.parametrize("part", FILTERS)
@given(pairs)
def test_reasons_are_names_that_a_metric_can_have(part: type[Filter], rows: list[tuple[str, str]]) -> None:
    assert all(reason is None or reason.isidentifier() for reason in reasons(make(part), rows))


@pytest.mark.parametrize("part", FILTERS)
def test_keeps_an_ordinary_pair_and_drops_some_other(part: type[Filter]) -> None:
    extraordinary = [("", ""), ("a", "a"), ("a", "b" * 99), ("a" * 99, "b"), ("Ж", "a"), ("a", "Ж"), ("Ж", "a")]
    assert reasons(make(part), [("two words", "Два слова")]) == [None]
    assert any(reasons(make(part), extraordinary))


@pytest.mark.parametrize("part", FILTERS)
def test_one_that_remembers_says_so(part: type[Filter]) -> None:
    given = make(part)
    assert (given.begin() is not given) == given.remembers


@given(pairs)
def test_the_first_that_objects_gives_the_reason(rows: list[tuple[str, str]]) -> None:
    filters = [make(part) for part in FILTERS]
    passing, separate = Passing(filters), [each.begin() for each in filters]
    for row in rows:
        found = passing.reason(texts_of(row))
        given = (reason for each in separate if (reason := each.reason(texts_of(row))) is not None)
        assert found == next(given, None)  # one that remembers sees only what those before it kept


def test_words_are_counted_in_each_text() -> None:
    keep = WordCount(least=2, most=3)
    rows = [("a b", "x y z"), ("a", "x y"), ("a b", "x"), ("a b c d", "x y"), ("a b", "x y z u")]
    assert reasons(keep, rows) == [
        None, "source_too_few_words", "target_too_few_words", "source_too_many_words", "target_too_many_words",
    ]  # fmt: skip


@given(texts, texts, st.floats(1, 4), st.integers(0, 5))
def test_the_ratio_has_no_side(source: str, target: str, most: float, slack: int) -> None:
    keep = LengthRatio(most=most, slack=slack)
    assert keep.reason(texts_of((source, target))) == keep.reason(texts_of((target, source)))
    assert keep.reason(texts_of((source, source))) is None


def test_the_ratio_grants_its_slack() -> None:
    assert reasons(LengthRatio(most=2, slack=3), [("ab", "x" * 10), ("ab", "x" * 11), ("", "x" * 6)]) == [
        None, "length_ratio", None,
    ]  # fmt: skip


def test_a_copy_is_one_in_any_case() -> None:
    assert reasons(CopiedSource(), [("Straße", "STRASSE"), ("a b", "a b"), ("a", "b")]) == [
        "copied_source", "copied_source", None,
    ]  # fmt: skip


@pytest.mark.parametrize("by", [None, "source", "target"])
@given(rows=pairs)
def test_what_is_left_of_duplicates_is_the_set_of_them(by: str | None, rows: list[tuple[str, str]]) -> None:
    def key(row: tuple[str, str]) -> object:
        return {None: row, "source": row[0], "target": row[1]}[by]

    def kept(rows: list[tuple[str, str]]) -> list[object]:
        return [
            key(row)
            for row, why in zip(rows, reasons(Duplicates(by=by, remember=2000), rows), strict=True)
            if why is None
        ]

    assert kept(rows) == list(dict.fromkeys(map(key, rows)))
    assert set(kept(rows[::-1])) == set(kept(rows))


def test_memory_of_duplicates_is_bounded_and_errs_as_stated() -> None:
    size = 8000
    begun = Duplicates(remember=size).begin()
    table = begun._table
    assert len(table) * table.itemsize == 8 * size
    distinct = [(f"a{i}", f"b{i}") for i in range(size // 4)]
    assert not any(begun.reason(texts_of(row)) for row in distinct)
    missed = sum(begun.reason(texts_of(row)) is None for row in distinct)
    assert missed <= 10  # two of 2000 are expected at the very most
    new = [(f"c{i}", f"d{i}") for i in range(3 * size)]
    assert not any(begun.reason(texts_of(row)) for row in new)  # nothing new is ever dropped
    assert all(begun.reason(texts_of(row)) == "duplicate_example" for row in new[-200:])
    assert begun._table is table
    assert len(table) == size


def test_scripts_are_a_share_of_the_letters() -> None:
    keep = WrongScript(scripts={"source": ["Latin"], "target": ["Han", "Hiragana", "Katakana"]}, least=0.5)
    rows = [
        ("ab", "日本のカメラ"), ("42 !", "7"), ("абв", "日本"), ("abв", "日本"), ("aбв", "日本"), ("ab", "hello 日"),
        ("", ""),
    ]  # fmt: skip
    assert reasons(keep, rows) == [None, None, "source_script", None, "source_script", "target_script", None]
    assert reasons(WrongScript(scripts={}), [("абв", "日本")]) == [None]
    strict = WrongScript(scripts={"source": ["Latin"], "target": ["Han"]}, least=0.75)
    rows = [("abcд", "日本"), ("abдд", "日本"), ("ab", "日ーーー")]  # the last has letters that scripts share
    assert reasons(strict, rows) == [None, "source_script", None]


def test_several_inputs_are_each_looked_at() -> None:
    assert reasons(WordCount(most=2), [("a", "b", "c"), ("a", "b b b", "c"), ("a", "", "c")]) == [
        None, "passage_too_many_words", "passage_too_few_words",
    ]  # fmt: skip
    ratio = LengthRatio(most=2, slack=0)
    assert reasons(ratio, [("aa", "bbb", "cccc"), ("a", "bbb", "cc"), ("aaa", "bb", "c")]) == [
        None, "length_ratio", "length_ratio",
    ]  # fmt: skip
    assert reasons(CopiedSource(), [("a", "b", "c"), ("a", "B", "b"), ("A", "b", "a"), ("a", "a", "c")]) == [
        None, "copied_source", "copied_source", None,
    ]  # fmt: skip
    rows = [("a", "b", "c"), ("a", "x", "c"), ("a", "b", "c"), ("y", "b", "z")]
    assert reasons(Duplicates(remember=64), rows) == [None, None, "duplicate_example", None]
    assert reasons(Duplicates(by="passage", remember=64), rows) == [
        None, None, "duplicate_passage", "duplicate_passage",
    ]  # fmt: skip
    assert reasons(WrongScript(scripts={"passage": ["Latin"]}), [("Ж", "b", "Ж"), ("a", "Ж", "c")]) == [
        None, "passage_script",
    ]  # fmt: skip


@pytest.mark.parametrize("part", FILTERS)
def test_a_target_alone_can_be_filtered(part: type[Filter]) -> None:
    keep = part(scripts={"target": ["Latin"]}) if part is WrongScript else make(part)  # type: ignore[call-arg]
    assert keep.begin().reason({"target": "two words"}) is None


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (
            Duplicates(by="sorce", remember=8),
            r"Duplicates\.by \(data\.filters\): no field is called 'sorce'; .*: source, target",
        ),
        (WrongScript(scripts={"sorce": ["Latin"]}), r"WrongScript\.scripts .*'sorce'"),
    ],
)
def test_a_field_that_there_is_not_is_named(keep: Filter, message: str) -> None:
    with pytest.raises(UserError, match=message):
        keep.begin().reason(texts_of(("a", "b")))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: WrongScript(scripts={"source": ["Klingon"]}), "Klingon: no such Unicode script"),
        (lambda: WrongScript(scripts={}, least=0), "0 < least"),
        (lambda: WordCount(least=5, most=4), "least <= most"),
        (lambda: LengthRatio(most=0.5), "most >= 1"),
        (lambda: Duplicates(remember=0), "remember >= 1"),
    ],
)
def test_settings_without_sense_are_refused(build: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build()  # type: ignore[operator]
