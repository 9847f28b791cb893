"""Where the values of a row's fields are found."""

from __future__ import annotations

from typing import Any

import pytest

from s2s_lit.data.cleaning.reader import Reading, RowReader
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.sources.rows import MISSING_FIELD, NUL, value_at
from s2s_lit.errors import UserError
from s2s_lit.text.normalize import Form
from s2s_lit.text.words import Words

COLUMNS: dict[str, str | int] = {"source": "en", "target": "de"}


def reader(*names: str, columns: dict[str, str | int], form: Form = "NFC") -> RowReader:
    return RowReader(Fields({name: TextField(unicode_form=form) for name in names}, tokenizer=Words()), columns)


def read(row: dict[str, Any], *names: str, columns: dict[str, str | int]) -> Reading:
    found = reader(*(names or ("source", "target")), columns=columns)(row)
    assert isinstance(found, Reading)
    return found


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


def test_a_form_is_chosen() -> None:
    row = {"en": "ﬁne ２", "de": "u\u0308"}
    forms: list[Form] = ["NFC", "NFKC"]
    found = [reader("source", "target", columns=COLUMNS, form=form)(row) for form in forms]
    assert [each.texts for each in found if isinstance(each, Reading)] == [
        {"source": "ﬁne ２", "target": "ü"}, {"source": "fine 2", "target": "ü"},
    ]  # fmt: skip


def test_texts_stand_in_the_order_of_the_fields() -> None:
    row = {"q": "a", "p": "b", "a": "c"}
    columns: dict[str, str | int] = {"target": "a", "passage": "p", "question": "q"}
    found = read(row, "question", "passage", "target", columns=columns)
    assert list(found.texts.items()) == [("question", "a"), ("passage", "b"), ("target", "c")]


def test_a_column_may_be_a_number_where_files_have_no_header() -> None:
    columns: dict[str, str | int] = {"source": 1, "target": "0"}
    assert read({"0": "x", "1": "a"}, columns=columns).texts == {"source": "a", "target": "x"}


def test_columns_of_fields_that_there_are_not_are_passed_over() -> None:
    only = reader("target", columns=COLUMNS)
    assert only.columns == {"target": "de"}
    found = only({"de": "x", "en": 3})
    assert isinstance(found, Reading)
    assert found.texts == {"target": "x"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"target": "de"}, r"no column for the field source: set data\.columns\.source$"),
        ({"target": "de", "references": "more"}, r"set data\.columns\.source$"),
        ({"sorce": "en", "target": "de"}, r"set data\.columns\.source; no field is called sorce$"),
        ({}, r"no column for the field source"),
    ],
)
def test_a_field_without_a_column_is_named_with_its_setting(columns: dict[str, str | int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        reader("source", "target", columns=columns)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (None, ("x",)),
        ("y", ("x", "y")),
        (["y", "z"], ("x", "y", "z")),
        (["y", "x", "y"], ("x", "y")),
        ([], ("x",)),
        (["", " \n", None, 3, "a\0b"], ("x",)),  # what is no text is no reference
        (["u\u0308  y\n"], ("x", "ü y")),
    ],
)
def test_further_references_are_one_text_a_list_or_none(more: Any, found: tuple[str, ...]) -> None:
    columns = COLUMNS | {"references": "more"}
    assert read({"en": "a", "de": "x", "more": more}, columns=columns).references == found


def test_without_such_a_column_the_target_is_the_only_reference() -> None:
    columns = COLUMNS | {"references": "more.texts"}
    assert read({"en": "a", "de": "x", "more": ["y"]}, columns=COLUMNS).references == ("x",)
    assert read({"en": "a", "de": "x"}, columns=columns).references == ("x",)
    assert read({"en": "a", "de": "x", "more": {"texts": ["y"]}}, columns=columns).references == ("x", "y")


def test_references_do_not_mend_a_broken_row() -> None:
    both = reader("source", "target", columns=COLUMNS | {"references": "more"})
    assert both({"en": "a", "more": ["x"]}) is MISSING_FIELD
    assert both({"en": "a\0", "de": "x", "more": ["x"]}) is NUL
    assert both(NUL) is NUL
