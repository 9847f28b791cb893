"""Tells the supervisor how a training goes, and ends it on all processes together when it is pruned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lightning.pytorch import Callback, LightningModule, Trainer

from s2s_lit.errors import UserError
from s2s_lit.training.best_checkpoint import BestCheckpoint
from s2s_lit.tuning.search.objectives import WHOLE, Objective, Pruned


class Reporter(Callback):
    """Reports the first objective at each validation.

    Trainings of different lengths are comparable only at equal shares, so a report's place is the share of the
    optimizer steps that were taken, in thousandths; validations within an epoch count as well.

    Args:
        objectives: The scores that are sought; the first is reported.
        report: Told the place and the value; its answer is whether to prune. Called on the first process only.
    """

    def __init__(self, *, objectives: Sequence[Objective], report: Callable[[int, float], bool]) -> None:
        self._objectives = objectives
        self._report = report
        self._best: BestCheckpoint | None = None

    @property
    def values(self) -> dict[str, float]:
        """What the checkpoint that is kept scored, for each objective."""
        kept = {} if self._best is None else self._best.kept
        return {objective.name: kept[objective.name] for objective in self._objectives}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        best = trainer.checkpoint_callback
        assert isinstance(best, BestCheckpoint)
        self._best = best

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking:
            return
        scores = trainer.callback_metrics
        missing = [objective.name for objective in self._objectives if objective.name not in scores]
        if missing:
            there = ", ".join(sorted(name for name in scores if name.startswith("val/")))
            raise UserError(f"objective {missing[0]} is no score of a validation; there are: {there}")
        total = int(trainer.estimated_stepping_batches)
        place = round(WHOLE * trainer.global_step / total)
        prune = False
        if trainer.is_global_zero:
            prune = self._report(place, float(scores[self._objectives[0].name]))
        prune = bool(trainer.strategy.broadcast(prune))  # the first process alone knows, and all stop at one place
        if prune and trainer.global_step < total:
            raise Pruned(f"pruned after {place / 10:.0f} % of the training")
