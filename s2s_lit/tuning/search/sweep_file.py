"""A sweep as a file: what is varied, within which space, for which objective and how long."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s_lit.checks import single_name
from s2s_lit.config.yaml_files import first_comment, read_mapping
from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.tuning.search.objectives import Objective, read_objectives, require_scores
from s2s_lit.tuning.search.space import Space, read_space, words
from s2s_lit.tuning.search.warm_start import point_of_run

if TYPE_CHECKING:
    from jsonargparse import Namespace

FOLDER = Path("sweeps")
_RUN_ID = 32
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


@dataclass(frozen=True)
class Sweep:
    """One sweep.

    Attributes:
        name: Its file's name.
        what: The first line of its file.
        experiment: The experiment that it varies.
        dataset: What that is trained on.
        fixed: Settings of all trials: usually a reduced budget.
        space: What varies.
        objectives: What is sought; several give a Pareto front.
        trials: How many trials the study shall have.
        hours: No trial is begun later than this after the command.
        trial_hours: A trial whose processes have worked longer, all in all, is ended and has failed.
        sampler: Name and settings.
        pruner: Name and settings; None prunes nothing.
        seeds: Each trial is trained once with each of them; its values are the means.
        retries: How often a trial whose process dies is started again.
        enqueue: Points that are tried first.
        data_dir: Folder of the data's files.
        text: Of the file.
    """

    name: str
    what: str
    experiment: str
    dataset: str
    space: Space
    objectives: tuple[Objective, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    trials: int = 20
    hours: float | None = None
    trial_hours: float | None = None
    sampler: Mapping[str, Any] = field(default_factory=lambda: {"name": "tpe"})
    pruner: Mapping[str, Any] | None = None
    seeds: tuple[int, ...] = (1,)
    retries: int = 2
    enqueue: tuple[Mapping[str, Any], ...] = ()
    data_dir: str | None = None
    text: str = ""

    def overrides(self, point: Mapping[str, Any], seed: int) -> list[str]:
        """The command line's words that make the experiment that of a point."""
        folder = [] if self.data_dir is None else [f"--data.corpus.data_dir={self.data_dir}"]
        return [*folder, *words([*self.fixed.items(), *self.space.settings(point), ("seed", seed)])]

    def compose(self, point: Mapping[str, Any], seed: int) -> Namespace:
        """The configuration of a point.

        Raises:
            UserError: a setting does not exist or has no such value.
        """
        from s2s_lit.config.compose import compose  # and with it torch and Lightning

        try:
            return compose(self.experiment, self.dataset, self.overrides(point, seed))
        except UserError as error:
            place = f"in {FOLDER / self.name}.yaml"
            raise UserError(str(error).replace("on the command line", place)) from error

    def composed(self) -> str:
        """The whole configuration at one point, but for where the data's files lie."""
        from s2s_lit.config.compose import to_yaml

        return to_yaml(replace(self, data_dir=None).compose(self.space.probes()[0], self.seeds[0]))

    def check(self) -> None:
        """Composes points that use every bound, value and branch.

        Raises:
            UserError: the first of them that cannot be composed, a point to be enqueued that is none, or an objective
                that no validation gives.
        """
        from s2s_lit.config.build import score_names

        for point in self.space.probes():
            config = self.compose(point, self.seeds[0])
            if config.start_from and len(config.start_from) != _RUN_ID:
                raise UserError(
                    f"{FOLDER / self.name}.yaml: start_from={config.start_from} may be another run for each trial: "
                    f"give the whole id of one ({_RUN_ID} digits)"
                )
            require_scores(self.objectives, score_names(config), f"{FOLDER / self.name}.yaml")
        self.known_points()

    def known_points(self) -> list[dict[str, Any]]:
        """The points that are tried first; an earlier run's are taken from what it was.

        Raises:
            UserError: one is outside of the space, or a run is not there.
        """
        from s2s_lit.tracking.client.runs import find_run

        points = []
        for known in self.enqueue:
            try:
                if known.keys() == {"run"}:
                    points.append(point_of_run(self.space, find_run(str(known["run"]))))
                elif reason := self.space.refuse(known):
                    raise UserError(reason)
                else:
                    points.append(dict(known))
            except UserError as error:
                raise UserError(f"{FOLDER / self.name}.yaml: enqueue: {error}") from error
        return points

    @property
    def fingerprint(self) -> str:
        """Changes with whatever makes trials comparable: all but the budget, the sampler and what is enqueued.

        The files of the experiment, of the base and of the data are in it by what they give at one point.
        """
        stated = (self.experiment, self.dataset, dict(self.fixed), repr(self.space), repr(self.objectives), self.seeds)
        kept = (*stated, self.composed())
        return hashlib.blake2b(json.dumps(kept).encode(), digest_size=8).hexdigest()


def names() -> list[str]:
    """The sweeps that there are."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def read_sweep(name: str, trials: int | None = None, data_dir: str | None = None) -> Sweep:
    """The sweep of that name; not yet checked against the configuration.

    Args:
        name: Its file's, without folder and ending.
        trials: What the command says instead of the file.
        data_dir: The same.

    Raises:
        UserError: no such file, or it is none; with place and remedy.
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
    given["objectives"] = read_objectives(tree["objectives"], str(file))
    for key in ("sampler", "pruner"):
        if isinstance(given.get(key), str):
            given[key] = {"name": given[key]}
        if key in given and not isinstance(given[key].get("name"), str):
            raise UserError(f"{file}: {key} must be a name, or a mapping with `name` and its settings")
    given |= {key: tuple(given[key]) for key in ("seeds", "enqueue") if key in given}
    said = {"trials": trials, "data_dir": data_dir}
    given |= {"dataset": tree.get("dataset", "builtin"), **{k: v for k, v in said.items() if v is not None}}
    sweep = Sweep(name=name, what=what, text=text, **given)
    _require_sense(sweep, str(file))
    return sweep


def _require_keys(tree: dict[str, Any], file: str) -> None:
    for key, value in tree.items():
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS) or f"; there are: {', '.join(KEYS)}"
            raise UserError(f"unknown key {key} in {file}{hint}")
        if not isinstance(value, KEYS[key]) or isinstance(value, bool):  # type: ignore[arg-type]
            raise UserError(f"{file}: {key} is {value!r}, which is none of what it may be ({_said(KEYS[key])})")
    for key in ("experiment", "objectives", "space"):
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
    if sweep.retries < 0:
        raise UserError(f"{file}: retries must be at least 0, not {sweep.retries}")
    if sweep.pruner is not None and len(sweep.objectives) > 1:
        raise UserError(
            f"{file}: with several objectives no trial can be called worse on its way: leave out the pruner"
        )
