from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import mlflow.data
import pytest
from mlflow import entities
from mlflow.tracking import MlflowClient

from s2s_lit.corpora.captions.source import BuiltinCorpus
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.data.sources.mixing import MixedCorpus
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.delivery.entries import deliver
from s2s_lit.tracking.records.datasets import datasets_of

PRINTS = {"train": "a" * 64, "validation": "b" * 64, "test_2016": "c" * 64, "unread": "0" * 64}


def report_of(corpus: dict[str, Any]) -> dict[str, Any]:
    splits = {
        split: {"rows": 9 * (split != "unread"), "kept": 6, "fingerprint": text} for split, text in PRINTS.items()
    }
    return {**corpus, "columns": ["en", "de"], "streaming": False, "splits": splits}


def run_of(store: MlflowClient, experiment: str = "0") -> str:
    return str(store.create_run(experiment).info.run_id)


def inputs(store: MlflowClient, run_id: str) -> dict[str, Any]:
    """Those of a run by their context."""
    run: Any = store.get_run(run_id)
    found = {each.tags[0].value: each for each in run.inputs.dataset_inputs}
    assert len(found) == len(run.inputs.dataset_inputs)
    return found


def test_each_split_that_was_read_is_there_once(store: MlflowClient) -> None:
    report, run_id = report_of(BuiltinCorpus().identity()), run_of(store)
    for _ in range(2):
        for data in datasets_of("builtin", report):
            deliver(store, run_id, [data])
    found = inputs(store, run_id)
    assert found.keys() == {"training", "validation", "test_2016"}
    assert all([tag.key for tag in each.tags] == ["mlflow.data.context"] for each in found.values())
    train = found["training"].dataset
    assert (train.name, train.digest, train.source_type) == ("builtin", "aaaaaaaa", "builtin")
    profile = json.loads(train.profile)
    assert (profile["split"], profile["rows"], profile["source"]) == ("train", 9, "builtin")
    assert json.loads(train.schema) == {
        "mlflow_colspec": [{"name": "en", "type": "string"}, {"name": "de", "type": "string"}]
    }
    (same,) = store.search_runs(["0"], "dataset.digest = 'aaaaaaaa' and dataset.context = 'training'")
    assert same.info.run_id == run_id


@pytest.mark.parametrize(
    ("corpus", "source"),
    [
        (HubCorpus(path="owner/name", name="en-de"), {"path": "owner/name", "config_name": "en-de"}),
        (HubCorpus(path="owner/name", data_dir=Path("/data")), {"uri": "/data"}),
        (FileCorpus(files={"train": "train.tsv"}, data_dir=Path("/data")), {"uri": "/data"}),
    ],
)
def test_mlflow_knows_where_the_data_are(corpus: CorpusSource, source: dict[str, str]) -> None:
    data, *_ = datasets_of("mine", report_of(corpus.identity()))
    found = mlflow.data.get_source(entities.Dataset(data.name, data.digest, data.source_type, data.source)).to_dict()
    assert found.items() >= source.items()


def test_the_longest_that_can_be_said_is_taken(store: MlflowClient) -> None:
    corpus = MixedCorpus(parts=[HubCorpus(path="owner/" + "n" * 700)] * 100, weights=[1.0] * 100).identity()
    report = report_of({**corpus, "source": "s" * 40})
    report["splits"]["t" * 600] = {"rows": 1, "fingerprint": "d" * 64}
    run_id = run_of(store)
    for data in datasets_of("ß" * 600, report):
        deliver(store, run_id, [data])
    found = inputs(store, run_id)
    assert "t" * 499 + "…" in found
    for kept in found.values():
        assert (len(kept.dataset.name), len(kept.dataset.source), len(kept.dataset.source_type)) == (500, 65535, 36)


def test_runs_that_bring_the_same_data_at_once_all_have_it(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store looks whether it has the data and then adds them: of two runs that have looked, it refuses one."""
    data, *_ = datasets_of("builtin", report_of(BuiltinCorpus().identity()))
    one, other = run_of(store), run_of(store)
    draw = uuid.uuid4

    def drawn_after_the_other() -> uuid.UUID:  # the first thing that it does when it has looked
        monkeypatch.setattr(uuid, "uuid4", draw)
        deliver(connect(), other, [data])
        return draw()

    monkeypatch.setattr(uuid, "uuid4", drawn_after_the_other)
    deliver(store, one, [data])
    assert uuid.uuid4 is draw
    assert inputs(store, one).keys() == inputs(store, other).keys() == {"training"}
