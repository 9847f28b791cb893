"""A study with branches, pruned and failed trials, as a sweep leaves it, made in milliseconds."""

from __future__ import annotations

import math
import random

import optuna

from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.search.space import Space
from s2s_lit.tuning.search.space_reader import read_space
from s2s_lit.tuning.study import attributes

SPACE = {
    "dropout": {"float": [0.0, 0.5], "paths": ["model.encoder.dropout"]},
    "task.optimizer.lr": {"float": [0.0005, 0.01], "log": True},
    "schedule": {
        "branches": {
            "cosine": {"space": {"task.schedule.final_factor": {"float": [0.0, 0.2]}}},
            "inverse_sqrt": {"space": {"task.schedule.warmup_steps": {"int": [50, 400]}}},
        }
    },
    "batching": {"choice": ["length", "tokens", "windows"]},
}


def space() -> Space:
    return read_space(SPACE, "space")


def finished_study(trials: int = 24, objectives: int = 1, seed: int = 1) -> optuna.Study:
    draw = random.Random(seed)
    study = optuna.create_study(
        study_name="example",
        directions=["maximize", "minimize"][:objectives],
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    for number in range(trials):
        trial = study.ask()
        point = space().suggest(trial)
        score = 40 - 80 * (point["dropout"] - 0.15) ** 2 - 6 * abs(math.log10(point["task.optimizer.lr"] / 0.003))
        score += {"length": 0, "tokens": 1, "windows": -6}[point["batching"]] + draw.gauss(0, 0.7)
        start = 1e9 + 60 * (number // 2) + draw.uniform(0, 8)
        kind = "complete"
        if objectives == 1:
            for place in range(125, 1001, 125):
                trial.report(score * (1 - math.exp(-place / 350)) + draw.gauss(0, 0.3), place)
                if score < 33 and place == 375:
                    kind = "pruned"
                    break
        kind = "failed" if number == 7 else kind
        share = 0.5 if kind == "pruned" else 1.0
        outcome = "finished" if kind == "complete" else kind
        span = {"host": "here", "slot": number % 2, "outcome": outcome, "start": start, "end": start + 50 * share}
        trial.set_user_attr(attributes.SPANS, [span])
        trial.set_user_attr(attributes.RUN, f"{number:032x}")
        trial.set_user_attr(f"{attributes.SEED}1", {"val/bleu": score, "parameters": 1e6})
        if kind == "complete":
            study.tell(trial, [score, 1e5 * (10 + point["dropout"] * 30 + draw.random() * 20)][:objectives])
        else:
            study.tell(trial, state=getattr(optuna.trial.TrialState, "PRUNED" if kind == "pruned" else "FAIL"))
    return study


def objectives(count: int = 1) -> tuple[Objective, ...]:
    return (Objective("val/bleu", True), Objective("parameters", False))[:count]
