"""How a sweep stands in a file of `sweeps/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s2s_lit.checks import single_name
from s2s_lit.config.yaml_files import first_comment, read_mapping
from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.tuning.search.objectives import Objective, headline, read_objectives
from s2s_lit.tuning.search.space_reader import read_space
from s2s_lit.tuning.search.sweep_file import FOLDER, MONITOR, Sweep

KEYS = {
    "experiment": str,
    "dataset": str,
    "data_dir": str,
    "objectives": dict,
    "trials": int,
    "hours": (int, float),
    "trial_hours": (int, float),
    "sampler": (str, dict),
    "pruner": (str, dict),
    "seeds": list,
    "retries": int,
    "fixed": dict,
    "space": dict,
    "enqueue": list,
}
"""What a sweep's file may state, and as what."""


def names() -> list[str]:
    """The sweeps that there are."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def read_sweep(name: str, trials: int | None = None, data_dir: str | None = None) -> Sweep:
    """The sweep of that name; not yet checked against the configuration.

    Args:
        name: The file's name, without folder and ending.
        trials: How many trials the study shall have, instead of what the file says.
        data_dir: Folder of the data's files, instead of what the file says.

    Raises:
        UserError: There is no such file, or it does not describe a sweep; with place and remedy.
    """
    file = FOLDER / f"{single_name('SWEEP', name)}.yaml"
    if not file.is_file():
        hint = did_you_mean(name, names(), prefix="SWEEP=") or "."
        raise UserError(f"SWEEP={name}: {file} does not exist{hint} There are: {', '.join(names()) or 'none'}")
    tree = read_mapping(file)
    text = file.read_text(encoding="utf-8-sig")
    _require_keys(tree, str(file))
    what = first_comment(file)
    given: dict[str, Any] = {key: tree[key] for key in KEYS if key in tree}
    given["space"] = read_space(tree["space"], f"{file}: space")
    for key in ("sampler", "pruner"):
        if isinstance(given.get(key), str):
            given[key] = {"name": given[key]}
        if key in given and not isinstance(given[key].get("name"), str):
            raise UserError(f"{file}: {key} must be a name, or a mapping with `name` and its settings")
    given |= {key: tuple(given[key]) for key in ("seeds", "enqueue") if key in given}
    said = {"trials": trials, "data_dir": data_dir}
    given |= {"dataset": tree.get("dataset", "builtin"), **{k: v for k, v in said.items() if v is not None}}
    given["objectives"] = _objectives(tree, given["dataset"], str(file))
    sweep = Sweep(name=name, what=what, text=text, **given)
    _require_sense(sweep, str(file))
    return sweep


def _objectives(tree: Mapping[str, Any], dataset: str, file: str) -> tuple[Objective, ...]:
    """What is sought; by default the headline score of the experiment's task."""
    if "objectives" in tree:
        return read_objectives(tree["objectives"], file)
    from s2s_lit.config.compose import compose, named  # and with it torch and Lightning

    return (headline(named(compose(tree["experiment"], dataset, []).task.class_path)),)


def _require_keys(tree: Mapping[str, Any], file: str) -> None:
    for key, value in tree.items():
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS) or f"; there are: {', '.join(KEYS)}"
            raise UserError(f"unknown key {key} in {file}{hint}")
        if not isinstance(value, KEYS[key]) or isinstance(value, bool):  # type: ignore[arg-type]
            raise UserError(f"{file}: {key} must be {_said(KEYS[key])}, not {value!r}")
    for key in ("experiment", "space"):
        if key not in tree:
            raise UserError(f"{file} does not say its {key}")


def _said(kind: Any) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    said = {str: "a word", dict: "a mapping", int: "an integer", float: "a number", list: "a list"}
    return " or ".join(said[one] for one in kinds)


def _require_sense(sweep: Sweep, file: str) -> None:
    if sweep.trials < 1:
        raise UserError(f"TRIALS (trials in {file}) must be at least 1, not {sweep.trials}")
    if not sweep.seeds or not all(isinstance(seed, int) for seed in sweep.seeds):
        raise UserError(f"{file}: seeds must be a list of integers, such as [1, 2, 3]")
    if not all(isinstance(point, dict) for point in sweep.enqueue):
        raise UserError(f"{file}: enqueue must be a list of points (parameter: value), or of `run: ID`")
    if sweep.trial_hours is not None and sweep.trial_hours <= 0:
        raise UserError(f"{file}: trial_hours must be above 0, not {sweep.trial_hours}")
    first = sweep.objectives[0].name
    if MONITOR in sweep.space.setters() or sweep.fixed.get(MONITOR, first) != first:
        raise UserError(
            f"{file}: {MONITOR} can only be {first}, the (first) objective, as a trial's value is that of the "
            f"checkpoint that is best in {MONITOR}: leave {MONITOR} out"
        )
    if sweep.retries < 0:
        raise UserError(f"{file}: retries must be at least 0, not {sweep.retries}")
    if sweep.pruner is not None and len(sweep.objectives) > 1:
        raise UserError(
            f"{file}: with several objectives no trial can be called worse on its way: leave out the pruner"
        )
