"""Every sweep of the project can be composed, at each of its corners; a file that is none says what is wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import optuna
import pytest
import yaml
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tuning.execution.slots import slots_of
from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.search.space_reader import read_space
from s2s_lit.tuning.search.sweep_reader import read_sweep
from s2s_lit.tuning.search.warm_start import point_of_run
from s2s_lit.tuning.study.opening import make_pruner, make_sampler

NAMES = sorted(file.stem for file in (Path(__file__).parents[2] / "sweeps").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_sweep_composes_everywhere(name: str, in_project: Path) -> None:
    sweep = read_sweep(name)
    assert sweep.what
    sweep.check()
    make_sampler(sweep.sampler, 0)
    make_pruner(sweep.pruner)


GOOD = {
    "experiment": "bilstm_attn",
    "objectives": {"val/bleu": "maximize"},
    "space": {"model.encoder.dropout": {"float": [0.0, 0.5]}},
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"space": {"model.encoder.droput": {"float": [0, 1]}}}, "did you mean model.encoder.dropout?"),
        ({"space": {"model.encoder.droput": {"float": [0, 1]}}}, "in sweeps/mine.yaml"),
        ({"space": {"task.schedule": {"choice": ["CosinSchedule"]}}}, "did you mean CosineSchedule?"),
        ({"space": {"data.batcher.size": {"choice": ["many"]}}}, "expected int"),
        ({"fixed": {"trainer.max_step": 3}}, "trainer.max_step"),
        ({"experiment": "bilstm_atn"}, "did you mean EXP=bilstm_attn?"),
        ({"fixed": {"start_from": "latest"}}, "start_from=latest may be another run for each trial"),
        ({"enqueue": [{"model.encoder.dropout": 0.7}]}, "not a number between 0.0 and 0.5"),
        ({"objectives": {"test/bleu": "maximize"}}, "test/bleu cannot be an objective"),
        ({"objectives": {"val/blue": "maximize"}}, "did you mean val/bleu? There are: val/loss, val/perplexity"),
        ({"objectives": {"val/bleu": "up"}}, "maximize or minimize"),
        ({"objectives": {"parameters": "minimize"}}, "first objective must be a score"),
        (
            {"objectives": {"val/bleu": "maximize", "parameters": "minimize"}, "pruner": "median"},
            "leave out the pruner",
        ),
        ({"spaec": {}}, "did you mean space?"),
        ({"trials": 0}, "at least 1"),
        ({"trials": True}, "trials must be an integer, not True"),
        ({"seeds": []}, "list of integers"),
        ({"retries": -1}, "at least 0"),
        ({"trial_hours": 0}, "above 0"),
        ({"pruner": {"startup": 3}}, "must be a name"),
        ({"fixed": {"monitor": "val/loss"}}, "monitor can only be val/bleu"),
        ({"space": {"monitor": {"choice": ["val/bleu", "val/loss"]}}}, "monitor can only be val/bleu"),
        ({"space": {"model.encoder.dropout": {"float": [0.0, 1.5]}}}, "space: model.encoder.dropout may not be 1.5"),
        ({"space": {"model.encoder.recurrence.num_layers": {"int": [0, 2]}}}, "num_layers may not be 0"),
        ({"space": {"task.optimizer.lr": {"float": [-0.1, 0.1]}}}, "task.optimizer.lr may not be -0.1"),
        ({"fixed": {"model.decoder.feature_size": 100}}, "none of 2 points of the space can be trained"),
    ],
)
def test_what_is_wrong_is_said_before_any_trial(change: dict[str, object], said: str, in_project: Path) -> None:
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, **change}, sort_keys=False))
    with pytest.raises(UserError) as error:
        read_sweep("mine").check()
    assert said in str(error.value)


def test_the_best_checkpoint_is_the_best_in_what_is_sought(in_project: Path) -> None:
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "objectives": {"val/loss": "minimize"}}))
    sweep = read_sweep("mine")
    assert sweep.compose({"model.encoder.dropout": 0.1}, 1).monitor == "val/loss"
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "fixed": {"monitor": "val/bleu"}}))
    assert read_sweep("mine").compose({"model.encoder.dropout": 0.1}, 1).monitor == "val/bleu"


def test_without_objectives_the_headline_of_the_task_is_sought(in_project: Path) -> None:
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({key: GOOD[key] for key in ("experiment", "space")}))
    assert read_sweep("mine").objectives == (Objective("val/bleu", True),)


def test_sizes_that_do_not_fit_are_left_to_the_search(in_project: Path) -> None:
    space = {
        "model.decoder.attention": {"choice": ["MultiHeadAttention"]},
        "model.decoder.attention.heads": {"int": [1, 3]},
        "width": {"choice": [96, 128], "paths": ["model.decoder.recurrence.hidden_size", "model.decoder.feature_size"]},
    }
    fixed = {"model.tie": "none"}
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "space": space, "fixed": fixed}, sort_keys=False))
    sweep = read_sweep("mine")
    sweep.check()
    point = {"model.decoder.attention": "MultiHeadAttention", "model.decoder.attention.heads": 3}
    assert sweep.objection({**point, "width": 96}) == ""
    assert "heads" in sweep.objection({**point, "width": 128})


def test_a_sweep_that_is_not_there_names_the_nearest(in_project: Path) -> None:
    with pytest.raises(UserError, match=r"did you mean SWEEP=dropout_schedule_batching\?"):
        read_sweep("dropout_schedule_batchin")


def test_trials_of_several_devices_have_as_many_gpus(in_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2s_lit.tuning.execution.slots.visible_gpus", lambda: ["0", "1", "2", "3"])
    for devices, expected in ((2, ["0,1", "2,3"]), ("auto", ["0", "1"])):
        Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "fixed": {"trainer.devices": devices}}))
        slots = slots_of(read_sweep("mine"), workers=2)
        assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots] == expected
    for named in ([1, 3], "1,3"):
        Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "fixed": {"trainer.devices": named}}))
        with pytest.raises(UserError, match="say how many one uses"):
            slots_of(read_sweep("mine"), workers=2)


def test_samplers_and_pruners_are_checked() -> None:
    with pytest.raises(UserError, match="sampler tpee does not exist; there are: tpe"):
        make_sampler({"name": "tpee"}, 0)
    with pytest.raises(UserError, match="pruner median has no warm; there are: startup_trials, warmup"):
        make_pruner({"name": "median", "warm": 1})


def test_whoever_joins_draws_otherwise() -> None:
    space = read_space({"a": {"float": [0.0, 1.0]}}, "space")
    drawn = [space.suggest(optuna.create_study(sampler=make_sampler({"name": "tpe"}, j)).ask())["a"] for j in (0, 0, 5)]
    assert drawn[0] == drawn[1] != drawn[2]


def record(**params: str) -> RunRecord:
    """A run of which only the parameters matter; `__` stands for a dot."""
    named = {key.replace("__", "."): value for key, value in params.items()}
    others = {field.name: "" for field in fields(RunRecord)}
    return RunRecord(**{**others, "run_id": "f" * 32, "params": named})  # type: ignore[arg-type]


def test_an_earlier_run_is_a_point() -> None:
    branches = {
        "constant": {"set": {"task.schedule": "ConstantSchedule"}},
        "cosine": {
            "set": {"task.schedule": "CosineSchedule"},
            "space": {"task.schedule.final_factor": {"float": [0.0, 0.2]}},
        },
    }
    tree = {
        "dropout": {"float": [0.0, 0.5], "paths": ["model.encoder.dropout", "model.decoder.dropout"]},
        "cell": {"choice": ["GRU", "LSTM"], "paths": ["model.encoder.recurrence"]},
        "schedule": {"branches": branches},
        "more": {"int": [1, 5]},
    }
    params = {
        "model__encoder__dropout": "0.3",
        "model__encoder__recurrence": "s2s_lit.nn.recurrent.GRU",
        "task__schedule": "s2s_lit.optim.schedules.CosineSchedule",
        "task__schedule__final_factor": "0.05",
    }
    space = read_space(tree, "space")
    expected = {"dropout": 0.3, "cell": "GRU", "schedule": "cosine", "cosine/task.schedule.final_factor": 0.05}
    assert point_of_run(space, record(**params)) == expected
    with pytest.raises(UserError, match=r"dropout: 0\.9 is not a number between"):
        point_of_run(space, record(**{**params, "model__encoder__dropout": "0.9"}))


def test_small_numbers_and_what_was_left_out_are_read_from_an_earlier_run() -> None:
    tree = {
        "task.optimizer.weight_decay": {"float": [0.000001, 0.1], "log": True},
        "trainer.gradient_clip_val": {"choice": [None, 1.0]},
        "model.decoder.attention": {"choice": ["DotAttention", None]},
    }
    params = {
        "task__optimizer__weight_decay": str(0.00005),
        "trainer__gradient_clip_val": "None",
        "model__decoder__attention": "None",
    }
    expected = dict(zip(tree, (0.00005, None, None), strict=True))
    assert point_of_run(read_space(tree, "space"), record(**params)) == expected


def test_an_earlier_run_is_in_the_branch_that_sets_nothing_only_if_in_no_other(in_project: Path) -> None:
    space = read_sweep("regularization").space
    averaged = {"task__averaging": "s2s_lit.optim.averaging.ExponentialAveraging"}
    assert point_of_run(space, record(**averaged)) == {"averaging": "ema"}
    assert point_of_run(space, record(task__averaging="None")) == {"averaging": "none"}


def test_a_run_that_is_not_there_is_said_before_there_is_a_study(store: MlflowClient) -> None:
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "enqueue": [{"run": "typo"}]}, sort_keys=False))
    with pytest.raises(UserError, match=r"sweeps/mine\.yaml: enqueue: .*typo"):
        read_sweep("mine").check()


def test_another_experiment_or_base_is_another_study_and_another_folder_is_not(in_project: Path) -> None:
    Path("experiments/mine.yaml").write_text("seed: 1\n")
    Path("sweeps/mine.yaml").write_text(yaml.safe_dump({**GOOD, "experiment": "mine"}))
    before = read_sweep("mine").fingerprint
    assert read_sweep("mine", trials=3, data_dir="elsewhere").fingerprint == before
    Path("experiments/mine.yaml").write_text("model: {init_args: {embedding_size: 7}}\n")
    assert read_sweep("mine").fingerprint != before
