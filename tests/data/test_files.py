"""Corpora of local files: the same rows in every format, and nothing lost without a word."""

from __future__ import annotations

import csv
import io
import pickle
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import FileCorpus, ParallelText
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.data.sources.readers.tables import comma_separated
from s2s_lit.data.sources.rows import INVALID_CSV, LONGEST, NUL, TOO_MANY_FIELDS, Malformed, Row
from s2s_lit.errors import UserError
from support.corpora import FORMATS, ROWS, as_files, packed, table


def read(source: CorpusSource, streaming: bool = True) -> list[Row | Malformed]:
    return [row for _, row in source.rows("train", streaming=streaming).all()]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kind", [*FORMATS, "parallel"])
def test_every_format_gives_the_same_rows(tmp_path: Path, kind: str, ending: str, streaming: bool) -> None:
    source = as_files(tmp_path / "corpus", kind, ending, [ROWS[:1200], ROWS[1200:]])
    rows = source.rows("train", streaming=streaming)
    assert rows.num_shards == 2
    for _ in range(2):  # it can be read again
        assert list(rows) == ROWS
    numbers = [number for number, _ in rows.numbered([0, 1])]
    assert numbers == sorted(set(numbers))
    assert [row for _, row in rows.numbered([1])] == ROWS[1200:]
    place = rows.place(numbers[1203])
    assert list(pickle.loads(pickle.dumps(rows))) == ROWS  # as a loader's workers get it
    assert place.endswith(f"1.{'de' if kind == 'parallel' else kind}{ending}, row 4")


def test_columns_are_named_where_a_file_does_not(tmp_path: Path) -> None:
    for kind, separator in (("csv", ","), ("tsv", "\t"), ("txt", "\t")):
        file = tmp_path / f"pairs.{kind}"
        file.write_bytes(table(ROWS[:9], separator))
        assert read(FileCorpus(files={"train": str(file)}, columns=["en", "de"])) == ROWS[:9]


def test_names_are_files_patterns_folders_and_lists(tmp_path: Path) -> None:
    as_files(tmp_path / "one", "jsonl", "", [ROWS[:2], ROWS[2:4]])
    as_files(tmp_path / "two", "csv", ".gz", [ROWS[4:6]])
    (tmp_path / "one" / "README.md").write_text("no rows")
    names = ["one/*.jsonl", "two"]
    assert read(FileCorpus(files={"train": names}, data_dir=tmp_path)) == ROWS[:6]
    assert read(FileCorpus(files={"train": [*reversed(names)]}, data_dir=tmp_path)) == ROWS[4:6] + ROWS[:4]
    assert read(FileCorpus(files={"train": [str(tmp_path / "two" / "0.csv.gz")]})) == ROWS[4:6]
    for missing in ("three", "one/*.csv"):
        with pytest.raises(UserError, match=rf"no file '.*/{re.escape(missing)}'.*DATA_DIR"):
            FileCorpus(files={"train": missing}, data_dir=tmp_path).rows("train", streaming=True)
    with pytest.raises(UserError, match=r"README\.md: its ending tells no format; there are csv"):
        FileCorpus(files={"train": "one/README.md"}, data_dir=tmp_path).rows("train", streaming=True)
    with pytest.raises(UserError, match="no split 'test'; it has 'train'"):
        FileCorpus(files={"train": "one"}, data_dir=tmp_path).rows("test", streaming=True)


LONG = "a" * 10_000_000
GOOD = '{"en": "a", "de": "x"}'
BROKEN: dict[str, list[bytes]] = {
    "jsonl": [b"{", b"[1]", b"null", b'"text"', b'{"en": "\xff"}', b'{"en": "\0"}', f'{{"en": "{LONG}"}}'.encode()],
    "tsv": [b"one field", b"a\tb\tc", b"", b"\xff\tx", b"a\0\tx", LONG.encode() + b"\tx"],
    "csv": [b"one", b"a,b,c", b"\xff,x", b"a\0,x", LONG.encode() + b",x", b'"a"b,x'],
}
REASONS = {
    "jsonl": ["invalid_json"] * 4 + ["invalid_utf8", "nul", "too_long"],
    "tsv": ["too_few_fields", "too_many_fields", "too_few_fields", "invalid_utf8", "nul", "too_long"],
    "csv": ["too_few_fields", "too_many_fields", "invalid_utf8", "nul", "too_long", "invalid_csv"],
}


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_line_costs_itself_alone(tmp_path: Path, kind: str, ending: str) -> None:
    good = FORMATS[kind](ROWS[:1]).rstrip().splitlines()
    lines = good[:-1] + [line for broken in BROKEN[kind] for line in (good[-1], broken)] + [good[-1]]
    (tmp_path / f"train.{kind}{ending}").write_bytes(packed(b"\n".join(lines), ending))
    rows = FileCorpus(files={"train": str(tmp_path)}).rows("train", streaming=True)
    found = [row for _, row in rows.all()]
    assert found[::2] == ROWS[:1] * (len(BROKEN[kind]) + 1)
    assert found[1::2] == [Malformed(reason) for reason in REASONS[kind]]
    assert list(rows) == ROWS[:1] * (len(BROKEN[kind]) + 1)


def test_parquet_text_that_is_none_costs_its_row_alone(tmp_path: Path) -> None:
    column = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xff", b"c"], pa.binary()).buffers())
    pyarrow.parquet.write_table(pa.table({"en": column, "de": ["x", "y", "z"]}), tmp_path / "train.parquet")
    found = read(FileCorpus(files={"train": str(tmp_path)}))
    assert found == [{"en": "a", "de": "x"}, Malformed("invalid_utf8"), {"en": "c", "de": "z"}]


def csv_rows(text: str) -> list[Row | Malformed]:
    return list(comma_separated(io.BytesIO(text.encode()), names=["en", "de"]))


def test_a_parquet_value_that_python_does_not_have_is_told_without_a_traceback(tmp_path: Path) -> None:
    when = pa.array([0, 10**18], pa.timestamp("us"))  # the year 33658
    pyarrow.parquet.write_table(pa.table({"en": ["a", "b"], "when": when}), tmp_path / "train.parquet")
    for source in (FileCorpus(files={"train": "train.parquet"}, data_dir=tmp_path), HubCorpus(data_dir=tmp_path)):
        with pytest.raises(UserError, match="cannot be read: OverflowError"):
            list(source.rows("train", streaming=True))


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    good = [{"en": "a", "de": "x"}, {"en": "b", "de": "y"}]
    assert csv_rows('"never,closed\na,x\nb,y\n') == [INVALID_CSV, *good]
    assert csv_rows('"never,closed\na,x\n\0,z\nb,y\n') == [INVALID_CSV, good[0], NUL, good[1]]
    assert csv_rows('a,x\n"never,closed\nb,"y"\n') == [good[0], INVALID_CSV, good[1]]
    assert csv_rows('"a,x\nb","y",z\nb,y\n') == [TOO_MANY_FIELDS, TOO_MANY_FIELDS, good[1]]
    assert csv_rows('"two\nlines",x\n\nb,y') == [{"en": "two\nlines", "de": "x"}, good[1]]


fields = st.text(st.sampled_from('ab",\n\r ü'), max_size=6).filter(lambda text: "\r" not in text)


@given(st.lists(st.tuples(fields, fields), max_size=8))
def test_csv_that_was_written_is_read_again(pairs: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(pairs)
    assert csv_rows(text.getvalue()) == [{"en": source, "de": target} for source, target in pairs]


@given(st.text(st.sampled_from('ab",\n'), max_size=60))
def test_any_text_is_rows_and_counted_malformed_ones(text: str) -> None:
    """Each line that is not empty goes into a row, or is counted."""
    used = 0
    for row in csv_rows(text):
        used += 1 if isinstance(row, Malformed) else 1 + sum(value.count("\n") for value in row.values())
    lines = text.split("\n")
    assert sum(map(bool, lines)) <= used + text.count("\n\n")
    assert used <= len(lines)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(count=st.integers(20, 40), cut=st.integers(1, 60), kind=st.sampled_from([*FORMATS, "parallel"]))
def test_a_torn_file_is_an_error_and_no_short_corpus(tmp_path: Path, count: int, cut: int, kind: str) -> None:
    source = as_files(tmp_path / "corpus", kind, ".gz", [ROWS[:count]])
    for file in (tmp_path / "corpus").iterdir():
        file.write_bytes(file.read_bytes()[:-cut])
    try:
        with pytest.raises(UserError, match="cannot be read"):
            read(source)
    finally:
        for file in (tmp_path / "corpus").iterdir():
            file.unlink()


def test_parallel_files_that_end_apart_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("a\nb\nc\n")
    (tmp_path / "a.de").write_text("x\ny\n")
    source = ParallelText(files={"train": {"en": "a.en", "de": "a.de"}}, data_dir=tmp_path)
    with pytest.raises(UserError, match=r"a\.de' ends before line 3, where '.*a\.en' goes on"):
        read(source)
    (tmp_path / "b.en").write_text("")
    source = ParallelText(files={"train": {"en": ["a.en", "b.en"], "de": "a.de"}}, data_dir=tmp_path)
    with pytest.raises(UserError, match="en 2, de 1"):
        read(source)


def test_broken_lines_of_parallel_files_keep_the_others_together(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_bytes(b"a\n\xff\n\nc\0\n" + LONG.encode() + b"\ne\n")
    (tmp_path / "a.de").write_bytes(b"x\ny\nz\nu\nv\r\nw")
    source = ParallelText(files={"train": {"en": "a.en", "de": "a.de"}}, data_dir=tmp_path)
    assert read(source) == [
        {"en": "a", "de": "x"}, Malformed("invalid_utf8"), {"en": "", "de": "z"}, Malformed("nul"),
        Malformed("too_long"), {"en": "e", "de": "w"},
    ]  # fmt: skip


def test_a_long_line_is_not_held_in_memory(tmp_path: Path) -> None:
    class Counting(io.BytesIO):
        largest = 0

        def readline(self, size: Any = -1) -> bytes:
            line = super().readline(size)
            self.largest = max(self.largest, len(line))
            return line

    file = Counting(LONG.encode() + b"\n" + table(ROWS[:1], ","))
    assert list(comma_separated(file, names=["en", "de"])) == [Malformed("too_long"), ROWS[0]]
    assert file.largest <= LONGEST + 1


def test_a_header_that_names_nothing_is_refused(tmp_path: Path) -> None:
    for content in (b"\xff,x\n", b"a,a\n"):
        (tmp_path / "train.csv").write_bytes(content)
        with pytest.raises(UserError, match=r"train\.csv, row 1 .*its first line does not name the columns"):
            read(FileCorpus(files={"train": str(tmp_path)}))
