"""Ablations: which points they train, and what they say each factor brought."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution

from s2s_lit.errors import UserError
from s2s_lit.tuning.results.ablation import SEEDS, ablated, ablation_of, effects, summarize_ablation
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes
from support.studies import finished_study, objectives, space

BEST = {
    "dropout": 0.1,
    "task.optimizer.lr": 0.003,
    "schedule": "cosine",
    "cosine/task.schedule.final_factor": 0.05,
    "batching": "tokens",
}
BEFORE = {
    "dropout": 0.3,
    "task.optimizer.lr": 0.003,
    "schedule": "inverse_sqrt",
    "inverse_sqrt/task.schedule.warmup_steps": 100,
    "batching": "length",
}
SCORES = {"dropout": [28.0, 31.0, 27.0], "schedule": [31.0, 30.5, 30.0], "batching": [29.0, 29.0, 29.0]}
OURS = [30.0, 31.0, 32.0]


def sweep(**settings: Any) -> Sweep:
    given = {"name": "mine", "what": "", "experiment": "lstm", "dataset": "builtin", "enqueue": (BEFORE,)}
    return Sweep(**{**given, **settings}, space=space(), objectives=objectives())  # type: ignore[arg-type]


def test_one_factor_at_a_time_is_as_before_with_all_that_its_branch_has() -> None:
    points = ablated(space(), BEST, BEFORE)
    assert points[0] == BEST
    assert [space().refuse(point) for point in points] == [""] * 4  # the rate is the same in both
    assert points[1] == BEST | {"dropout": 0.3}
    assert points[2] == {
        "dropout": 0.1,
        "task.optimizer.lr": 0.003,
        "schedule": "inverse_sqrt",
        "inverse_sqrt/task.schedule.warmup_steps": 100,
        "batching": "tokens",
    }
    assert points[3] == BEST | {"batching": "length"}


def study_of(points: list[dict[str, Any]], scores: list[list[float]]) -> optuna.Study:
    study = optuna.create_study(direction="maximize")
    for point, values in zip(points, scores, strict=True):
        ranges: dict[str, BaseDistribution] = {
            name: optuna.distributions.CategoricalDistribution([value]) for name, value in point.items()
        }
        seeds = {f"{attributes.SEED}{seed}": {"val/bleu": value} for seed, value in zip(SEEDS, values, strict=True)}
        value = sum(values) / len(values)
        trial = optuna.trial.create_trial(params=point, distributions=ranges, value=value, user_attrs=seeds)
        study.add_trial(trial)
    return study


def test_what_a_factor_brought_is_the_difference_of_pairs_of_one_seed() -> None:
    study = study_of(ablated(space(), BEST, BEFORE), [OURS, *SCORES.values()])
    found = effects(sweep(seeds=SEEDS), study.trials)
    assert [effect.factor for effect in found] == ["dropout", "batching", "schedule"]  # the greatest first
    assert found[0].brought == (2.0, 0.0, 5.0)
    assert found[2].brought == pytest.approx((-1.0, 0.5, 2.0))
    assert found[2].instead == {"schedule": "inverse_sqrt", "inverse_sqrt/task.schedule.warmup_steps": 100}


def test_the_table_is_printed_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[Any] = []
    runs: Any = SimpleNamespace(table=lambda *given: kept.append(given))
    study = study_of(ablated(space(), BEST, BEFORE), [OURS, *SCORES.values()])
    summarize_ablation(sweep(seeds=SEEDS), study, runs, "parent")
    said = capsys.readouterr().out
    assert "the best point: 31.0000 ± 1 over 3 seeds" in said
    assert "+2.333" in said
    ((parent, columns, rows, file),) = kept
    assert (parent, file) == ("parent", "ablation.json")
    assert dict(zip(columns, rows[0], strict=True))["best"] == "dropout=0.1"
    assert dict(zip(columns, rows[2], strict=True))["instead"].startswith(
        "schedule=inverse_sqrt  inverse_sqrt schedule.warmup"
    )


def test_an_ablation_trains_the_best_of_the_study_over_seeds_without_pruning(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Sweep, "objection", lambda self, point: "")
    storage = f"sqlite:///{tmp_path}/sweeps.db"
    study = optuna.create_study(study_name="example", storage=storage, direction="maximize")
    study.add_trials(finished_study().trials)
    best = study.best_trial
    found, name = ablation_of(sweep(pruner={"name": "median"}), "example", storage)
    assert name == f"example_ablation_{best.number}"
    assert found.enqueue[0] == best.params
    assert found.trials == len(found.enqueue) > 2
    assert (found.seeds, found.pruner) == (SEEDS, None)
    monkeypatch.setattr(Sweep, "objection", lambda self, point: "" if point == found.enqueue[1] else "it is too wide")
    assert ablation_of(sweep(), "example", storage)[0].enqueue == found.enqueue[:2]
    assert "left out, as it cannot be trained: it is too wide" in capsys.readouterr().out
    with pytest.raises(UserError, match="no complete trial"):
        ablation_of(sweep(), "another", storage)
    with pytest.raises(UserError, match="first point of `enqueue`"):
        ablation_of(sweep(enqueue=({"dropout": 0.2},)), "example", storage)
