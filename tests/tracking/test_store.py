from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.connection import connect, ensure_experiment, tracking_uri
from s2s_lit.tracking.client.runs import CHECKPOINT, MONITOR_TAG, download_checkpoint, find_run, list_runs


def make_run(
    client: MlflowClient,
    start_time: int,
    *,
    experiment: str = "lstm",
    bleu: float | None = None,
    best: float | None = None,
    status: str = "FINISHED",
    dataset: str = "builtin",
    kind: str = "train",
) -> str:
    tags = {"s2s.experiment": experiment, "s2s.dataset": dataset, "s2s.kind": kind, MONITOR_TAG: "val/bleu"}
    run = client.create_run(ensure_experiment(client, dataset), start_time=start_time, tags=tags)
    for key, value in (("val/bleu", bleu), ("best/bleu", best)):
        if value is not None:
            client.log_metric(run.info.run_id, key, value)
    client.set_terminated(run.info.run_id, status)
    return str(run.info.run_id)


def test_the_store_is_the_working_directory_s_unless_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    assert tracking_uri() == f"sqlite:///{tmp_path}/other.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert tracking_uri() == "http://tracking:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "./mlruns")
    with pytest.raises(UserError, match=r"sqlite:///FILE\.db"):
        tracking_uri()


def test_selectors(store: MlflowClient) -> None:
    poor = make_run(store, 1, bleu=10.0)
    peaked = make_run(store, 2, bleu=20.0, best=40.0)  # its kept checkpoint is that of 40
    make_run(store, 3, experiment="bilstm", bleu=30.0)
    other_data = make_run(store, 4, dataset="multi30k", bleu=5.0)
    failed = make_run(store, 5, bleu=99.0, status="FAILED")
    make_run(store, 6, bleu=98.0, kind="evaluate")

    assert find_run("latest").run_id == other_data
    assert find_run("latest", dataset="builtin").experiment == "bilstm"
    best = find_run("best")
    assert (best.run_id, best.score, best.dataset) == (peaked, 40.0, "builtin")
    assert find_run("best", dataset="multi30k").run_id == other_data
    assert find_run("lstm").run_id == peaked
    assert find_run(poor).run_id == poor
    assert find_run(failed[:8]).run_id == failed
    with pytest.raises(UserError, match=r"(?s)no such run.*bilstm, lstm.*" + other_data[:8]):
        find_run(poor[:5])
    for misspelt, meant in (("lsmt", "lstm"), ("lates", "latest")):
        with pytest.raises(UserError, match=rf"did you mean RUN={meant}\? Give latest"):
            find_run(misspelt)


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(UserError, match=rf"^{tmp_path} cannot be written.* set MLFLOW_TRACKING_URI"):
        connect(f"sqlite:///{tmp_path}/mlflow.db")


def test_a_run_is_found_among_many(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2s_lit.tracking.client.runs._PAGE", 2)
    oldest = make_run(store, 1, experiment="o'neill", bleu=50.0)
    for began in range(2, 7):
        make_run(store, began, bleu=float(began))
    store.update_run(oldest, name="the 'first' one")
    assert len(list_runs()) == 6
    assert [run.metrics["val/bleu"] for run in list_runs(limit=3)] == [6.0, 5.0, 4.0]
    assert [find_run(by).run_id for by in ("best", "o'neill", "the 'first' one", oldest[:6])] == [oldest] * 4
    with pytest.raises(UserError, match="no such run or experiment"):
        find_run("50%")
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "search_runs", None)  # a whole id is asked for alone
        assert find_run(oldest).run_id == oldest
    with pytest.raises(UserError, match=r"no training run in .* on data builtn .*did you mean DATA=builtin\?"):
        find_run(oldest, dataset="builtn")
    store.delete_run(oldest)
    with pytest.raises(UserError, match="no such run"):
        find_run(oldest)


def test_of_runs_that_say_no_monitor_the_newest_run_s_decides(store: MlflowClient) -> None:
    """As those of early versions."""
    old, new = make_run(store, 1, best=40.0), make_run(store, 2, best=30.0)
    store.delete_tag(old, MONITOR_TAG)
    assert find_run(old).score is None
    assert find_run("best").run_id == old
    store.delete_tag(new, MONITOR_TAG)
    with pytest.raises(UserError, match="no training run has finished with a score"):
        find_run("best")


def test_best_is_by_what_the_newest_run_monitors(store: MlflowClient) -> None:
    old = make_run(store, 1, bleu=90.0)
    good, poor = make_run(store, 2, bleu=10.0), make_run(store, 3, bleu=20.0)
    for run_id, rate in ((good, 0.1), (poor, 0.2)):
        store.set_tag(run_id, "s2s.monitor", "val/wer")
        store.set_tag(run_id, "s2s.monitor.mode", "min")
        store.log_metric(run_id, "best/wer", rate)
    best = find_run("best")
    assert (best.run_id, best.score, best.monitor) == (good, 0.1, "val/wer")
    assert "val/wer 0.10" in str(best)
    store.log_metric(old, "best/wer", 0.05)  # it knows the score, though it chose its checkpoint by another
    assert find_run("best").run_id == old


def test_a_beginning_that_fits_two_runs_is_refused(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.store.tracking import sqlalchemy_store

    ids = iter(["abcdef01" + "0" * 24, "abcdef02" + "0" * 24])
    monkeypatch.setattr(sqlalchemy_store.uuid, "uuid4", lambda: type("Id", (), {"hex": next(ids)}))
    make_run(store, 1)
    make_run(store, 2)
    with pytest.raises(UserError, match=r"2 run ids.*\n.*abcdef02.*\n.*abcdef01"):
        find_run("abcdef")
    assert find_run("abcdef01").run_id.startswith("abcdef01")


def test_an_empty_store_says_what_to_do(store: MlflowClient) -> None:
    with pytest.raises(UserError, match="make train"):
        find_run("latest")


def test_a_dead_server_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError, match=r"http://127.0.0.1:9 does not answer") as caught:
        find_run("latest")
    assert "\n" not in str(caught.value)


def test_checkpoint_comes_back_and_is_kept(store: MlflowClient, tmp_path: Path) -> None:
    run_id = make_run(store, 1, bleu=1.0)
    record = find_run("latest")
    with pytest.raises(UserError, match="Choose another run"):
        download_checkpoint(record)
    (tmp_path / "best.ckpt").write_bytes(b"weights")
    store.log_artifact(run_id, str(tmp_path / "best.ckpt"), CHECKPOINT.partition("/")[0])
    first = download_checkpoint(record)
    assert first.read_bytes() == b"weights"
    assert download_checkpoint(record) == first


def test_a_stopped_run_s_copy_from_a_server_is_not_used_once_it_went_on(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s_lit.tracking.client.runs._local_artifact", lambda uri: None)  # as if a server kept it

    def log(content: bytes) -> None:
        (tmp_path / "best.ckpt").write_bytes(content)
        store.log_artifact(run_id, str(tmp_path / "best.ckpt"), CHECKPOINT.partition("/")[0])

    run_id = make_run(store, 1, bleu=1.0, status="KILLED")
    log(b"before it was stopped")
    assert download_checkpoint(find_run(run_id)).read_bytes() == b"before it was stopped"
    log(b"when it was stopped again")
    assert download_checkpoint(find_run(run_id)).read_bytes() == b"when it was stopped again"
    log(b"when it was finished")
    store.set_terminated(run_id, "FINISHED")
    kept = download_checkpoint(find_run(run_id))
    assert kept.read_bytes() == b"when it was finished"
    log(b"never asked for again")
    assert download_checkpoint(find_run(run_id)) == kept
    assert kept.read_bytes() == b"when it was finished"


def test_artifacts_of_the_local_store_lie_beside_it(store: MlflowClient, tmp_path: Path) -> None:
    experiment = store.get_experiment(ensure_experiment(store, "bentrevett/multi30k"))
    assert experiment.artifact_location == (tmp_path / "mlartifacts").as_uri()
    assert ensure_experiment(store, "bentrevett/multi30k") == experiment.experiment_id


@pytest.mark.slow
def test_a_new_database_is_created_quietly_even_by_two_at_once(tmp_path: Path) -> None:
    program = "from s2s_lit.tracking.client.connection import *; ensure_experiment(connect(), 'builtin')"
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/new.db", "PATH": "/usr/bin:/bin"}
    processes = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE) for _ in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, b"")
    assert len(connect(environment["MLFLOW_TRACKING_URI"]).search_experiments()) == 2  # and MLflow's "Default"


def test_looking_up_a_run_needs_neither_torch_nor_lightning() -> None:
    program = (
        "import sys, s2s_lit.tracking.client.runs as s; assert not {'torch', 'lightning', 'mlflow'} & set(sys.modules);"
        "import mlflow.tracking; assert not {'torch', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
