"""What a training that goes on may change of its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonargparse import Namespace

from s2s_lit.__main__ import main
from s2s_lit.config.compose import compose
from s2s_lit.config.resumable import MAY_CHANGE, require_unchanged
from s2s_lit.errors import UserError


@pytest.fixture(scope="module")
def stored() -> Namespace:
    return compose("bilstm_attn", "builtin", [], Path(__file__).parents[2] / "experiments")


def changed(stored: Namespace, key: str, value: Any) -> Namespace:
    now = stored.clone()
    assert now.get(key, "none") != value
    now[key] = value
    return now


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ("seed", 2, "seed"),
        ("monitor", "val/chrf", "monitor"),
        ("data.batcher.init_args.size", 7, "data.batcher.size"),
        ("data.batcher", Namespace(class_path="s2s_lit.data.batching.batchers.TokenBudget"), "data.batcher"),
        ("data.streaming", True, "data.streaming"),
        ("data.corpus.init_args.train_rows", 50, "data.corpus.train_rows"),
        ("model.init_args.encoder.init_args.dropout", 0.4, "model.encoder.dropout"),
        ("task.init_args.optimizer.init_args.lr", 0.5, "task.optimizer.lr"),
        ("task.init_args.schedule", None, "task.schedule"),
        ("task.init_args.averaging", Namespace(class_path="ExponentialAveraging"), "task.averaging"),
        ("trainer.accumulate_grad_batches", 2, "trainer.accumulate_grad_batches"),
        ("trainer.precision", "bf16-mixed", "trainer.precision"),
        ("trainer.max_epoch", 3, "trainer.max_epoch"),
    ],
)
def test_what_would_not_take_effect_is_refused(path: str, value: Any, key: str, stored: Namespace) -> None:
    with pytest.raises(UserError, match=rf"^{key} cannot change: .* Begin a new run"):
        require_unchanged(stored, changed(stored, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trainer.max_epochs", 9),
        ("trainer.devices", 2),
        ("data.num_workers", 2),
        ("data.corpus.init_args.data_dir", "/elsewhere"),
        ("restart_steps", 5),
        ("task.init_args.search.init_args.beam_size", 9),
        ("task.init_args.search", Namespace(class_path="s2s_lit.decoding.greedy.GreedySearch")),
    ],
)
def test_how_long_how_and_where_may_change(path: str, value: Any, stored: Namespace) -> None:
    now = changed(stored, path, value)
    assert now != stored
    require_unchanged(stored, now)
    require_unchanged(stored, stored.clone())


def test_help_names_keys_that_exist(stored: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["resume", "--help"])
    told = capsys.readouterr().out.replace("\n", " ")
    assert all(f" {key}" in told for key in MAY_CHANGE)
    keys = {key.replace(".init_args", "").removesuffix(".class_path") for key, _ in stored.items()}
    assert set(MAY_CHANGE) - keys == {"data.corpus.data_dir"}  # the built-in corpus has no files
