"""The private names of Optuna that the adapter uses; each is held by what the adapter does with it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from s2s_lit.tuning import optuna_adapter
from s2s_lit.tuning.study.storage import open_storage

ROOM = Path(optuna_adapter.__file__).parent


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    return optuna.create_study(study_name="s", storage=open_storage(f"sqlite:///{tmp_path}/sweeps.db"))


def test_the_adapter_is_for_optuna_5() -> None:
    assert version("optuna").split(".")[0] == "5", "read Optuna's changes, then name the new version here"


def test_a_trial_is_known_by_the_id_of_its_storage(study: optuna.Study) -> None:
    asked = study.ask()
    (frozen,) = study.trials
    assert optuna_adapter.trial_id(asked) == optuna_adapter.trial_id(frozen)
    assert optuna_adapter.trial_id(study.ask()) != optuna_adapter.trial_id(asked)


def test_an_attribute_of_any_trial_is_written_and_read(study: optuna.Study) -> None:
    study.ask()
    (frozen,) = study.trials
    optuna_adapter.set_attribute(study, frozen, "owner", "me")
    assert optuna_adapter.stored(study, frozen).user_attrs == {"owner": "me"}
    assert frozen.user_attrs == {}  # as it was when it was read


def test_a_running_trial_is_gone_on_with(study: optuna.Study) -> None:
    x = study.ask().suggest_float("x", 0, 1)
    again = optuna_adapter.go_on_with(study, study.trials[0])
    assert again.suggest_float("x", 0, 1) == x
    again.report(1.0, 1)
    study.tell(again, 2.0)
    assert (study.trials[0].intermediate_values, study.trials[0].value) == ({1: 1.0}, 2.0)


def test_a_trial_that_is_put_back_is_asked_for_again(study: optuna.Study) -> None:
    asked = study.ask()
    optuna_adapter.put_back(study, asked)
    assert study.trials[0].state == TrialState.WAITING
    assert study.ask().number == asked.number


def test_no_other_file_reaches_into_optuna() -> None:
    for file in ROOM.rglob("*.py"):
        if file.name != "optuna_adapter.py":
            text = file.read_text(encoding="utf-8")
            found = [name for name in ("._storage", "._trial_id", "._study_id") if name in text]
            assert not found, f"{file} uses {found}"
