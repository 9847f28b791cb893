"""`s2s register`: versions, and an alias that goes to the proven better one."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.comparison.compute import compare
from s2s_lit.tracking.client.runs import CHECKPOINT
from support.compared import predict, references, write_run

TEXTS = references(60)


@pytest.fixture
def client(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    quick = partial(compare, bootstrap=200, randomizations=200)
    monkeypatch.setattr("s2s_lit.comparison.champion.compare", quick)
    return store


def finished(client: MlflowClient, damage: float, seed: int) -> str:
    """The id of a run with a checkpoint whose outputs have that share of their words wrong."""
    run_id = write_run("lstm", predict(TEXTS, damage, seed), seed=seed)
    Path("best.ckpt").write_bytes(b"weights")
    client.log_artifact(run_id, "best.ckpt", CHECKPOINT.rpartition("/")[0])
    client.log_metric(run_id, "best/bleu", 0.0)
    return run_id


def holder(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias("de", "champion").run_id)


def test_the_champion_is_who_is_significantly_better(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    poor, same, good = finished(client, 0.5, 2), finished(client, 0.5, 1), finished(client, 0.1, 3)
    assert main(["register", poor, "de"]) == 0
    assert "champion is version 1 now: nobody was, val/bleu 0.00\n" in capsys.readouterr().out
    assert main(["register", same, "de"]) == 0
    said = capsys.readouterr().out
    assert "champion stays version 1: not significantly better" in said
    assert "BLEU on 60 test examples" in said
    assert holder(client) == poor
    assert main(["register", good, "de"]) == 0
    assert "champion is version 3 now: significantly better, BLEU" in capsys.readouterr().out
    assert holder(client) == good
    assert main(["register", poor, "de"]) == 0  # has a version already, and is worse
    assert "champion stays version 3: not better" in capsys.readouterr().out
    assert main(["register", good, "de"]) == 0
    assert "it is champion already" in capsys.readouterr().out
    versions = client.search_model_versions("name = 'de'")
    assert {(int(v.version), v.run_id) for v in versions} == {(1, poor), (2, same), (3, good)}
    source = Path(str(client.get_model_version_by_alias("de", "champion").source).removeprefix("file://"))
    assert (source / "best.ckpt").read_bytes() == b"weights"


def test_what_cannot_be_compared_keeps_its_place(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    first = finished(client, 0.5, 1)
    assert main(["register", first, "de"]) == 0
    other = write_run("lstm", [], seed=2)
    client.log_artifact(other, "best.ckpt", "checkpoints")
    assert main(["register", other, "de"]) == 0
    assert "they cannot be compared: no predictions of the test split" in capsys.readouterr().out
    assert holder(client) == first


def test_the_score_is_the_one_that_the_run_monitors(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [finished(client, damage, seed) for damage, seed in ((0.5, 1), (0.1, 2))]
    for run_id, name in zip(runs, ("val/bleu", "val/loss"), strict=True):
        client.set_tag(run_id, "s2s.monitor", name)
        assert main(["register", run_id, "de"]) == 0
    assert "significantly better, perplexity" in capsys.readouterr().out
    assert holder(client) == runs[1]


def test_a_score_that_is_not_compared_gives_way_to_the_task_s_headline(
    client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for damage, seed in ((0.5, 1), (0.1, 2)):
        run_id = finished(client, damage, seed)
        client.set_tag(run_id, "s2s.monitor", "val/token_accuracy")
        assert main(["register", run_id, "de"]) == 0
    assert "significantly better, BLEU" in capsys.readouterr().out


def test_equal_outputs_are_not_better(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    first, again = finished(client, 0.5, 1), finished(client, 0.5, 1)
    assert main(["register", first, "de"]) == main(["register", again, "de"]) == 0
    assert re.search(r"stays version 1: not better, BLEU on 60 test examples (\S+) -> \1\n", capsys.readouterr().out)


def test_a_version_s_files_are_final(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    """A stopped training may go on, and would replace them."""
    run_id = finished(client, 0.5, 1)
    client.set_terminated(run_id, "KILLED")
    assert main(["register", run_id, "de"]) == 2
    assert "has not finished: if it goes on, a better checkpoint replaces" in (said := capsys.readouterr().err)
    assert f"make resume RUN={run_id[:8]}" in said
    assert client.search_registered_models() == []


@pytest.mark.parametrize("name", ["de", "a/b:c"])
def test_without_a_checkpoint_or_a_proper_name_nothing_is_registered(
    client: MlflowClient, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run_id = write_run("lstm", []) if name == "de" else finished(client, 0.5, 1)
    assert main(["register", run_id, name]) == 2
    assert ("no checkpoints/best.ckpt" if name == "de" else "NAME=a/b:c") in capsys.readouterr().err
    assert client.search_registered_models() == []
