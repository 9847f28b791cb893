"""Which runs a comparison takes, and which it refuses."""

from __future__ import annotations

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.compare import find_systems
from support.compared import predict, references, write_run

TEXTS = references(6)


def test_an_experiment_is_its_seeds_and_a_run_is_itself(store: MlflowClient) -> None:
    old = write_run("lstm", predict(TEXTS, 0.3, 0), seed=3, lr=0.1)
    second, first = (write_run("lstm", predict(TEXTS, 0.3, seed), seed=seed, lr=0.2) for seed in (10, 2))
    write_run("lstm", [], seed=4, lr=0.2, kind="trial")
    again = write_run("lstm", predict(TEXTS, 0.3, 2), seed=2, lr=0.2)
    group, single = find_systems(["lstm", old[:8]], "test")
    assert [run.run_id for run in group.runs] == [again, second]
    assert (group.name, group.left_out) == ("lstm", 2)  # another lr, and seed 2 again
    assert [run.run_id for run in single.runs] == [old]
    assert single.predictions[0][3].reference == TEXTS[3]
    assert first not in (again, second)
    assert find_systems([second], "test")[0].configuration == group.configuration != single.configuration


def test_predictions_of_an_evaluation_count_and_can_be_meant_themselves(store: MlflowClient) -> None:
    run = write_run("lstm", predict(TEXTS, 0.3, 1))
    other = write_run("gru", predict(TEXTS, 0.2, 1))
    with pytest.raises(UserError, match=rf"make evaluate RUN={run[:8]} SPLIT=test_long\n?"):
        find_systems(["lstm"], "test_long")
    ids = [
        write_run("lstm", predict(TEXTS, damage, 1), split="test_long", kind="evaluate", parent=run)
        for damage in (0.9, 0.1)
    ]
    newest, oldest = find_systems(["lstm", ids[0]], "test_long")
    assert newest.runs[0].run_id == run
    assert oldest.runs[0].run_id == ids[0]
    for system, damage in ((newest, 0.1), (oldest, 0.9)):
        texts = [prediction.hypothesis for prediction in system.predictions[0]]
        assert texts == [prediction.hypothesis for prediction in predict(TEXTS, damage, 1)]
    with pytest.raises(UserError, match=f"{other[:8]}"):
        find_systems(["lstm", "gru"], "test_long")


def test_other_test_sets_are_refused(store: MlflowClient) -> None:
    write_run("lstm", predict(TEXTS, 0.3, 1))
    write_run("gru", predict(TEXTS[:-1], 0.3, 1))
    write_run("rnn", predict([*TEXTS[:3], "other", *TEXTS[4:]], 0.3, 1), dataset="multi30k")
    with pytest.raises(UserError, match="6 and 5 sentences"):
        find_systems(["lstm", "gru"], "test")
    with pytest.raises(UserError, match=r"rnn.*multi30k.*line 4 differs"):
        find_systems(["lstm", "rnn"], "test")
    with pytest.raises(UserError, match="RUN=nosuch"):
        find_systems(["nosuch"], "test")
