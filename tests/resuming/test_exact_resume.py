"""A training that is killed and resumed ends as if it had not been: the same weights and logged values, bit for bit.

The quick tests are one cell of the matrix; the others are run by `make test-kill`.
"""

from __future__ import annotations

import itertools
import json
import signal
from pathlib import Path
from random import Random

import pytest
import torch

from support.trainings import Kill, Project

STEPS = 24
BATCHERS = {
    "length": {"class_path": "LengthBuckets", "init_args": {"size": 8, "pool": 24}},
    "tokens": {"class_path": "TokenBudget", "init_args": {"max_tokens": 90, "pool": 24}},
    "windows": {
        "class_path": "TimeStepWindows",
        "init_args": {"size": 4, "batcher": {"class_path": "FixedSize", "init_args": {"size": 8}}},
    },
}
CELLS = list(itertools.product(["memory", "streaming"], [0, 2], [1, 2], BATCHERS))
LOGGED = (
    "train/loss",
    "train/gradient_norm",
    "train/learning_rate",
    "val/loss",
    "val/bleu",
    "val/chrf",
    "val/wer",
    "test/loss",
)


def settings(source: str, workers: int, ranks: int, batcher: str) -> list[str]:
    """Ends after STEPS steps: where the length of an epoch is known by the number of epochs, as a user does."""
    by_epochs = source == "memory" and batcher == "length"
    return [
        f"--data.streaming={str(source == 'streaming').lower()}",
        f"--data.num_workers={workers}",
        f"--data.batcher={json.dumps(BATCHERS[batcher])}",
        "--data.shuffle_pool=20",
        "--data.corpus.train_rows=60",
        "--data.corpus.evaluation_rows=6",
        "--data.corpus.shards=3",
        "--data.tokenizer=Words",
        "--model.embedding_size=12",
        "--model.encoder.recurrence.hidden_size=12",
        "--model.decoder.recurrence.hidden_size=12",
        "--model.decoder.feature_size=12",
        "--task.search=GreedySearch",
        "--task.search.max_length_ratio=1",
        "--task.validation_search.max_length_ratio=1",
        f"--trainer.max_steps={-1 if by_epochs else STEPS}",
        f"--trainer.max_epochs={3 * ranks if by_epochs else -1}",
        "--trainer.accelerator=cpu",
        "--restart_steps=5",
    ]


class Interrupted:
    """One training that ran through and one that did not, in the same project."""

    def __init__(self, project: Project, words: list[str], ranks: int) -> None:
        self.project = project
        self.words = words
        self.ranks = ranks
        assert project.s2s("train", *words, ranks=ranks) == [0] * ranks, project.output
        self.whole = self.run_ids()[0]
        self.weights = project.weights()

    def run_ids(self) -> list[str]:
        client = self.project.client
        experiment = client.get_experiment_by_name("builtin")
        assert experiment is not None
        return [run.info.run_id for run in client.search_runs([experiment.experiment_id])]  # newest first

    def stop(self, kill: Kill, *words: str) -> None:
        codes = self.project.s2s(*(words or ("train", *self.words)), ranks=self.ranks, kill=kill)
        assert any(codes), "the training ended before it was killed"

    def goes_on_to_the_same_end(self, steps: int = STEPS) -> None:
        assert self.project.s2s("resume", "latest", ranks=self.ranks) == [0] * self.ranks, self.project.output
        run_id, whole = self.run_ids()
        assert whole == self.whole, "the resumed training is another run"
        run = self.project.client.get_run(run_id)
        assert run.info.status == "FINISHED"
        for rank in range(self.ranks):
            for name, weight in self.project.weights(rank).items():
                assert torch.equal(weight, self.weights[name]), name
        assert self.project.history(run_id, LOGGED) == self.project.history(whole, LOGGED)
        assert len(self.project.history(run_id, LOGGED)["train/loss"]) == steps
        assert not list(self.project.folder.glob("runs/*/*/last.*"))  # the restart point has served


def interrupted(folder: Path, source: str, workers: int, ranks: int, batcher: str, *more: str) -> Interrupted:
    return Interrupted(Project(folder), ["bilstm_attn", *settings(source, workers, ranks, batcher), *more], ranks)


def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    training = interrupted(tmp_path / "project", "streaming", 2, 1, "windows")
    training.stop(Kill(31))
    training.goes_on_to_the_same_end()


@pytest.mark.kill
@pytest.mark.parametrize(("source", "workers", "ranks", "batcher"), CELLS)
def test_matrix(source: str, workers: int, ranks: int, batcher: str, tmp_path: Path) -> None:
    random = Random(f"{source} {workers} {ranks} {batcher}")
    training = interrupted(tmp_path / "project", source, workers, ranks, batcher)
    training.stop(Kill(random.randint(4, 40), random.randrange(ranks)))
    training.stop(Kill(random.randint(1, 12), random.randrange(ranks)), "resume", "latest")
    training.goes_on_to_the_same_end()


@pytest.mark.slow
@pytest.mark.parametrize("source", ["memory", "streaming"])
def test_contiguous_text_goes_on_within_its_windows(source: str, tmp_path: Path) -> None:
    words = [
        *(word for word in settings(source, 0, 1, "windows") if not word.startswith(("--model.", "--task."))),
        "--data.join_tokens=40",
        "--model.embedding_size=12",
        "--model.recurrence.hidden_size=12",
        "--task.search.max_length_offset=10",
    ]
    training = Interrupted(Project(tmp_path / "project"), ["lm", *words], 1)
    training.stop(Kill(31))
    training.goes_on_to_the_same_end()


SMALL = {
    "lm": ["--model.recurrence.hidden_size=12", "--task.search.max_length_offset=10"],
    "g2p": [
        *(word for word in settings("memory", 0, 1, "length") if ".hidden_size=" in word or "feature_size" in word),
        *(f"--data.fields.{name}.max_length=300" for name in ("source", "target")),
        "--task.validation_search.max_length_offset=10",
        "--trainer.check_val_every_n_epoch=1",
    ],
}
"""Experiments of other tasks, made small."""


@pytest.mark.slow
@pytest.mark.parametrize("experiment", SMALL)
def test_other_tasks_go_on(experiment: str, tmp_path: Path) -> None:
    shared = settings("memory", 0, 1, "length")
    words = [word for word in shared if not word.startswith(("--model.", "--task.", "--data.tokenizer"))]
    words += ["--model.embedding_size=12", *SMALL[experiment], *(["--data.tokenizer=Words"] * (experiment == "lm"))]
    training = Interrupted(Project(tmp_path / "project"), [experiment, *words], 1)
    training.stop(Kill(31))
    training.goes_on_to_the_same_end()


FALLING = ["--task.schedule.patience=0", "--task.schedule.threshold=0.9"]  # at each validation but the first
PATIENT = {"class_path": "EarlyStopping", "init_args": {"monitor": "val/loss", "min_delta": 99, "patience": 5}}
"""Stops at the sixth validation, after step 22."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "steps"),
    [
        (["--trainer.accumulate_grad_batches=3"], 9),  # three of an epoch's eight batches each
        (["--task.averaging=ExponentialAveraging"], STEPS),
        (["--task.averaging=LastCheckpoints", "--trainer.val_check_interval=3"], STEPS),
        (["--task.schedule=PlateauSchedule", *FALLING, "--trainer.val_check_interval=3"], STEPS),
        ([f"--trainer.callbacks=[{json.dumps(PATIENT)}]", "--trainer.val_check_interval=3"], 22),
    ],
    ids=lambda value: value[0][2:30] if isinstance(value, list) else "",
)
def test_all_that_a_step_leaves_behind_goes_on(more: list[str], steps: int, tmp_path: Path) -> None:
    training = interrupted(tmp_path / "project", "memory", 0, 1, "length", *more)
    training.stop(Kill(31))
    training.goes_on_to_the_same_end(steps)


@pytest.mark.slow
def test_the_same_steps_are_logged_after_a_restart_point_that_follows_a_validation(tmp_path: Path) -> None:
    often = ["--trainer.log_every_n_steps=4", "--trainer.val_check_interval=5"]
    training = interrupted(tmp_path / "project", "memory", 0, 1, "length", *often)
    training.stop(Kill(19))  # after the point before step 6, before that before step 11
    training.goes_on_to_the_same_end(STEPS // 4)


@pytest.mark.slow
def test_sigterm_costs_no_step(tmp_path: Path) -> None:
    training = interrupted(tmp_path / "project", "memory", 0, 1, "length", "--restart_steps=0")
    training.stop(Kill(20, number=signal.SIGTERM))
    assert "To go on: make resume RUN=" in training.project.output
    run = training.project.client.get_run(training.run_ids()[0])
    assert run.info.status == "KILLED"
    logged = training.project.history(run.info.run_id, ["train/loss"])["train/loss"]
    (restart,) = training.project.folder.glob("runs/*/*/last.ckpt")
    assert torch.load(restart, weights_only=True)["global_step"] == max(logged) > 5
    assert training.project.s2s("resume", "latest", "--task.optimizer.lr=1") == [2]
    assert "task.optimizer.lr cannot change" in training.project.output
    training.goes_on_to_the_same_end()
