"""Which runs a comparison takes, and which it refuses."""

from __future__ import annotations

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.comparison.selection import find_systems, read_predictions
from s2s_lit.comparison.systems import differences
from s2s_lit.errors import UserError
from support.compared import predict, references, write_run

TEXTS = references(6)


def test_an_experiment_is_its_seeds_and_a_run_is_itself(store: MlflowClient) -> None:
    old = write_run("lstm", predict(TEXTS, 0.3, 0), seed=3, lr=0.1)
    second, first = (write_run("lstm", predict(TEXTS, 0.3, seed), seed=seed, lr=0.2) for seed in (10, 2))
    write_run("lstm", [], seed=4, lr=0.2, kind="trial")
    again = write_run("lstm", predict(TEXTS, 0.3, 2), seed=2, lr=0.2)
    group, single = find_systems(["lstm", old[:8]], "test")
    assert [run.run_id for run in group.runs] == [again, second]
    assert group.name == "lstm"
    assert [str(other) for other in group.left_out] == [
        f"{first[:8]} (seed 2 again, older)",
        f"{old[:8]} (lr 0.2 → 0.1)",
    ]
    assert [run.run_id for run in single.runs] == [old]
    assert single.predictions[0][3].reference == TEXTS[3]


def test_the_configuration_with_the_most_seeds_stands_for_an_experiment(store: MlflowClient) -> None:
    seeds = [write_run("lstm", predict(TEXTS, 0.3, seed), seed=seed, code=(f"{seed}" * 40, False)) for seed in (1, 2)]
    tried = write_run("lstm", predict(TEXTS, 0.3, 1), trainer={"max_steps": 20})
    (system,) = find_systems(["lstm"], "test")
    assert [run.run_id for run in system.runs] == seeds  # newer commits do not split seeds
    assert [str(other) for other in system.left_out] == [f"{tried[:8]} (trainer.max_steps - → 20)"]
    write_run("lstm", predict(TEXTS, 0.3, 2), seed=2, trainer={"max_steps": 20})
    (system,) = find_systems(["lstm"], "test")  # as many: the newest
    assert (system.runs[0].run_id, len(system.runs), len(system.left_out)) == (tried, 2, 2)


def test_what_a_resumed_training_changed_counts(store: MlflowClient) -> None:
    same, other = (
        write_run("lstm", predict(TEXTS, 0.3, seed), seed=seed, data={"seed": seed}, lr=1) for seed in (1, 2)
    )
    (system,) = find_systems(["lstm"], "test")
    assert len(system.runs) == 2
    store.set_tag(other, "s2s.drift", '{"model.init_args.decoder.class_path": ["None", "X"]}')
    first, second = (system.runs[0] for system in find_systems([same, other], "test"))
    assert differences(first, second) == {"model.decoder": (None, "X")}
    store.set_tag(other, "s2s.drift", '{"lr": ["1", "cut…')
    assert find_systems(["lstm"], "test")[0].left_out


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


def test_evaluations_with_other_settings_do_not_stand_for_a_run(store: MlflowClient) -> None:
    settings = {"task": {"search": {"init_args": {"beam_size": 5}}}}
    run = write_run("lstm", predict(TEXTS, 0.3, 1), **settings)
    below = {"split": "test_long", "kind": "evaluate", "parent": run}
    greedy = {"task": {"search": {"init_args": {"beam_size": 1}}}}
    other = write_run("lstm", predict(TEXTS, 0.9, 1), **below, **greedy)
    with pytest.raises(UserError, match=rf"own ids:\n  {other[:8]} \(task.search.beam_size 5 → 1\)"):
        find_systems(["lstm"], "test_long")
    here = {"data": {"seed": 1, "corpus": {"data_dir": "/here"}}}
    own = write_run("lstm", predict(TEXTS, 0.1, 1), **below, **settings, **here)
    write_run("lstm", predict(TEXTS, 0.9, 1), **below, **greedy)
    itself, meant = find_systems([run, other], "test_long")
    for system, evaluation in ((itself, own), (meant, other)):
        kept = read_predictions(evaluation, "test_long")
        assert [p.hypothesis for p in system.predictions[0]] == [p.hypothesis for p in kept]
        assert system.networks == {run}


def test_other_test_sets_are_refused(store: MlflowClient) -> None:
    write_run("lstm", predict(TEXTS, 0.3, 1))
    write_run("gru", predict(TEXTS[:-1], 0.3, 1))
    write_run("rnn", predict([*TEXTS[:3], "other", *TEXTS[4:]], 0.3, 1), dataset="multi30k")
    with pytest.raises(UserError, match="6 and 5 examples"):
        find_systems(["lstm", "gru"], "test")
    with pytest.raises(UserError, match=r"rnn.*multi30k.*line 4 differs"):
        find_systems(["lstm", "rnn"], "test")
    with pytest.raises(UserError, match="RUN=nosuch"):
        find_systems(["nosuch"], "test")


def test_runs_of_different_tasks_are_refused(store: MlflowClient) -> None:
    first, other = (write_run("lstm", predict(TEXTS, 0.3, seed)) for seed in (1, 2))
    store.set_tag(other, "s2s.task", "reading")
    with pytest.raises(UserError, match=r"the task 'translation' and .* the task 'reading', so .* cannot be compared"):
        find_systems([first, other], "test")
