"""The file of a configuration gives that configuration again and repeats nothing of the base."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from s2s_lit.config.compose import compose, to_yaml
from s2s_lit.errors import UserError
from s2s_lit.tuning.results import export
from s2s_lit.tuning.results.export import differences, write_experiment
from s2s_lit.tuning.search.sweep_reader import read_sweep

SOME = ["time_step", "words_sparse", "cleaned"]
SWEEPS = sorted(file.stem for file in (Path(__file__).parents[2] / "sweeps").glob("*.yaml"))


@pytest.mark.parametrize("experiment", SOME)
def test_an_experiment_comes_back(experiment: str, in_project: Path) -> None:
    write_experiment(compose(experiment, "builtin", []), in_project / "again.yaml", ["What it is.", "More."])
    assert (in_project / "again.yaml").read_text().startswith("# What it is.\n# More.\n")


def test_it_states_only_what_differs(in_project: Path) -> None:
    changed = differences(compose("bilstm_attn", "builtin", ["--seed=7", "--model.decoder.attention=null"]))
    assert changed == {"seed": 7, "model": {"init_args": {"encoder": {"init_args": {"bidirectional": True}}}}}


@pytest.mark.parametrize("name", SWEEPS)
def test_points_of_sweeps_come_back_as_experiments(name: str, in_project: Path) -> None:
    """By the name with which a user trains them."""
    sweep = read_sweep(name)
    point = sweep.space.suggest(optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=5)).ask())
    config = sweep.compose(point, seed=7)
    write_experiment(config, Path("experiments/sweep_best.yaml"), ["A sweep's."])
    again = compose("sweep_best", sweep.dataset, [])
    again.experiment = config.experiment
    assert to_yaml(again) == to_yaml(config)


def test_a_file_that_would_give_something_else_is_not_left(in_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "differences", lambda config: {"seed": 5})
    with pytest.raises(UserError, match="same configuration"):
        write_experiment(compose("bilstm_attn", "builtin", []), Path("again.yaml"), ["x"])
    assert not Path("again.yaml").exists()
