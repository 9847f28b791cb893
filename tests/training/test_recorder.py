from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from mlflow.tracking import MlflowClient
from torch.utils.data import DataLoader

from s2s_lit.errors import DivergenceError
from s2s_lit.tracking.client.runs import RunRecord, download_checkpoint, find_run
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records import provenance
from s2s_lit.tracking.records.provenance import command
from s2s_lit.training.best_checkpoint import BestCheckpoint
from s2s_lit.training.callbacks.recorder import RunRecorder
from s2s_lit.types import Prediction

CONFIG = "seed: 3\nmodel:\n  class_path: Toy\n  init_args: {width: 1}\n"
ROWS = 12


def prediction(row: int) -> Prediction:
    tokens = [f"token{i}" for i in range(3)]
    return Prediction(
        {"source": f"source {row}"}, (f"Verweis {row}",), f"größer {row}", tokens, tokens, -row, torch.eye(3), row=row
    )


class Toy(LightningModule):
    """A score that rises and falls again, and predictions for the rows of the batch."""

    name = "counting"

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.frozen = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(5), False)
        self.scores = iter([10.0, 30.0, 20.0])

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        loss = (self.weight * batch).mean()
        self.log("train/loss", loss, on_step=True)
        return loss

    def validation_step(self, batch: torch.Tensor, index: int) -> dict[str, Any]:
        return {"predictions": [prediction(int(row)) for row in batch]}

    test_step = validation_step

    def samples(self) -> list[str]:
        return ["a text from nothing"]

    def on_validation_epoch_end(self) -> None:
        if not self.trainer.sanity_checking:
            self.log("val/bleu", next(self.scores))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


class ToyData(LightningDataModule):
    """Reads rows 4 at a time; evaluation goes through them backwards, as a length-sorted loader might."""

    fields: ClassVar[dict[str, Any]] = {
        "source": SimpleNamespace(tokenizer=SimpleNamespace(tokens=["<pad>", "▁a"])),
        "target": SimpleNamespace(tokenizer=SimpleNamespace(tokens=["<pad>"])),
    }
    report: dict[str, Any] = {  # noqa: RUF012
        "source": "toy",
        "splits": {
            "train": {
                "rows": 9,
                "kept": 6,
                "dropped": {"copied_source": 2},
                "malformed": {"nul": 1},
                "fingerprint": "abc",
            },
            "later": {"rows": 0, "kept": 0, "dropped": {}, "malformed": {}, "fingerprint": ""},
        },
    }

    def train_dataloader(self) -> Any:
        return DataLoader(torch.ones(20, 1), batch_size=4)

    def test_dataloader(self) -> Any:
        return DataLoader(torch.arange(ROWS).flip(0), batch_size=4)

    val_dataloader = test_dataloader


def run_all(tmp_path: Path, *callbacks: Callback, **arguments: Any) -> tuple[MlflowTracker, RunRecorder]:
    tracker = MlflowTracker(dataset="builtin", experiment="lstm")
    best = BestCheckpoint(dirpath=tmp_path / "ckpt", filename="{step}", monitor="val/bleu", mode="max")
    recorder = RunRecorder(tracker=tracker, config_yaml=CONFIG, checkpoint=best, sample_sentences=5, pictures=2)
    with tracked_run(tracker):
        trainer = Trainer(
            logger=tracker,
            callbacks=[recorder, best, *callbacks],
            max_epochs=3,
            log_every_n_steps=1,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"accelerator": "cpu", "devices": 1, **arguments},
        )
        model, data = Toy(), ToyData()
        trainer.fit(model, data)
        trainer.test(model, data, verbose=False)
    return tracker, recorder


@pytest.fixture(scope="module")
def finished(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The record and the files of one whole run, shared because tests only look."""
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        shutil.copy(empty_database, place / "mlflow.db")
        tracker, _ = run_all(place)
        record = find_run("latest")
        assert record.run_id == tracker.run_id
        checkpoint = download_checkpoint(record)
        client = MlflowClient(f"sqlite:///{place}/mlflow.db")
        files = Path(client.download_artifacts(record.run_id, ""))
        steps = [(m.step, m.value) for m in client.get_metric_history(record.run_id, "val/bleu")]
        inputs = client.get_run(record.run_id).inputs.dataset_inputs
    return SimpleNamespace(record=record, files=files, checkpoint=checkpoint, steps=steps, inputs=inputs)


def test_configuration_origin_and_size_are_kept(finished: Any) -> None:
    record: RunRecord = finished.record
    assert (finished.files / "config.yaml").read_text() == CONFIG
    assert (record.params["model"], record.params["model.width"]) == ("Toy", "1")
    assert (record.params["parameters.total"], record.params["parameters.trainable"]) == ("6", "1")
    assert record.metrics["model/parameters"] == 6
    assert record.tags["s2s.command"] == command()
    assert record.task == "counting"
    assert record.tags["s2s.version.torch"] == torch.__version__
    assert "s2s.machine.cpu" in record.tags


def test_data_and_vocabulary_are_kept(finished: Any) -> None:
    assert json.loads((finished.files / "data_report.json").read_text()) == ToyData.report
    assert json.loads(finished.record.tags["s2s.fingerprint"]) == {"train": "abc", "later": ""}
    counts = {name: value for name, value in finished.record.metrics.items() if name.startswith("data/")}
    assert {name.removeprefix("data/train/"): value for name, value in counts.items()} == {
        "rows": 9, "kept": 6, "dropped/copied_source": 2, "malformed/nul": 1,
    }  # fmt: skip
    (data,) = finished.inputs  # "later" was not read
    assert (data.dataset.name, data.dataset.digest, data.tags[0].value) == ("builtin", "abc", "training")
    assert (finished.files / "vocabulary/source.txt").read_text() == "<pad>\n▁a\n"
    assert finished.record.params["vocabulary.source"] == "2"


def test_the_best_checkpoint_is_kept_once(finished: Any) -> None:
    assert finished.record.score == 30.0
    assert finished.record.metrics["val/bleu"] == 20.0
    assert [p.name for p in (finished.files / "checkpoints").iterdir()] == ["best.ckpt"]
    assert torch.load(finished.checkpoint, weights_only=True)["global_step"] == 10


def test_validation_stands_on_the_axis_of_optimizer_steps(finished: Any) -> None:
    assert finished.steps == [(4, 10.0), (9, 30.0), (14, 20.0)]


def test_validation_samples_are_the_same_sentences_each_time(finished: Any) -> None:
    table = json.loads((finished.files / "samples/validation.json").read_text())
    steps = [row[0] for row in table["data"]]
    assert steps == [5] * 5 + [10] * 5 + [15] * 5  # the sanity check before training left nothing
    sources = [row[1] for row in table["data"]]
    assert sources[:5] == sources[5:10] == sources[10:]
    assert len(set(sources)) == 5


def test_all_predictions_are_kept_in_the_order_of_the_split(finished: Any) -> None:
    lines = (finished.files / "predictions/test.jsonl").read_text().splitlines()
    assert [json.loads(line)["inputs"]["source"] for line in lines] == [f"source {row}" for row in range(ROWS)]
    assert json.loads(lines[3])["hypothesis"] == "größer 3"


def test_pictures_and_tables_can_be_seen(finished: Any) -> None:
    pictures = sorted((finished.files / "attention").iterdir())
    assert [p.name for p in pictures] == ["test-1.png", "test-2.png"]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)
    tables = [t["path"] for t in json.loads(finished.record.tags["mlflow.loggedArtifacts"])]
    assert tables == ["samples/validation.json", "samples/test.json"]


def begin(tracker: MlflowTracker) -> None:
    """As a training does it."""
    with tracked_run(tracker):
        trainer: Any = SimpleNamespace(is_global_zero=True, global_step=0, datamodule=ToyData())
        RunRecorder(tracker=tracker, config_yaml=CONFIG).on_fit_start(trainer, Toy())


def test_a_resumed_run_keeps_where_it_came_from(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def start_as(commit: str, *words: str, run_id: str | None = None) -> str:
        monkeypatch.setattr("sys.orig_argv", ["s2s", *words])
        monkeypatch.setattr(provenance, "git_state", lambda directory: {"commit": commit, "dirty": "true"})
        monkeypatch.setattr("s2s_lit.training.callbacks.recorder.git_diff", lambda: f"diff to {commit}")
        tracker = MlflowTracker(dataset="builtin", experiment="lstm", run_id=run_id)
        begin(tracker)
        return str(tracker.run_id)

    run_id = start_as("abc", "train", "lstm")
    before = store.get_run(run_id).data.tags
    start_as("def", "resume", "latest", run_id=run_id)
    after = store.get_run(run_id).data.tags
    origin = [key for key in before if key.startswith(("s2s.command", "s2s.git", "s2s.machine", "s2s.v", "mlflow.so"))]
    assert len(origin) > 10
    assert {key: after[key] for key in origin} == {key: before[key] for key in origin}
    assert (after["s2s.command"], after["s2s.resumed.command"]) == ("s2s train lstm", "s2s resume latest")
    assert (after["mlflow.source.git.commit"], after["s2s.resumed.git.commit"]) == ("abc", "def")
    assert after["s2s.resumed.machine.cpu"] == before["s2s.machine.cpu"]
    files = Path(store.download_artifacts(run_id, ""))
    assert [(files / f"{name}.diff").read_text() for name in ("uncommitted", "resumed")] == [
        "diff to abc",
        "diff to def",
    ]


def test_the_command_of_a_run_that_its_process_s_does_not_repeat(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # as of a trial
    tracker = MlflowTracker(dataset="builtin", experiment="lstm", words=["train", "lstm", "--model.x=a b"])
    begin(tracker)
    repeated = store.get_run(str(tracker.run_id)).data.tags["s2s.command"]
    said = ["OMP_NUM_THREADS=3", sys.executable]
    assert shlex.split(repeated) == [*said, "-m", "s2s_lit", "train", "lstm", "--model.x=a b"]


class End(Callback):
    """Ctrl-C, or what else ends a training, in the third epoch."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch == 2:
            raise self.error


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "KILLED"), (DivergenceError("the training diverges"), "FAILED")]
)
def test_a_run_that_was_ended_keeps_its_best_checkpoint(
    error: BaseException, status: str, store: MlflowClient, tmp_path: Path
) -> None:
    with pytest.raises(type(error)):
        run_all(tmp_path, End(error))
    (run,) = store.search_runs([store.get_experiment_by_name("builtin").experiment_id])
    assert run.info.status == status
    assert torch.load(download_checkpoint(find_run(run.info.run_id)), weights_only=True)["global_step"] == 10


def test_what_a_checkpoint_carries_on(store: MlflowClient, tmp_path: Path) -> None:
    tracker, recorder = run_all(tmp_path)
    saved = torch.load(tmp_path / "ckpt" / "step=10.ckpt", weights_only=True)["callbacks"]["RunRecorder"]
    assert [row[0] for row in saved["rows"]] == [5] * 5 + [10] * 5
    fresh = RunRecorder(tracker=tracker, config_yaml=CONFIG)
    fresh.load_state_dict(recorder.state_dict())
    assert fresh.state_dict() == recorder.state_dict()


def test_two_processes_write_one_run(store: MlflowClient, tmp_path: Path) -> None:
    class Halves(ToyData):
        """Every process gets its own rows."""

        def test_dataloader(self) -> Any:
            rank = self.trainer.global_rank  # type: ignore[union-attr]
            return DataLoader(torch.arange(ROWS)[rank::2], batch_size=3)

        val_dataloader = test_dataloader

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "ToyData", Halves)
        tracker, _ = run_all(tmp_path, strategy="ddp_fork", devices=2, use_distributed_sampler=False)
    record = find_run("latest")
    assert record.run_id == tracker.run_id
    history = store.get_metric_history(record.run_id, "train/loss")
    assert [m.step for m in history] == list(range(15))
    files = Path(store.download_artifacts(record.run_id, ""))
    lines = (files / "predictions/test.jsonl").read_text().splitlines()
    assert [json.loads(line)["inputs"]["source"] for line in lines] == [f"source {row}" for row in range(ROWS)]
