"""Every experiment file is sound and says what it is, and every part of the shelf is in at least one."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from jsonargparse import Namespace

from s2s_lit.config.catalogue import shelf
from s2s_lit.config.compose import compose, make_parser, to_yaml

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
DATA = sorted(file.stem for file in (EXPERIMENTS / "data").glob("*.yaml"))
PROMISED = """
    rnn gru lstm birnn bigru bilstm rnn_attn gru_attn lstm_attn birnn_attn bigru_attn bilstm_attn
    luong_dot luong_general luong_concat local_p multi_head coverage copy conditional_gru input_feeding
    layer_norm variational weight_drop char words_sparse time_step token_budget full_batch sgd_single
""".split()


@functools.cache
def composed(experiment: str, dataset: str = "builtin") -> Namespace:
    return compose(experiment, dataset, [], EXPERIMENTS)


def named(tree: Any) -> Iterator[str]:
    """The class paths of a configuration."""
    if isinstance(tree, dict):
        if isinstance(path := tree.get("class_path"), str):
            yield path
        for value in tree.values():
            yield from named(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from named(value)
    elif isinstance(tree, str) and tree.startswith("s2s_lit."):
        yield tree  # a default that is a class itself


def test_an_experiment_says_what_it_is(experiment: str) -> None:
    file = EXPERIMENTS / f"{experiment}.yaml"
    first, *rest = file.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert rest, "a file of differences has some, or {}"


def changes_more_than_the_source(dataset: str) -> bool:
    own = yaml.safe_load((EXPERIMENTS / "data" / f"{dataset}.yaml").read_text(encoding="utf-8"))
    return bool(own.keys() - {"data"} or own["data"].keys() - {"corpus", "columns"})


@pytest.mark.parametrize("dataset", ["builtin", *filter(changes_more_than_the_source, DATA)])
def test_an_experiment_composes_and_fits_together_with_every_data_set(experiment: str, dataset: str) -> None:
    """Data sets that differ in nothing but where their rows come from meet one experiment, in `used`."""
    config = composed(experiment, dataset)
    assert (config.experiment, config.dataset) == (experiment, dataset)
    with torch.device("meta"):  # sizes alone
        make_parser().instantiate(config).model(dict.fromkeys(config.data.fields, 32))


def test_an_experiment_states_only_differences(experiment: str) -> None:
    """No setting repeats what base.yaml has at the same place."""
    base = yaml.safe_load((EXPERIMENTS / "base.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load((EXPERIMENTS / f"{experiment}.yaml").read_text(encoding="utf-8"))
    assert not list(repeated(own, base))


def repeated(own: Any, base: Any, path: str = "") -> Iterator[str]:
    if isinstance(own, dict) and isinstance(base, dict):
        other_class = own.get("class_path", base.get("class_path")) != base.get("class_path")
        for key in own.keys() & base.keys():
            if not (other_class and key == "init_args"):  # another class has the same setting by accident
                yield from repeated(own[key], base[key], f"{path}.{key}")
    elif own == base and not path.endswith(".class_path"):
        yield path


def test_the_promised_experiments_are_there() -> None:
    assert not [name for name in PROMISED if not (EXPERIMENTS / f"{name}.yaml").is_file()]


@pytest.fixture(scope="module")
def used() -> set[str]:
    files = [file.stem for file in EXPERIMENTS.glob("*.yaml") if file.stem != "base"]
    configs = [composed(name) for name in files] + [composed("bilstm_attn", data) for data in DATA]
    return {path.rpartition(".")[2] for config in configs for path in named(yaml.safe_load(to_yaml(config)))}


PARTS = {f"{kind}-{cls.__name__}": cls for kind, classes in shelf().items() for cls in classes}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_in_an_experiment(part: str, used: set[str]) -> None:
    assert PARTS[part].__name__ in used


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_what_it_is(part: str) -> None:
    cls = PARTS[part]
    assert cls.__doc__
    assert cls.__doc__ != cls.__base__.__doc__
