"""Laws of conditional spaces: what a branch has exists in its points only, and every point has all that it needs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.errors import UserError
from s2s_lit.tuning.optuna_adapter import go_on_with
from s2s_lit.tuning.search.space import Branching, Choice, Number, Space, words
from s2s_lit.tuning.search.space_reader import read_space

scalars = st.one_of(st.booleans(), st.none(), st.integers(-5, 5), st.sampled_from(["LSTM", "GRU"]))


def numbers(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    one = st.integers(1, 50) if kind == "int" else st.floats(0.001, 50)
    bounds = st.tuples(one, one).filter(lambda pair: pair[0] < pair[1])
    return st.builds(lambda pair, log: {kind: list(pair), "log": log}, bounds, st.booleans())


def spaces(depth: int, prefix: str = "b") -> st.SearchStrategy[dict[str, Any]]:
    """Spaces as they stand in YAML, branches within branches up to a depth; one parameter at a time sets a path."""
    names, others = (st.sampled_from([f"{part}{depth}.key{i}" for i in range(6)]) for part in ("part", "other"))
    choice = st.builds(lambda v: {"choice": v}, st.lists(scalars, min_size=1, max_size=3, unique_by=repr))
    plain = st.dictionaries(names, st.one_of(numbers("float"), numbers("int"), choice), min_size=1, max_size=3)
    if not depth:
        return plain
    fixed = st.dictionaries(others, scalars, max_size=2)
    own = [
        st.fixed_dictionaries({"set": fixed}, optional={"space": spaces(depth - 1, f"{prefix}{i}")}) for i in range(2)
    ]
    branching = st.tuples(*own).map(lambda two: {"branches": {f"{prefix}{i}": branch for i, branch in enumerate(two)}})
    return st.tuples(plain, branching).map(lambda both: {**both[0], f"which {prefix}": both[1]})


drawn_spaces = spaces(2).map(lambda tree: read_space(tree, "space"))


def draw_point(space: Space, seed: int) -> dict[str, Any]:
    return space.suggest(optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask())


def chosen(space: Space, point: dict[str, Any]) -> set[str]:
    """The parameters that the choices of a point leave, by going down the tree by hand."""
    found: set[str] = set()
    for parameter in space.parameters:
        found.add(parameter.name)
        if isinstance(parameter, Branching):
            found |= chosen(parameter.branches[point[parameter.name]].space, point)
    return found


@settings(max_examples=60, deadline=None)
@given(space=drawn_spaces, seed=st.integers(0, 10))
def test_a_point_has_the_parameters_of_its_branches_and_no_others(space: Space, seed: int) -> None:
    point = draw_point(space, seed)
    assert set(point) == chosen(space, point) == set(space.names(point))
    assert space.refuse(point) == ""


@settings(max_examples=60, deadline=None)
@given(space=drawn_spaces, seed=st.integers(0, 10))
def test_a_point_sets_what_its_branches_set_and_nothing_else(space: Space, seed: int) -> None:
    point = draw_point(space, seed)
    expected = [
        (path, point[p.name]) for p in space.every() if p.name in point for path in p.paths if "which" not in path
    ]
    for parameter in space.every():
        if isinstance(parameter, Branching) and parameter.name in point:
            expected += parameter.branches[point[parameter.name]].fixed.items()
    assert sorted(space.settings(point), key=repr) == sorted(expected, key=repr)


@settings(max_examples=60, deadline=None)
@given(space=drawn_spaces)
def test_probes_reach_every_bound_value_and_branch(space: Space) -> None:
    probes = space.probes()
    assert all(set(probe) == chosen(space, probe) and space.refuse(probe) == "" for probe in probes)
    for parameter in space.every():
        reached = {repr(probe[parameter.name]) for probe in probes if parameter.name in probe}
        if isinstance(parameter, Number):
            assert {repr(parameter.low), repr(parameter.high)} <= reached
        elif isinstance(parameter, Choice):
            assert {repr(value) for value in parameter.values} == reached
        elif isinstance(parameter, Branching):
            assert {repr(name) for name in parameter.branches} == reached


def test_a_trial_that_is_taken_over_keeps_what_was_drawn() -> None:
    space = read_space({"a": {"float": [0.0, 1.0]}, "b": {"int": [1, 9]}}, "space")
    study = optuna.create_study()
    trial = study.ask()
    first = trial.suggest_float("a", 0.0, 1.0)  # and then its supervisor was killed
    point = space.suggest(go_on_with(study, study.trials[trial.number]))
    assert point["a"] == first
    assert 1 <= point["b"] <= 9


def test_a_part_comes_before_its_settings() -> None:
    branches = {"cosine": {"set": {"task.schedule": "CosineSchedule"}, "space": {"task.schedule.x": {"int": [1, 2]}}}}
    space = read_space({"schedule": {"branches": branches}}, "space")
    point = {"schedule": "cosine", "cosine/task.schedule.x": 2}
    assert space.settings(point) == [("task.schedule", "CosineSchedule"), ("task.schedule.x", 2)]
    assert words(space.settings(point)) == ["--task.schedule=CosineSchedule", "--task.schedule.x=2"]


@pytest.mark.parametrize(
    ("value", "word"), [(None, "null"), (True, "true"), (1e-05, "1e-05"), ("LSTM", "LSTM"), ([1], "[1]")]
)
def test_words(value: Any, word: str) -> None:
    assert words([("a.b", value)]) == [f"--a.b={word}"]


TWICE = {"branches": {"a": {"space": {"k": {"int": [1, 2]}}}}}
LR, SET = {"float": [0, 1], "paths": ["lr"]}, {"branches": {"a": {"set": {"lr": 1}}, "b": {}}}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"x": {"flaot": [0, 1]}}, "space.x must have one of float, int, choice, branches"),
        ({"x": {"float": [1, 0]}}, "lowest < highest"),
        ({"x": {"float": [0, 1], "log": True}}, "above zero if log"),
        ({"x": {"int": [0.5, 1]}}, "space.x.int must be [lowest, highest]"),
        ({"x": {"float": [0.1, 1], "stepp": 1}}, "space.x has 'stepp'"),
        ({"x": {"float": [0.1, 1], "paths": "a"}}, "space.x.paths must be a list"),
        ({"x": {"choice": []}}, "space.x.choice must be a list"),
        ({"x": {"choice": [{"a": 1}]}}, "use branches for more"),
        ({"x": {"branches": {"a": {"sapce": {}}}}}, "space.x.branches.a may have"),
        ({"x": {"branches": {}}}, "space.x.branches must be a mapping"),
        ({}, "space must be a mapping"),
        ({"x": TWICE, "y": TWICE}, "two parameters that are called a/k"),
        ({"x": LR, "lr": {"float": [0, 1]}}, "space: x and lr both set lr"),
        ({"x": SET, "lr": {"float": [0, 1]}}, "space: x.branches.a.set and lr both set lr"),
        ({"x": {"branches": {"a": {"space": {"y": LR}}}}, "z": LR}, "space: a/y and z both set lr"),
        ({"x": {"branches": {"a": {"space": {"y": LR, "z": LR}}}}}, "space.x.branches.a.space: a/y and a/z both set"),
    ],
)
def test_what_is_no_space_is_refused_with_its_place(tree: Any, said: str) -> None:
    with pytest.raises(UserError) as error:
        read_space(tree, "space")
    assert said in str(error.value)


def test_branches_may_set_the_same_and_a_branch_refine_what_it_sets() -> None:
    branches = {"a": {"set": {"lr": 1}, "space": {"lr": {"float": [0, 1]}}}, "b": {"space": {"y": LR}}}
    (parameter,) = read_space({"x": {"branches": branches}}, "space").parameters
    assert parameter.setters().keys() == {"lr"}


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"size": 3}, "not an integer between 1 and 2"),
        ({"size": 1.5}, "not an integer"),
        ({"kind": "c"}, "not among the branches a, b"),
        ({"kind": "b", "a/x": 0.5}, "a/x is no parameter here; there are: size, kind"),
        ({"kind": "a", "a/x": 2.0}, "not a number between"),
    ],
)
def test_points_outside_are_refused(point: dict[str, Any], said: str) -> None:
    branches = {"a": {"space": {"x": {"float": [0.0, 1.0]}}}, "b": {}}
    space = read_space({"size": {"int": [1, 2]}, "kind": {"branches": branches}}, "space")
    assert said in space.refuse(point)


MENDABLE = {
    "rate": {"float": [0.1, 0.9]},
    "heads": {"choice": [2, 3, 4], "paths": ["model.decoder.attention.heads"]},
    "kind": {"branches": {"a": {"set": {"p": 1}, "space": {"q": {"int": [1, 9]}}}, "b": {}}},
}


def mended(change: Callable[[dict[str, Any]], object]) -> Space:
    """The space after a change, in a study that was begun with the one before; what a study keeps is JSON."""
    tree = copy.deepcopy(MENDABLE)
    change(tree)
    begun = json.loads(json.dumps(read_space(MENDABLE, "space").described()))
    return read_space(tree, "space").continuing(begun)


def test_bounds_may_change_and_values_be_left_out_while_a_study_goes_on() -> None:
    study = optuna.create_study()
    for heads, kind in ((2, "a"), (3, "b"), (4, "b")):
        study.enqueue_trial({"heads": heads, "kind": kind})
        read_space(MENDABLE, "space").suggest(study.ask())

    def change(tree: dict[str, Any]) -> None:
        tree["rate"]["float"] = [0.2, 0.3]
        tree["heads"]["choice"] = [4]
        tree["kind"]["branches"].pop("b")

    space = mended(change)
    reasons = set()
    for _ in range(40):  # Optuna draws what the study began with
        point = space.suggest(study.ask())
        assert 0.2 <= point["rate"] <= 0.3
        reason = space.refuse(point)
        assert (reason == "") == (point["heads"] == 4 and point["kind"] == "a")
        reasons.add(reason.partition(":")[0])
    assert reasons == {"", "heads", "kind"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree["heads"]["choice"].append(5), "heads has the new value 5"),
        (lambda tree: tree["heads"].update(paths=["other"]), "heads is another parameter"),
        (lambda tree: tree["rate"].update(log=True), "rate is another parameter"),
        (lambda tree: tree["kind"]["branches"].update(c={}), "kind has the new branch c"),
        (lambda tree: tree["kind"]["branches"]["a"].update(set={"p": 2}), r"kind\.branches\.a sets something else"),
        (lambda tree: tree["kind"]["branches"]["a"]["space"].pop("q"), "a/q is missing"),
        (lambda tree: tree.update(more={"int": [1, 2]}), "more is new"),
    ],
)
def test_what_would_change_the_meaning_of_earlier_trials_is_refused(
    change: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        mended(change)
