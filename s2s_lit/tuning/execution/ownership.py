"""Who is responsible for a running trial, whatever the storage.

Each supervisor enters itself in the study with a counter that it raises every few seconds. Whether another one lives is
known at once on this machine (by its process) and elsewhere, or in another container, by watching whether its counter
still moves: by our own clock, so that clocks that disagree harm nobody. A trial of a dead one may be taken by exactly
one: claimants write their name over the dead one's and wait until every claim has arrived; whoever's name stands there
then has it (Fischer's algorithm; Lamport 1987). No lock is held while that goes on, so none can be left behind.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from s2s_lit.tracking.process_identity import identity, process_alive
from s2s_lit.tuning.optuna_adapter import AnyTrial, put_back, set_attribute, stored

OWNER = "s2s:owner"
"""The trial's attribute that names its supervisor."""
SUPERVISOR = "s2s:supervisor:"
"""Beginning of the study's attributes in which the supervisors are entered."""

_LOOK_S = 5.0

T = TypeVar("T")


class Ownership:
    """One supervisor's place in a study.

    Args:
        study: The study.
        beat_s: Seconds between two beats.
        grace_s: After so long without one another machine's supervisor counts as dead.
        settle_s: How long a claim waits for others to be written; longer than any write takes.
        unowned_s: After so long without an owner a running trial counts as abandoned.
    """

    def __init__(
        self,
        study: Study,
        *,
        beat_s: float = 15.0,
        grace_s: float = 120.0,
        settle_s: float = 2.0,
        unowned_s: float = 30.0,
    ) -> None:
        self.study = study
        self.name = uuid.uuid4().hex[:12]
        self.beat_s = beat_s
        self._grace_s = grace_s
        self._settle_s = settle_s
        self._unowned_s = unowned_s
        self._record = {**identity(), "beat": 0}
        self._seen: dict[str, tuple[Any, float, bool]] = {}  # what was seen, since when, and whether it has moved
        self._undecided = False
        self._next_beat = 0.0

    def due(self) -> bool:
        """Whether it is time to beat and to look at the others."""
        return time.monotonic() >= self._next_beat

    def beat(self) -> None:
        """Says that this supervisor lives."""
        self._record["beat"] += 1
        self.study.set_user_attr(SUPERVISOR + self.name, self._record)
        self._next_beat = time.monotonic() + self.beat_s

    def leave(self) -> None:
        """Says that it has ended, so that nobody needs to wait."""
        self.study.set_user_attr(SUPERVISOR + self.name, {**self._record, "ended": True})

    def owns(self, trial: AnyTrial) -> bool:
        """Whether a trial is still this supervisor's."""
        now = stored(self.study, trial)
        return now.state == TrialState.RUNNING and now.user_attrs.get(OWNER) == self.name

    def take(self, trial: AnyTrial) -> None:
        """Enters this supervisor as the owner of a trial that nobody else can have."""
        set_attribute(self.study, trial, OWNER, self.name)

    def release(self, trial: AnyTrial) -> None:
        """Gives a trial of this supervisor back to the queue of the study."""
        set_attribute(self.study, trial, OWNER, None)
        put_back(self.study, trial)

    def running(self) -> list[FrozenTrial]:
        """This supervisor's running trials."""
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [trial for trial in running if trial.user_attrs.get(OWNER) == self.name]

    def forget(self) -> None:
        """Watches the others anew: while the storage was away none of them could beat."""
        self._seen.clear()

    def abandoned(self) -> list[FrozenTrial]:
        """Running trials whose supervisor is dead or never entered itself."""
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        supervisors = self.study.user_attrs
        return [trial for trial in running if self._abandoned(trial, supervisors)]

    def others(self) -> list[str]:
        """The supervisors that live besides this one."""
        names = (key.removeprefix(SUPERVISOR) for key in self.study.user_attrs if key.startswith(SUPERVISOR))
        return [name for name in names if name != self.name and not self._dead(name, self.study.user_attrs)]

    def beside(self) -> list[str]:
        """Those of them that are on this machine."""
        known, host = self.study.user_attrs, self._record["host"]
        return [name for name in self.others() if known[SUPERVISOR + name]["host"] == host]

    def decided(self, look: Callable[[], T], tell: Callable[[float], object]) -> T:
        """What a look finds once it is known of everyone in it whether he lives.

        Args:
            look: `abandoned` or `others`.
            tell: If somebody has to be watched for that, told for how many seconds at most.
        """
        told = False
        while True:
            self._undecided = False
            found = look()
            if not self._undecided:
                return found
            if not told:
                tell(self._grace_s)
            told = True
            time.sleep(_LOOK_S)

    def claim(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Takes what is abandoned; of several that claim one trial, the last to write gets it."""
        claimed = []
        for trial in trials:
            now = stored(self.study, trial)
            if now.state == TrialState.RUNNING and now.user_attrs.get(OWNER) == trial.user_attrs.get(OWNER):
                self.take(trial)
                claimed.append(trial)
        if claimed:
            time.sleep(self._settle_s)
        return [trial for trial in claimed if self.owns(trial)]

    def lead(self, key: str) -> bool:
        """Whether this supervisor is the one to do what is to be done once for the study, which `key` stands for."""
        claimant = self.study.user_attrs.get(key)
        if claimant is None or (claimant != self.name and self._dead(claimant, self.study.user_attrs)):
            self.study.set_user_attr(key, self.name)
            time.sleep(self._settle_s)
        return bool(self.study.user_attrs.get(key) == self.name)

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[bool]:
        """Whether this supervisor alone is within; whoever is not may try again later."""
        leads = self.lead(key)
        try:
            yield leads
        finally:
            if leads:
                self.study.set_user_attr(key, None)

    def _abandoned(self, trial: FrozenTrial, supervisors: dict[str, Any]) -> bool:
        owner = trial.user_attrs.get(OWNER)
        if owner is None:  # asked for a moment ago, or by one that was killed in that moment
            return self._still(f"trial {trial.number}", None, self._unowned_s)
        return owner != self.name and self._dead(owner, supervisors)

    def _dead(self, name: str, supervisors: dict[str, Any]) -> bool:
        record = supervisors.get(SUPERVISOR + name)
        if record is None or record.get("ended"):
            return True
        alive = process_alive(record)
        return self._still(name, record["beat"], self._grace_s) if alive is None else not alive

    def _still(self, what: str, value: Any, patience_s: float) -> bool:
        """Whether a value has not changed for so long, as far as was seen from here."""
        now = time.monotonic()
        seen, since, moved = self._seen.get(what, (value, now, False))
        if seen != value:
            since, moved = now, True
        self._seen[what] = value, since, moved
        still = now - since > patience_s
        self._undecided |= not still and not moved
        return still
