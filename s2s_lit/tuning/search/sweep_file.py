"""A sweep: what is varied, within which space, for which objective and how long."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s_lit.errors import UserError
from s2s_lit.tuning.search.objectives import Objective, require_scores
from s2s_lit.tuning.search.space import Settings, Space, words
from s2s_lit.tuning.search.warm_start import point_of_run

if TYPE_CHECKING:
    from jsonargparse import Namespace

FOLDER = Path("sweeps")
MONITOR = "monitor"
"""The key of the configuration by which the best checkpoint is kept."""
_RUN_ID = 32


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

    @property
    def file(self) -> Path:
        """Where it is stated."""
        return FOLDER / f"{self.name}.yaml"

    def overrides(self, point: Mapping[str, Any], seed: int) -> list[str]:
        """The command line's words that make the experiment that of a point.

        The best checkpoint of a trial is the best in what the sweep seeks first: its score is what the study is told.
        """
        return self._words([*self.space.settings(point), ("seed", seed)])

    def _words(self, settings: Settings) -> list[str]:
        folder = [] if self.data_dir is None else [f"--data.corpus.data_dir={self.data_dir}"]
        return [*folder, *words([(MONITOR, self.objectives[0].name), *self.fixed.items(), *settings])]

    def compose(self, point: Mapping[str, Any], seed: int) -> Namespace:
        """The configuration of a point.

        Raises:
            UserError: A setting does not exist or has no such value.
        """
        return self._composed(self.overrides(point, seed))

    def _composed(self, overrides: list[str]) -> Namespace:
        from s2s_lit.config.compose import compose  # and with it torch and Lightning

        try:
            return compose(self.experiment, self.dataset, overrides)
        except UserError as error:
            raise UserError(str(error).replace("on the command line", f"in {self.file}")) from error

    def composed(self) -> str:
        """The whole configuration of what does not vary, but for where the data's files lie."""
        from s2s_lit.config.compose import to_yaml

        anywhere = replace(self, data_dir=None)
        try:
            return to_yaml(anywhere._composed(anywhere._words([("seed", self.seeds[0])])))
        except UserError:  # what is fixed needs a part that only a point names
            return to_yaml(anywhere.compose(self.space.probes()[0], self.seeds[0]))

    def objection(self, point: Mapping[str, Any]) -> str:
        """Why no trial of a point can be trained; empty if one can: its parts are made, with small vocabularies."""
        from s2s_lit.tuning.search.feasibility import objection

        if reason := self.space.refuse(point):
            return reason
        try:
            return objection(self.compose(point, self.seeds[0]))
        except UserError as error:
            return str(error)

    def check(self) -> None:
        """Composes and builds points that use every bound, value and branch.

        Raises:
            UserError: The first of them that cannot be composed, a bound at which nothing can be trained, a point to be
                enqueued that is outside of the space, or an objective that no validation gives.
        """
        from s2s_lit.config.build import score_names
        from s2s_lit.tuning.search.feasibility import objection, require_bounds

        reasons = []
        for point in self.space.probes():
            config = self.compose(point, self.seeds[0])
            if config.start_from and len(config.start_from) != _RUN_ID:
                raise UserError(
                    f"{self.file}: start_from={config.start_from} may be another run for each trial: "
                    f"give the whole id of one ({_RUN_ID} digits)"
                )
            require_scores(self.objectives, score_names(config), str(self.file))
            reasons.append(objection(config))
        try:
            require_bounds(self.space, reasons, self.objection)
        except UserError as error:
            raise UserError(f"{self.file}: {error}") from error
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
                raise UserError(f"{self.file}: enqueue: {error}") from error
        return points

    def continuing(self, begun: Mapping[str, Any]) -> Sweep:
        """This sweep in a study whose space was described so when it was begun.

        Raises:
            UserError: The space has changed in more than what it allows.
        """
        return replace(self, space=self.space.continuing(begun))

    @property
    def fingerprint(self) -> str:
        """Changes with whatever makes trials comparable, but for the space, which may be mended (`continuing`).

        The budget, the sampler and the points that are tried first are not in it. The files of the experiment, of the
        base and of the data are in it by what they give.
        """
        kept = (self.experiment, self.dataset, dict(self.fixed), repr(self.objectives), self.seeds, self.composed())
        return hashlib.blake2b(json.dumps(kept).encode(), digest_size=8).hexdigest()
