"""What is done once for a study, by exactly one of the supervisors that begin it: its run, its first points."""

from __future__ import annotations

import time
from collections.abc import Callable

from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study.attributes import PARENT

_CLAIM = "s2s:parent_claim"
_ENQUEUING = "s2s:enqueuing"


def sweep_run(ownership: Ownership, create: Callable[[], str]) -> str:
    """The MLflow run that stands for the study, created by exactly one of those who begin it."""
    study = ownership.study
    while (run := study.user_attrs.get(PARENT)) is None:
        if ownership.lead(_CLAIM):
            study.set_user_attr(PARENT, create())
        else:
            time.sleep(0.5)
    return str(run)


def enqueue(sweep: Sweep, ownership: Ownership) -> None:
    """Puts the points that the sweep's file names, and no trial has yet, into the queue; what they leave open is drawn.

    Whoever begins beside another one waits, so that no point is there twice, and all are before what is drawn.
    """
    points = sweep.known_points()
    while points:
        with ownership.alone(_ENQUEUING) as alone:
            if alone:
                for point in points:
                    ownership.study.enqueue_trial(point, skip_if_exists=True)
                return
        time.sleep(0.5)
