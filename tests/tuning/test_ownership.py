"""A trial has one supervisor: the living keep theirs, the dead lose them, and of several heirs one gets them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from s2s_lit.tuning.execution import ownership as module
from s2s_lit.tuning.execution.ownership import OWNER, SUPERVISOR, Ownership
from s2s_lit.tuning.study.storage import open_storage


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def study(tmp_path: Path) -> Iterator[optuna.Study]:
    storage = open_storage(f"sqlite:///{tmp_path}/sweeps.db")
    yield optuna.create_study(study_name="s", storage=storage)
    storage.engine.dispose()  # type: ignore[attr-defined]


def running_trial(ownership: Ownership) -> optuna.Trial:
    trial = ownership.study.ask()
    ownership.take(trial)
    return trial


def elsewhere(study: optuna.Study, owner: Ownership) -> None:
    """As if the supervisor were on another machine."""
    record = study.user_attrs[SUPERVISOR + owner.name]
    study.set_user_attr(SUPERVISOR + owner.name, {**record, "host": "elsewhere", "pid": 1, "started": 0.0})


def test_what_lives_here_is_not_abandoned(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study)
    first.beat()
    running_trial(first)
    clock.sleep(1e6)
    assert not second.abandoned()
    assert second.others() == second.beside() == [first.name]
    elsewhere(study, first)
    assert second.others() == [first.name]
    assert second.beside() == []


def test_a_process_that_is_gone_is_dead_at_once(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study)
    first.beat()
    trial = running_trial(first)
    record = study.user_attrs[SUPERVISOR + first.name]
    study.set_user_attr(
        SUPERVISOR + first.name, {**record, "started": record["started"] - 100}
    )  # its number was given again
    assert [t.number for t in second.abandoned()] == [trial.number]
    assert second.others() == []


def test_another_machine_is_dead_when_its_counter_stands_still(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study, grace_s=60)
    first.beat()
    trial = running_trial(first)
    elsewhere(study, first)
    assert not second.abandoned()
    clock.sleep(50)
    first.beat()
    elsewhere(study, first)
    assert not second.abandoned()  # it has moved
    clock.sleep(50)
    assert not second.abandoned()
    clock.sleep(20)
    assert [t.number for t in second.abandoned()] == [trial.number]
    first.beat()
    elsewhere(study, first)
    assert not second.abandoned()  # it was only slow


def test_nobody_is_dead_because_the_storage_was_away(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study)
    first.beat()
    trial = running_trial(first)
    elsewhere(study, first)
    assert not second.abandoned()
    clock.sleep(500)
    second.forget()
    assert not second.abandoned()
    assert [t.number for t in first.running()] == [trial.number]
    assert not second.running()


def test_a_look_waits_until_it_is_known_of_everyone(study: optuna.Study, clock: Clock) -> None:
    first, second, third = (Ownership(study, grace_s=60) for _ in range(3))
    first.beat()
    trial = running_trial(first)
    elsewhere(study, first)
    told: list[float] = []
    began = clock.now
    assert [t.number for t in second.decided(second.abandoned, told.append)] == [trial.number]
    assert told == [60]
    assert 60 < clock.now - began < 70
    assert second.decided(second.others, told.append) == []  # it is known by now

    def beats(seconds: float) -> None:
        first.beat()
        elsewhere(study, first)

    began = clock.now
    assert third.decided(third.abandoned, beats) == []
    assert clock.now - began < 10
    assert third.decided(third.others, told.append) == [first.name]


def test_whoever_left_needs_no_waiting(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study)
    first.beat()
    running_trial(first)
    elsewhere(study, first)
    first.leave()
    assert len(second.abandoned()) == 1


def test_a_trial_that_nobody_entered_waits_a_little(study: optuna.Study, clock: Clock) -> None:
    ownership = Ownership(study, unowned_s=30)
    study.ask()
    assert not ownership.abandoned()
    clock.sleep(31)
    assert len(ownership.abandoned()) == 1


def test_one_of_many_gets_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sweeps.db"
    dead = Ownership(optuna.create_study(study_name="s", storage=open_storage(url)))
    for _ in range(5):
        running_trial(dead)  # it never entered itself
    heirs = [Ownership(optuna.load_study(study_name="s", storage=open_storage(url)), settle_s=1.0) for _ in range(4)]
    gate, got = threading.Barrier(len(heirs)), {}

    def claim(heir: Ownership) -> None:
        trials = heir.abandoned()
        gate.wait()
        got[heir.name] = [trial.number for trial in heir.claim(trials)]

    threads = [threading.Thread(target=claim, args=[heir]) for heir in heirs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for numbers in got.values() for number in numbers) == [0, 1, 2, 3, 4]


def test_a_claim_comes_too_late_for_what_is_taken_or_ended(study: optuna.Study, clock: Clock) -> None:
    dead, first, second = Ownership(study), Ownership(study), Ownership(study)
    first.beat()
    trials = [running_trial(dead), running_trial(dead)]
    seen = second.abandoned()
    assert len(seen) == 2
    assert first.claim(first.abandoned()[:1])
    study.tell(trials[1], 1.0)
    assert second.claim(seen) == []
    assert first.owns(trials[0])


def test_what_is_given_back_is_asked_for_again(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study)
    trial = running_trial(first)
    x = trial.suggest_float("x", 0, 1)
    first.release(trial)
    assert not second.abandoned()
    again = study.ask()
    assert again.number == trial.number
    assert again.suggest_float("x", 0, 1) == x
    assert study.trials[0].user_attrs[OWNER] is None


def test_one_leads(study: optuna.Study, clock: Clock) -> None:
    first, second = Ownership(study), Ownership(study)
    first.beat()
    assert first.lead("parent")
    assert not second.lead("parent")
    first.leave()
    assert second.lead("parent")
