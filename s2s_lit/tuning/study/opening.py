"""The study of a sweep: created once, joined by whoever runs the same command; its sampler and its pruner."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner
from optuna.samplers import BaseSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage

from s2s_lit.errors import UserError
from s2s_lit.tuning.search.objectives import WHOLE
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study.attributes import DATASET, FINGERPRINT, OBJECTIVES, SPACE


def open_study(sweep: Sweep, name: str, storage: BaseStorage) -> optuna.Study:
    """The study of that name, created or joined.

    Raises:
        UserError: A study of that name exists that is about something else, or there is no such sampler or pruner.
    """
    directions = [objective.direction for objective in sweep.objectives]
    pruner = make_pruner(sweep.pruner)
    try:
        study = optuna.create_study(
            study_name=name,
            storage=storage,
            directions=directions,
            sampler=make_sampler(sweep.sampler, 0),
            pruner=pruner,
        )
        _describe(study, sweep)
        return study
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=name, storage=storage, pruner=pruner)
    _wait_for(study, FINGERPRINT)
    if FINGERPRINT not in study.user_attrs:
        _describe(study, sweep)
    if study.user_attrs[FINGERPRINT] != sweep.fingerprint:
        raise UserError(
            f"study {name} was begun with other objectives, seeds or settings (of the sweep, the experiment, the base "
            "or the data's file) than there are now, so its trials cannot be compared with new ones: give it another "
            f"name (--study {name}_2), or undo the change"
        )
    # Whoever joins must not draw again what the others have drawn.
    study.sampler = make_sampler(sweep.sampler, time.time_ns() % 2**31)
    return study


def continued(sweep: Sweep, study: optuna.Study) -> Sweep:
    """The sweep as its study can go on with it: what its space had at first, and has no more, is drawn and refused.

    Raises:
        UserError: The space has changed in more than bounds and in what it leaves out.
    """
    try:
        return sweep.continuing(study.user_attrs[SPACE])
    except UserError as error:
        name = study.study_name
        raise UserError(
            f"study {name} was begun with another space than there is now ({error}). Bounds may change, and values and "
            f"branches may be left out; for anything else give it another name (--study {name}_2), or undo the change"
        ) from error


def _describe(study: optuna.Study, sweep: Sweep) -> None:
    study.set_user_attr(OBJECTIVES, [objective.name for objective in sweep.objectives])
    study.set_user_attr(DATASET, sweep.dataset)
    study.set_user_attr(SPACE, sweep.space.described())
    study.set_user_attr(FINGERPRINT, sweep.fingerprint)  # last: whoever joins waits for it


def make_sampler(stated: Mapping[str, Any], joined: int) -> BaseSampler:
    """The sampler that a file states; `joined` is added to its seed."""
    known = {"tpe": {"seed", "startup_trials"}, "random": {"seed"}, "qmc": {"seed"}, "nsga2": {"seed", "population"}}
    name, settings = _split(stated, known, "sampler")
    seed = int(settings.get("seed", 1)) + joined
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if name == "tpe":  # by groups: parameters of one branch are drawn together
            startup = int(settings.get("startup_trials", 10))
            return TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, group=True)
        if name == "qmc":
            return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
        if name == "nsga2":
            return NSGAIISampler(seed=seed, population_size=int(settings.get("population", 20)))
        return RandomSampler(seed=seed)


def make_pruner(stated: Mapping[str, Any] | None) -> BasePruner:
    """The pruner that a file states; places are thousandths of the training."""
    if stated is None:
        return NopPruner()
    known = {
        "hyperband": {"min_resource", "reduction_factor"},
        "median": {"startup_trials", "warmup"},
        "patience": {"patience", "min_delta"},
    }
    name, settings = _split(stated, known, "pruner")
    if name == "hyperband":
        return HyperbandPruner(
            min_resource=int(settings.get("min_resource", 125)),
            max_resource=WHOLE,
            reduction_factor=int(settings.get("reduction_factor", 3)),
        )
    if name == "patience":
        return PatientPruner(
            None, patience=int(settings.get("patience", 3)), min_delta=float(settings.get("min_delta", 0.0))
        )
    return MedianPruner(
        n_startup_trials=int(settings.get("startup_trials", 5)), n_warmup_steps=int(settings.get("warmup", 0))
    )


def _split(stated: Mapping[str, Any], known: Mapping[str, set[str]], what: str) -> tuple[str, dict[str, Any]]:
    settings = {key: value for key, value in stated.items() if key != "name"}
    name = stated["name"]
    if name not in known:
        raise UserError(f"{what} {name} does not exist; there are: {', '.join(known)}")
    unknown = settings.keys() - known[name]
    if unknown:
        there = ", ".join(sorted(known[name]))
        raise UserError(f"{what} {name} has no {', '.join(sorted(unknown))}; there are: {there}")
    return name, settings


def _wait_for(study: optuna.Study, key: str, patience_s: float = 10.0) -> None:
    """Whoever created the study writes this a moment later, unless it was killed in that moment."""
    deadline = time.monotonic() + patience_s
    while key not in study.user_attrs and time.monotonic() < deadline:
        time.sleep(0.2)
