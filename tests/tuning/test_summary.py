"""What a finished study says: effects of levels, pictures, the best trial's experiment."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import optuna
import pytest
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial

from s2s_lit.errors import UserError
from s2s_lit.tuning.results.effects import Level, levels
from s2s_lit.tuning.results.parameter_plots import importances
from s2s_lit.tuning.results.plots import pictures
from s2s_lit.tuning.results.summary import effects_table, front_table, summarize, train_command, write_best
from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.search.space_reader import read_space
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import best_trial, front, short_name, short_point
from support.studies import finished_study, objectives, space


def test_effects_are_means_over_the_trials_of_a_level() -> None:
    study = finished_study()
    found = levels(space(), study.trials)
    by_name = {(level.factor, level.level): level for level in found}
    windows = by_name["batching", "windows"]
    own = [trial for trial in study.trials if trial.params["batching"] == "windows"]
    values = [trial.value for trial in own if trial.state.name == "COMPLETE"]
    assert windows.mean == pytest.approx(np.mean(values))
    assert len(windows.values) + windows.pruned + windows.failed == len(own)
    assert windows.mean < by_name["batching", "length"].mean  # type: ignore[operator]
    rates = [level for level in found if level.factor == "task.optimizer.lr"]
    assert [level.level for level in rates] == ["0.0005 to 0.00136", "0.00136 to 0.00368", "0.00368 to 0.01"]
    assert sum(len(level.values) + level.pruned + level.failed for level in rates) == len(study.trials)
    branch = [level for level in found if level.factor == "cosine/task.schedule.final_factor"]
    cosine = [trial for trial in study.trials if trial.params["schedule"] == "cosine"]
    assert sum(len(level.values) + level.pruned + level.failed for level in branch) == len(cosine)


@pytest.mark.parametrize("count", [1, 2])
def test_pictures_are_drawn(count: int) -> None:
    found = dict(pictures(finished_study(objectives=count), objectives(count)))
    expected = {"history.png", "slice.png", "parallel.png", "timeline.png", "importances.png"}
    assert found.keys() == expected | ({"curves.png"} if count == 1 else {"pareto.png"})
    assert all(ink(figure) > 0.005 for figure in found.values())


def ink(figure: Figure) -> float:
    """The share of a picture that is not white."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    return float((pixels < 250).any(axis=-1).mean())


def test_a_study_of_one_trial_has_pictures() -> None:
    found = dict(pictures(finished_study(trials=1), objectives()))
    assert "importances.png" not in found
    assert all(ink(figure) > 0.003 for figure in found.values())


def test_importances_are_of_the_best_trials() -> None:
    found = importances(finished_study(trials=60))
    branches = {"cosine/task.schedule.final_factor", "inverse_sqrt/task.schedule.warmup_steps"}
    assert found.keys() == {"dropout", "task.optimizer.lr", "schedule", "batching"} | branches
    assert found["schedule"] < max(found["dropout"], found["task.optimizer.lr"])


def test_the_best_is_the_first_objectives_best() -> None:
    for count in (1, 2):
        study = finished_study(objectives=count)
        assert {trial.number for trial in front(study)} == {trial.number for trial in study.best_trials}
        complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
        assert best_trial(study).values[0] == max(trial.values[0] for trial in complete)  # type: ignore[union-attr]


def test_the_front_begins_with_the_best_in_the_first_objective() -> None:
    for high in (True, False):
        objectives = (Objective("val/score", high), Objective("parameters", False))
        study = optuna.create_study(directions=[objective.direction for objective in objectives])
        for score in (1.0, 3.0, 2.0):
            study.add_trial(optuna.create_trial(values=[score, score if high else -score]))
        table = front_table(Sweep("s", "", "lstm", "builtin", space(), objectives), study)
        assert list(table.columns[1].cells) == (["3", "2", "1"] if high else ["1", "2", "3"])


def test_the_best_is_never_bettered() -> None:
    """Trial 0 is the first of those that are best in the first objective, but trial 3 is better in the second."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    for values in ([3.0, 9.0], [1.0, 5.0], [2.0, 9.0], [3.0, 4.0]):
        study.add_trial(optuna.create_trial(values=values))
    best = best_trial(study)
    assert best is not None
    assert [trial.number for trial in front(study)] == [best.number] == [3]


def test_what_is_written_is_said_to_be_one_of_the_front(
    in_project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("s2s_lit.tuning.results.summary.draw", lambda *given: None)
    runs = Mock()
    sweep, _ = two_seeds(seeds=(1,), objectives=objectives(2), dataset="builtin")
    study = optuna.create_study(study_name="example", directions=["maximize", "minimize"])
    for score, cost in ((30.0, 9.0), (20.0, 4.0)):
        trial = study.ask()
        sweep.space.suggest(trial)
        trial.set_user_attr(attributes.RUN, "f" * 32)
        trial.set_user_attr(f"{attributes.SEED}1", {"val/bleu": score, "parameters": cost})
        study.tell(trial, [score, cost])
    summarize(sweep, study, runs, "parent", threads="1", out=None)
    said = " ".join(capsys.readouterr().out.split())
    assert "Pareto front: trial" in said
    which = "the best in val/bleu of the 2 trials on the Pareto front"
    assert f"{which}: trial 0, val/bleu 30.0000, parameters 9.0000" in said
    assert "experiments/example_best.yaml (trial 0, one of the front)" in said
    assert f"# It is {which}." in Path("experiments/example_best.yaml").read_text()


def test_short_names() -> None:
    assert short_name("cosine/task.schedule.warmup_steps") == "cosine schedule.warmup_steps"
    assert short_point({"model.encoder.dropout": 0.123456, "kind": "a"}) == "encoder.dropout=0.123  kind=a"


def test_the_best_experiment_does_not_replace_a_users_file(in_project: Path) -> None:
    study = finished_study()
    best = best_trial(study)
    assert best is not None
    plain = space()
    sweep = Sweep(
        name="example",
        what="",
        experiment="bilstm_attn",
        dataset="builtin",
        space=type(plain)(tuple(p for p in plain.parameters if p.name in ("dropout", "task.optimizer.lr"))),
        objectives=objectives(),
    )
    file = Path("experiments/example_best.yaml")
    write_best(sweep, study, best, file, "1")
    write_best(sweep, study, best, file, "1")
    text = file.read_text()
    assert text.startswith(f"# Best of sweep example: trial {best.number}, val/bleu {best.value:.4f}")
    assert "OMP_NUM_THREADS=1 make train EXP=example_best" in text
    Path("experiments/mine.yaml").write_text("# Mine.\nseed: 2\n")
    with pytest.raises(UserError, match="was not written by a sweep"):
        write_best(sweep, study, best, Path("experiments/mine.yaml"), "1")


def two_seeds(**changes: object) -> tuple[Sweep, FrozenTrial]:
    points = type(space())(tuple(p for p in space().parameters if p.name in ("dropout", "task.optimizer.lr")))
    settings = {"name": "example", "what": "", "experiment": "bilstm_attn", "dataset": "multi30k", "seeds": (1, 2)}
    sweep = Sweep(**{**settings, "space": points, "objectives": objectives(), **changes})  # type: ignore[arg-type]
    attrs = {"seed:1": {"val/bleu": 29.0}, "seed:2": {"val/bleu": 31.0}, attributes.RUN: "f" * 32}
    params = {"dropout": 0.1, "task.optimizer.lr": 0.001}
    study = finished_study(trials=1)
    trial = optuna.create_trial(
        value=30.0, params=params, distributions={n: study.trials[0].distributions[n] for n in params}, user_attrs=attrs
    )
    return sweep, trial


def test_of_several_seeds_the_file_is_one_and_says_so(in_project: Path) -> None:
    sweep, best = two_seeds()
    write_best(sweep, finished_study(trials=1), best, file := Path("experiments/example_best.yaml"), "1")
    text = file.read_text()
    assert "val/bleu 30.0000 ± 1.4 over 2 seeds" in text
    again = "OMP_NUM_THREADS=1 make train EXP=example_best DATA=multi30k"
    assert f"This file is seed 1, whose val/bleu was 29.0000; that again: {again}" in text
    assert train_command(sweep, file) == again.partition(" ")[2]


def test_what_was_mostly_pruned_is_in_brackets() -> None:
    table = effects_table([Level("a", "x", (30.0,), 4, 0), Level("a", "y", (28.0,), 1, 0)], high=True)
    assert list(table.columns[2].cells) == ["(30.0)", "28.0"]


def test_integers_of_few_values_are_levels_of_their_own() -> None:
    tree = {"layers": {"int": [1, 4]}, "width": {"int": [32, 192], "step": 32}, "steps": {"int": [0, 9]}}
    own = read_space(tree, "space")
    study = optuna.create_study()
    for layers, width, steps in ((4, 192, 9), (1, 64, 0), (3, 64, 3)):
        study.enqueue_trial({"layers": layers, "width": width, "steps": steps})
        trial = study.ask()
        own.suggest(trial)
        study.tell(trial, 1.0)
    found = [(level.factor, level.level) for level in levels(own, study.trials)]
    assert [level for factor, level in found if factor == "layers"] == ["1", "3", "4"]
    assert [level for factor, level in found if factor == "width"] == ["64", "192"]
    assert [level for factor, level in found if factor == "steps"] == ["0 to 3", "3 to 6", "6 to 9"]
