from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet
import pytest

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.hub import DatasetRows, HubCorpus
from s2s_lit.data.sources.rows import Malformed, Rows
from s2s_lit.errors import UserError


@pytest.mark.parametrize("streaming", [False, True])
def test_reads_a_local_copy_in_the_order_of_its_files(corpus: Path, streaming: bool) -> None:
    rows = HubCorpus(path="owner/name", data_dir=corpus).rows("train", streaming=streaming)
    assert rows.num_shards == (3 if streaming else 1)
    for _ in range(2):  # it can be read again
        assert [str(row["en"]).split()[0] for row in rows] == [str(i) for i in range(53)]


def test_shards_are_the_whole_and_their_numbers_ascend(corpus: Path) -> None:
    rows = HubCorpus(path="owner/name", data_dir=corpus).rows("train", streaming=True)
    numbers = {int(str(row["en"]).split()[0]): number for number, row in rows.numbered([2, 0, 1])}
    assert sorted(numbers) == list(range(53))
    assert [numbers[i] for i in range(53)] == sorted(numbers.values())


@pytest.mark.parametrize(("asked", "there"), [("validation", "dev"), ("dev", "validation"), ("test", "test")])
def test_splits_have_the_hubs_aliases(asked: str, there: str) -> None:
    class OneSplit(CorpusSource):
        def identity(self) -> dict[str, str]:
            return {}

        def splits(self, *, streaming: bool) -> list[str]:
            return [there]

        def split(self, name: str, *, streaming: bool) -> Rows:
            return DatasetRows(datasets.Dataset.from_list([{"en": name}]))

    assert [row["en"] for row in OneSplit().rows(asked, streaming=False)] == [there]
    with pytest.raises(UserError, match="no split 'train'; it has '" + there):
        OneSplit().rows("train", streaming=False)


def test_missing_column_names_those_there_are(corpus: Path) -> None:
    rows = HubCorpus(path="owner/name", data_dir=corpus).rows("test", streaming=True)
    rows.require("en", "de")
    with pytest.raises(UserError, match=r"no column 'fr'; it has 'en', 'de'.*data\.target_column"):
        rows.require("en", "fr")


def test_missing_folder_and_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder .*/nowhere \(DATA_DIR"):
        HubCorpus(path="owner/name", data_dir=tmp_path / "nowhere").rows("train", streaming=True)
    with pytest.raises(UserError, match=f"{tmp_path}.* cannot be read"):
        HubCorpus(path="owner/name", data_dir=tmp_path).rows("train", streaming=True)


def test_a_damaged_file_is_named_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(UserError, match=f"{tmp_path}.* cannot be read"):
        HubCorpus(path="owner/name", data_dir=tmp_path).rows("train", streaming=False)


@pytest.mark.parametrize("streaming", [False, True])
def test_text_that_is_no_utf8_costs_its_row_alone(tmp_path: Path, streaming: bool) -> None:
    broken = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xff", b"c"], pa.binary()).buffers())
    nested = pa.StructArray.from_arrays([broken, pa.array(["x", "y", "z"])], ["en", "de"])
    pyarrow.parquet.write_table(pa.table({"translation": nested}), tmp_path / "train.parquet")
    rows = HubCorpus(data_dir=tmp_path).rows("train", streaming=streaming)
    assert [row for _, row in rows.all()] == [
        {"translation": {"en": "a", "de": "x"}}, Malformed("invalid_utf8"), {"translation": {"en": "c", "de": "z"}},
    ]  # fmt: skip
    assert rows.place([number for number, _ in rows.all()][1]) == f"{tmp_path}, split train, row 2"


@pytest.mark.parametrize("streaming", [False, True])
def test_a_value_of_another_type_costs_its_row_alone(tmp_path: Path, streaming: bool) -> None:
    """`datasets` makes JSON of all values in its column."""
    flat = [{"en": text, "de": "x"} for text in ('say "a"', 5, None, "c")]
    nested = [{"translation": row} for row in flat]
    for rows in (flat, nested, [*nested, {"translation": "none"}]):
        (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert list(HubCorpus(data_dir=tmp_path).rows("train", streaming=streaming)) == rows


def test_a_file_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    lines = [json.dumps({"en": f"a {i}", "de": f"x {i}"}) for i in range(5000)]
    (tmp_path / "train.jsonl").write_text("\n".join([*lines, '{"en": "a']))
    for streaming in (False, True):
        with pytest.raises(UserError, match=rf"{tmp_path}.* cannot be read: ArrowInvalid"):
            list(HubCorpus(data_dir=tmp_path).rows("train", streaming=streaming))


@pytest.mark.parametrize("streaming", [False, True])
def test_hub_out_of_reach_is_one_sentence_within_seconds(monkeypatch: pytest.MonkeyPatch, streaming: bool) -> None:
    with socket.socket() as unused:  # a port nobody listens on
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for module, name, value in (
        (huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{port}"),
        (huggingface_hub.constants, "HF_HUB_OFFLINE", False),
        (datasets.config, "HF_ENDPOINT", f"http://127.0.0.1:{port}"),
        (datasets.config, "HF_HUB_OFFLINE", False),
    ):
        monkeypatch.setattr(module, name, value)
    start = time.monotonic()
    with pytest.raises(UserError, match=r"cannot be reached.*DATA=builtin.*DATA_DIR") as caught:
        HubCorpus(path="owner/name").rows("train", streaming=streaming)
    assert time.monotonic() - start < 6
    assert "\n" not in str(caught.value)
