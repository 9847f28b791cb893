"""What a file holds is read, refused in one sentence, or counted; it never vanishes."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.data.sources import opening
from s2s_lit.data.sources.files import FileCorpus, ParallelText
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.data.sources.readers import json_records, lines
from s2s_lit.data.sources.readers.json_records import json_file
from s2s_lit.data.sources.rows import LONGEST, Malformed, Row, Rows
from s2s_lit.errors import UserError

PAIRS: list[Row] = [{"en": f"dog {i} ä", "de": f"Hund {i} \U0001f415"} for i in range(5)]


def opened(folder: Path, name: str) -> Rows:
    return FileCorpus(files={"train": name}, data_dir=folder).rows("train", streaming=True)


def read(folder: Path, name: str) -> list[Row | Malformed]:
    return [row for _, row in opened(folder, name).all()]


# ---- JSON documents ----

DOCUMENTS = {
    "one line": json.dumps(PAIRS),
    "an object a line": "[\n " + ",\n ".join(map(json.dumps, PAIRS)) + "\n]\n",
    "indented": json.dumps(PAIRS, indent=2),
    "under a key": json.dumps({"data": PAIRS}),
    "under a key, indented": json.dumps({"version": "1.1", "tags": ["a"], "data": PAIRS, "n": 12}, indent=1),
    "lines": "\n".join(map(json.dumps, PAIRS)),
    "blank lines first": "\ufeff\n\n" + "\n".join(map(json.dumps, PAIRS)),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_files_hold_lines_or_one_array(tmp_path: Path, name: str) -> None:
    (tmp_path / "train.json").write_text(DOCUMENTS[name], "utf-8")
    assert read(tmp_path, "train.json") == PAIRS
    if "key" not in name:
        (tmp_path / "train.jsonl").write_text(DOCUMENTS[name], "utf-8")
        assert read(tmp_path, "train.jsonl") == PAIRS


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=9) | st.integers() | st.lists(st.integers()))))
def test_any_array_is_read_whatever_the_pieces(rows: list[dict[str, Any]]) -> None:
    for indent in (None, 1):
        content = json.dumps(rows, indent=indent, ensure_ascii=False).encode(errors="surrogatepass")
        assert list(json_file(_Trickling(content))) == rows


class _Trickling(io.BytesIO):
    def read(self, size: Any = -1) -> bytes:
        return super().read(min(size, 3) if size > 0 else size)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[{"en": "a"}, {"en": "b"', "not valid JSON"),
        ('[{"en": "a"} {"en": "b"}]', "'\\]' is missing before"),
        ('[{"en": "a"}]\n[{"en": "b"}]', "something stands behind its end"),
        ('[{"en": "a"}, {"en" "b"}]', "not valid JSON"),
        ('{\n"en": ["a"], "de": ["b"]}', "no array of objects"),
        ('{\n"a": [{"en": "a"}], "b": [{"en": "b"}]}', "several arrays of objects"),
        ('[{"en": "' + "a" * (2 * LONGEST) + '"}]', "one value has more than"),
        ("[" * 100_000, "nested too deep|not valid JSON"),
    ],
)
def test_a_document_that_is_not_whole_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "train.json").write_text(content)
    with pytest.raises(UserError, match=rf"train\.json.* cannot be read: .*{reason}"):
        read(tmp_path, "train.json")


def test_an_array_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    fill = json_records._Scanner._fill

    def watched(self: Any) -> None:
        fill(self)
        held.append(len(self._text))

    monkeypatch.setattr(json_records._Scanner, "_fill", watched)
    rows = [{"en": "a" * 1000, "de": str(i)} for i in range(2000)]
    (tmp_path / "train.json").write_text(json.dumps(rows, indent=1))
    assert read(tmp_path, "train.json") == rows
    assert max(held) < 70_000


def test_elements_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('[{"en": "a"}, 5, "text", [], {"en": "b"}]')
    broken = Malformed("invalid_json")
    assert read(tmp_path, "train.json") == [{"en": "a"}, broken, broken, broken, {"en": "b"}]


# ---- encodings ----

TEXT = {
    "csv": "en,de\n" + "".join(f"{row['en']},{row['de']}\n" for row in PAIRS),
    "tsv": "en\tde\r\n" + "".join(f"{row['en']}\t{row['de']}\r\n" for row in PAIRS),
    "jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PAIRS),
    "json": json.dumps(PAIRS, ensure_ascii=False),
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("kind", TEXT)
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, kind: str, encoding: str) -> None:
    (tmp_path / f"train.{kind}").write_bytes(TEXT[kind].encode(encoding))
    assert read(tmp_path, f"train.{kind}") == PAIRS
    (tmp_path / f"big.{kind}").write_bytes(b"\xfe\xff" + TEXT[kind].encode("utf-16-be"))
    assert read(tmp_path, f"big.{kind}") == PAIRS
    (tmp_path / f"packed.{kind}.gz").write_bytes(gzip.compress(TEXT[kind].encode(encoding)))
    assert read(tmp_path, f"packed.{kind}.gz") == PAIRS


def test_parallel_text_may_be_utf_16(tmp_path: Path) -> None:
    for column in ("en", "de"):
        (tmp_path / f"t.{column}.txt").write_bytes("".join(f"{row[column]}\n" for row in PAIRS).encode("utf-16"))
    files: dict[str, str | list[str]] = {"en": "t.en.txt", "de": "t.de.txt"}
    assert list(ParallelText(files={"train": files}, data_dir=tmp_path).rows("train", streaming=True)) == PAIRS


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252"])
def test_another_encoding_is_named_with_the_remedy(tmp_path: Path, kind: str, encoding: str) -> None:
    (tmp_path / f"train.{kind}").write_bytes(TEXT[kind].replace("\U0001f415", "ü").encode(encoding))
    if (kind, encoding) == ("json", "cp1252"):  # one line, which is no sample
        with pytest.raises(UserError, match="UnicodeDecodeError"):
            read(tmp_path, "train.json")
        return
    name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE").replace("CP", "WINDOWS-")
    with pytest.raises(UserError, match=rf"train\.{kind} is not UTF-8 text.* iconv -f {name} -t UTF-8 'train"):
        read(tmp_path, f"train.{kind}")


def test_a_broken_line_among_others_is_only_counted(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_bytes(TEXT["tsv"].encode() + b"\xff\tx\n\xff\tx\n\xff\tx\n")
    assert read(tmp_path, "train.tsv") == [*PAIRS, *[Malformed("invalid_utf8")] * 3]


def test_half_a_character_of_utf_16_is_counted_or_told(tmp_path: Path) -> None:
    good = TEXT["tsv"].encode("utf-16")
    (tmp_path / "train.tsv").write_bytes(good + "\ud800\tx\r\n".encode("utf-16-le", "surrogatepass"))
    assert read(tmp_path, "train.tsv") == [*PAIRS, Malformed("invalid_utf8")]
    (tmp_path / "train.tsv").write_bytes(good[:-1])
    with pytest.raises(UserError, match="row 5 and what follows it cannot be read: UnicodeDecodeError"):
        read(tmp_path, "train.tsv")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04rest", "a zip archive or a spreadsheet"),
        (gzip.compress(b"a\tb\n", mtime=0), r"packed with gzip: add \.gz"),
        (bz2.compress(b"a\tb\n"), r"packed with bzip2: add \.bz2"),
        (lzma.compress(b"a\tb\n"), r"packed with xz: add \.xz"),
        (b"PAR1...", r"a parquet file: its name must end in \.parquet"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "train.tsv").write_bytes(content)
    with pytest.raises(UserError, match=rf"train\.tsv is {kind}"):
        read(tmp_path, "train.tsv")


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".XZ", lzma.compress)])
def test_packed_files_are_unpacked(tmp_path: Path, ending: str, pack: Any) -> None:
    (tmp_path / f"train.TSV{ending}").write_bytes(pack(TEXT["tsv"].encode()))
    assert read(tmp_path, str(tmp_path)) == PAIRS
    (tmp_path / f"train.TSV{ending}").write_bytes(pack(TEXT["tsv"].encode())[:-9])
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path, str(tmp_path))


# ---- rows that cannot be used ----


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b"no json\nno json\n", "2 times: its line is no JSON object"),
        ("a.tsv", b"en\tde\na\nb\n", "2 times: it has fewer fields than the first line"),
        ("a.csv", b"en,de\na,b,c\n", "1 times: it has more fields than the first line"),
        ("a.csv", b"en,de\n\xff,x\na\0,b\n", "1 times: it is not valid UTF-8; 1 times: it holds a NUL character"),
    ],
)
def test_a_file_without_a_row_that_can_be_used_stops_the_run(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match=rf"{name} has no row that can be used, of \d: {reason}"):
        read(tmp_path, name)


def test_a_line_that_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_ENDLESS", 2 * LONGEST)
    (tmp_path / "train.tsv").write_bytes(b"en\tde\na\tb\n" + b"x" * (5 * LONGEST))
    with pytest.raises(UserError, match=r"train\.tsv, row 2 .*: ValueError: a line has more than .* is this text\?"):
        read(tmp_path, "train.tsv")


# ---- columns ----


@pytest.mark.parametrize(("kind", "separator"), [("tsv", "\t"), ("csv", ","), ("txt", "\t")])
def test_columns_of_a_file_without_a_header_go_by_their_numbers(tmp_path: Path, kind: str, separator: str) -> None:
    content = "".join(separator.join(fields) + "\n" for fields in (("aa", "b c", "X"), ("d", "e", "Y"), ("f", "g")))
    (tmp_path / f"train.{kind}").write_text(content)
    rows = opened(tmp_path, f"train.{kind}")
    rows.require("0", "2")
    first, second = {"0": "aa", "1": "b c", "2": "X"}, {"0": "d", "1": "e", "2": "Y"}
    assert [row for _, row in rows.all()] == [first, second, Malformed("too_few_fields")]
    (tmp_path / f"train.{kind}").write_bytes(b"\xff" + separator.encode() + b"\n" + content.encode())
    assert [row for _, row in rows.all()][:2] == [Malformed("invalid_utf8"), first]
    (tmp_path / f"train.{kind}").write_text(separator.join("012") + "\n" + content)  # a header of numbers
    assert [row for _, row in rows.all()][:2] == [first, second]
    with pytest.raises(UserError, match="no column '7'; it has '0', '1', '2'"):
        rows.require("0", "7")


def test_parquet_columns_that_nobody_asks_for_are_not_read(tmp_path: Path) -> None:
    when = pa.array([0, 10**18], pa.timestamp("us"))  # the year 33658, which Python does not have
    nested = pa.array([{"fr": "m"}, {"fr": "n"}])
    table = pa.table({"en": ["a", "b"], "de": ["x", "y"], "when": when, "more": nested})
    pyarrow.parquet.write_table(table, tmp_path / "train.parquet")
    for source in (FileCorpus(files={"train": "train.parquet"}, data_dir=tmp_path), HubCorpus(data_dir=tmp_path)):
        rows = source.rows("train", streaming=True)
        rows.require("en", optional=["more.fr", "annotations"])
        assert list(rows) == [{"en": "a", "more": {"fr": "m"}}, {"en": "b", "more": {"fr": "n"}}]
        rows.require("en", "de")
        assert list(rows) == [{"en": "a", "de": "x"}, {"en": "b", "de": "y"}]


def test_a_parquet_column_that_is_missing_is_told_with_those_there_are(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"en": ["a"], "n": [{"fr": "m"}]}), tmp_path / "train.parquet")
    with pytest.raises(UserError, match=r"no column 'de'; it has 'en', 'n\.fr'"):
        opened(tmp_path, "train.parquet").require("en", "de")


# ---- FileCorpus and HubCorpus ----


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.csv", "en,de\nNA,None\nnull,nan\n007,1.0\n,x\n"),
        ("train.jsonl", '{"en": "a", "de": "x"}\n{"en": \n{"en": 5, "de": null}\n[1]\n{"en": "b", "de": "y"}\n'),
        ("train.json", '[{"en": "a", "de": "x"}, 7]'),
        ("train.tsv", 'en\tde\n"a\tb"\nc\td\te\n'),
    ],
)
def test_both_give_the_same_verdict_on_the_same_file(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    mine = FileCorpus(files={"train": name}, data_dir=tmp_path).rows("train", streaming=True)
    assert [row for _, row in HubCorpus(data_dir=tmp_path).rows("train", streaming=False).all()] == [
        row for _, row in mine.all()
    ]
    if name == "train.csv":
        assert next(iter(mine)) == {"en": "NA", "de": "None"}


def test_the_buffer_is_large_enough_to_see_what_a_file_is() -> None:
    assert opening._SAMPLE <= opening._BUFFER
