"""Repositories of the Hugging Face Hub: in a folder, and on a server that answers as the Hub does."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import datasets
import huggingface_hub.constants as hub
import pyarrow as pa
import pyarrow.parquet
import pytest
from huggingface_hub import HfFileSystem

from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.data.sources.rows import Malformed
from s2s_lit.errors import UserError
from support.corpora import FORMATS, ROWS
from support.servers import HubServer, serving


@pytest.mark.parametrize("streaming", [False, True])
def test_reads_a_local_copy_in_the_order_of_its_files(corpus: Path, streaming: bool) -> None:
    rows = HubCorpus(path="owner/name", data_dir=corpus).rows("train", streaming=streaming)
    assert rows.num_shards == 3
    for _ in range(2):  # it can be read again
        assert [str(row["en"]).split()[0] for row in rows] == [str(i) for i in range(53)]


def test_shards_are_the_whole_and_their_numbers_ascend(corpus: Path) -> None:
    rows = HubCorpus(path="owner/name", data_dir=corpus).rows("train", streaming=True)
    numbers = {int(str(row["en"]).split()[0]): number for number, row in rows.numbered([2, 0, 1])}
    assert sorted(numbers) == list(range(53))
    assert [numbers[i] for i in range(53)] == sorted(numbers.values())


def test_missing_column_names_those_there_are(corpus: Path) -> None:
    rows = HubCorpus(path="owner/name", data_dir=corpus).rows("test", streaming=True)
    rows.require("en", "de")
    with pytest.raises(UserError, match=r"no column 'fr'; it has 'en', 'de'"):
        rows.require("en", "fr")


def test_missing_folder_and_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder .*/nowhere \(DATA_DIR"):
        HubCorpus(path="owner/name", data_dir=tmp_path / "nowhere").rows("train", streaming=True)
    with pytest.raises(UserError, match=f"{tmp_path} holds no file that can be read"):
        HubCorpus(path="owner/name", data_dir=tmp_path).rows("train", streaming=True)
    with pytest.raises(UserError, match=r"name the data: data\.corpus\.path"):
        HubCorpus().rows("train", streaming=True)


def test_a_damaged_file_is_named_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(UserError, match=rf"{tmp_path}/train\.parquet, row 1 .* cannot be read"):
        list(HubCorpus(data_dir=tmp_path).rows("train", streaming=False))


@pytest.mark.parametrize("streaming", [False, True])
def test_text_that_is_no_utf8_costs_its_row_alone(tmp_path: Path, streaming: bool) -> None:
    broken = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xff", b"c"], pa.binary()).buffers())
    nested = pa.StructArray.from_arrays([broken, pa.array(["x", "y", "z"])], ["en", "de"])
    pyarrow.parquet.write_table(pa.table({"translation": nested}), tmp_path / "train.parquet")
    rows = HubCorpus(data_dir=tmp_path).rows("train", streaming=streaming)
    assert [row for _, row in rows.all()] == [
        {"translation": {"en": "a", "de": "x"}}, Malformed("invalid_utf8"), {"translation": {"en": "c", "de": "z"}},
    ]  # fmt: skip
    assert rows.place([number for number, _ in rows.all()][1]) == f"{tmp_path}/train.parquet, row 2"


def test_a_value_of_another_type_costs_its_row_alone(tmp_path: Path) -> None:
    flat = [{"en": text, "de": "x"} for text in ('say "a"', 5, None, "c")]
    nested = [{"translation": row} for row in flat]
    for rows in (flat, nested, [*nested, {"translation": "none"}]):
        (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert list(HubCorpus(data_dir=tmp_path).rows("train", streaming=True)) == rows


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    for split, rows in (("train", ROWS[:20]), ("validation", ROWS[20:25])):
        (folder / f"{split}.jsonl").write_bytes(FORMATS["jsonl"](rows))
    impatient = SimpleNamespace(sleep=lambda seconds: None, time=time.time, monotonic=time.monotonic)
    monkeypatch.setattr("huggingface_hub.utils._http.time", impatient)
    with serving(tmp_path, HubServer) as server:
        point_to(server.url("").rstrip("/"), tmp_path / "cache", monkeypatch)
        yield server


def point_to(endpoint: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub is at that address, and nothing was downloaded from it yet."""
    monkeypatch.setattr(hub, "ENDPOINT", endpoint)
    monkeypatch.setattr(hub, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", endpoint)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(cache / "datasets"))
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", str(cache / "downloads"))
    HfFileSystem.clear_instance_cache()
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(hub, "HF_TOKEN_PATH", str(cache / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_repository_is_read(server: HubServer, streaming: bool) -> None:
    source = HubCorpus(path="owner/name")
    assert source.splits(streaming=streaming) == ["train", "validation"]
    for _ in range(2):
        assert list(source.rows("train", streaming=streaming)) == ROWS[:20]
    asked = [path for path, _ in server.requests if "train.jsonl" in path]
    assert not [path for path, _ in server.requests if "validation.jsonl" in path]  # nobody asked for its rows
    assert len(asked) == (2 if streaming else 1)


@pytest.mark.parametrize("streaming", [False, True])
def test_connections_that_drop_are_taken_up(server: HubServer, streaming: bool) -> None:
    source = HubCorpus(path="owner/name")
    source.splits(streaming=streaming)
    server.drop_after, server.drops = 300, 3
    assert list(source.rows("train", streaming=streaming)) == ROWS[:20]
    assert len([path for path, _ in server.requests if "train.jsonl" in path]) >= 2


@pytest.mark.parametrize("streaming", [False, True])
def test_a_gated_data_set_needs_a_token(
    server: HubServer, streaming: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.gated.add("owner/name")
    with pytest.raises(UserError, match=r"'owner/name' is gated: accept its terms .* `hf auth login`"):
        HubCorpus(path="owner/name").rows("train", streaming=streaming)
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert list(HubCorpus(path="owner/name").rows("train", streaming=streaming)) == ROWS[:20]
    monkeypatch.setenv("HF_TOKEN", "another")
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(UserError, match=r"gated|wants a password"):
        list(HubCorpus(path="owner/name").rows("train", streaming=streaming))


@pytest.mark.parametrize("streaming", [False, True])
def test_what_is_not_there_is_named(server: HubServer, streaming: bool) -> None:
    with pytest.raises(UserError, match=r"no data set 'owner/none', or it is private .*data\.corpus\.path"):
        HubCorpus(path="owner/none").rows("train", streaming=streaming)
    with pytest.raises(UserError, match=r"no revision 'v7' \(data\.corpus\.revision"):
        HubCorpus(path="owner/name", revision="v7").rows("train", streaming=streaming)
    with pytest.raises(UserError, match="no split 'test'; it has 'train', 'validation'"):
        HubCorpus(path="owner/name").rows("test", streaming=streaming)
    with pytest.raises(UserError, match=r"no configuration 'fr'.*data\.corpus\.name"):
        HubCorpus(path="owner/name", name="fr").rows("train", streaming=streaming)


def test_a_revision_is_asked_for(server: HubServer) -> None:
    server.revisions.add("v2")
    source = HubCorpus(path="owner/name", revision="v2")
    assert list(source.rows("train", streaming=False)) == ROWS[:20]
    assert any("/revision/v2" in path for path, _ in server.requests)
    assert source.identity()["revision"] == "v2"


def test_a_hub_that_is_asked_too_often_says_so(server: HubServer) -> None:
    server.failures = [429] * 20
    with pytest.raises(UserError, match=r"asked too often \(429\): wait some minutes"):
        HubCorpus(path="owner/name").rows("train", streaming=True)


def test_without_the_hub_what_was_downloaded_before_is_read(server: HubServer) -> None:
    assert list(HubCorpus(path="owner/name").rows("train", streaming=False)) == ROWS[:20]
    server.failures = [503] * 50
    again = HubCorpus(path="owner/name")
    assert list(again.rows("train", streaming=True)) == ROWS[:20]
    with pytest.raises(UserError, match="no split 'validation'; it has 'train'"):
        again.rows("validation", streaming=True)


CONFIGURATIONS = """---
configs:
- config_name: small
  data_files:
  - {split: train, path: valid*.jsonl}
- config_name: semicolons
  sep: ";"
  data_files: own.csv
---
# Data
"""


@pytest.mark.parametrize("streaming", [False, True])
def test_configurations_of_the_readme_are_read(server: HubServer, tmp_path: Path, streaming: bool) -> None:
    (tmp_path / "owner" / "name" / "README.md").write_text(CONFIGURATIONS)
    assert list(HubCorpus(path="owner/name", name="small").rows("train", streaming=streaming)) == ROWS[20:25]
    with pytest.raises(
        UserError, match=r"several configurations; there are 'small', 'semicolons' \(data\.corpus\.name"
    ):
        HubCorpus(path="owner/name").rows("train", streaming=streaming)


@pytest.mark.parametrize("streaming", [False, True])
def test_files_with_settings_in_the_readme_are_read_by_datasets(
    server: HubServer, tmp_path: Path, streaming: bool
) -> None:
    (tmp_path / "owner" / "name" / "README.md").write_text(CONFIGURATIONS.replace("jsonl", "csv"))
    (tmp_path / "owner" / "name" / "own.csv").write_text("en;de\na, b;x\n")
    (tmp_path / "owner" / "name" / "valid.csv").write_text("en,de\na,x\n")
    rows = HubCorpus(path="owner/name", name="semicolons").rows("train", streaming=streaming)
    assert list(rows) == [{"en": "a, b", "de": "x"}]


def put_parquet(folder: Path) -> list[dict[str, str]]:
    """Three shards of a training split."""
    (folder / "data").mkdir()
    for number in range(3):
        rows = ROWS[number * 40 : number * 40 + 40]
        (folder / "data" / f"train-0000{number}-of-00003.parquet").write_bytes(FORMATS["parquet"](rows))
    return ROWS[:120]


@pytest.mark.parametrize("streaming", [False, True])
def test_shards_of_a_repository_are_read_apart_and_in_order(server: HubServer, tmp_path: Path, streaming: bool) -> None:
    expected = put_parquet(tmp_path / "owner" / "name")
    source = HubCorpus(path="owner/name")
    assert source.splits(streaming=streaming) == ["train"]  # by the rules of `datasets`, shards go before other names
    rows = source.rows("train", streaming=streaming)
    assert rows.num_shards == 3
    assert list(rows) == expected
    assert [row for _, row in rows.numbered([1])] == expected[40:80]
    assert "data/train-00001-of-00003.parquet, row 1" in rows.place(1 << 32)
    rows.require("en")
    assert list(rows) == [{"en": row["en"]} for row in expected]


@pytest.mark.parametrize("streaming", [False, True])
def test_formats_without_a_reader_of_ours_are_read_by_datasets(
    server: HubServer, tmp_path: Path, streaming: bool
) -> None:
    for number in range(2):
        part = datasets.Dataset.from_list(ROWS[number * 10 : number * 10 + 10])
        part.save_to_disk(tmp_path / "saved")
        file = next((tmp_path / "saved").glob("*.arrow"))
        (tmp_path / "owner" / "arrow" / "data").mkdir(parents=True, exist_ok=True)
        file.rename(tmp_path / "owner" / "arrow" / "data" / f"train-0000{number}-of-00002.arrow")
    rows = HubCorpus(path="owner/arrow").rows("train", streaming=streaming)
    assert rows.num_shards == (2 if streaming else 1)
    assert list(rows) == ROWS[:20]
    rows.require("en", "de")


MALFORMED = {
    "train.jsonl": b'{"en": "a", "de": "x"}\nnone\n{"en": "\xff", "de": "x"}\n{"en": 5, "de": null}\n',
    "train.csv": b'en,de\na,x\nb\nc,y,z\n"d,w\nNA,None\n',
    "train.tsv": b"en\tde\na\tx\nb\n\xff\ty\nNA\t\n",
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("streaming", [False, True])
def test_a_file_has_the_same_verdict_on_the_hub_and_beside(
    server: HubServer, tmp_path: Path, streaming: bool, name: str
) -> None:
    folder = tmp_path / "owner" / "malformed"
    folder.mkdir()
    (folder / name).write_bytes(MALFORMED[name])
    beside = FileCorpus(files={"train": str(folder / name)}).rows("train", streaming=streaming)
    rows = HubCorpus(path="owner/malformed").rows("train", streaming=streaming)
    assert list(rows.all()) == list(beside.all())
    assert any(isinstance(row, Malformed) for _, row in rows.all())


@pytest.mark.parametrize(
    ("streaming", "status", "said"),
    [
        (True, 503, r"owner/name@a+/train\.jsonl cannot be read: .*503.*data\.streaming: false"),
        (True, 429, r"owner/name@a+/train\.jsonl cannot be read: .*429.*hf auth login"),
        (True, 403, r"owner/name@a+/train\.jsonl cannot be read: .*hf auth login"),
        (True, 404, r"owner/name@a+/train\.jsonl cannot be read: .*404"),
        (False, 503, r"cannot be reached.*DATA_DIR"),
    ],
)
def test_a_hub_that_fails_between_list_and_file_is_one_sentence(
    server: HubServer, streaming: bool, status: int, said: str
) -> None:
    source = HubCorpus(path="owner/name")
    source.splits(streaming=streaming)
    server.failures = [status] * 50
    with pytest.raises(UserError, match=said) as caught:
        list(source.rows("train", streaming=streaming))
    assert "\n" not in str(caught.value)


def test_a_connection_that_always_drops_comes_to_an_end(server: HubServer) -> None:
    source = HubCorpus(path="owner/name")
    source.splits(streaming=True)
    server.drop_after = 10
    with pytest.raises(UserError, match=r"train\.jsonl cannot be read"):
        list(source.rows("train", streaming=True))
    assert len(server.requests) < 40


def test_a_program_of_a_repository_is_not_run(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "owner" / "name" / "name.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(UserError, match=r"is not run: .* \(data\.corpus\.revision: refs/convert/parquet\)"):
        HubCorpus(path="owner/name").rows("train", streaming=True)


def test_a_repository_without_data_says_so(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "owner" / "empty").mkdir()
    with pytest.raises(UserError, match=r"'owner/empty' holds no file that can be read \(data\.corpus\.path"):
        HubCorpus(path="owner/empty").rows("train", streaming=True)


def test_offline_what_was_downloaded_before_is_read(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(HubCorpus(path="owner/name").rows("train", streaming=False)) == ROWS[:20]
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    server.requests.clear()
    assert list(HubCorpus(path="owner/name").rows("train", streaming=True)) == ROWS[:20]
    with pytest.raises(UserError, match=r"cannot be reached.*DATA_DIR"):
        HubCorpus(path="owner/other").rows("train", streaming=True)
    assert not server.requests


@pytest.mark.parametrize("streaming", [False, True])
def test_hub_out_of_reach_is_one_sentence_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streaming: bool
) -> None:
    with socket.socket() as unused:  # a port nobody listens on
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    point_to(f"http://127.0.0.1:{port}", tmp_path, monkeypatch)
    start = time.monotonic()
    with pytest.raises(UserError, match=r"cannot be reached.*DATA=builtin.*DATA_DIR") as caught:
        HubCorpus(path="owner/name").rows("train", streaming=streaming)
    assert time.monotonic() - start < 6
    assert "\n" not in str(caught.value)
