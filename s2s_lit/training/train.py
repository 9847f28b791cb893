"""A training from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2s_lit.config.compose import compose
from s2s_lit.config.experiments import folder_here
from s2s_lit.config.overrides import words_of
from s2s_lit.config.own_data import with_folder
from s2s_lit.errors import UserError
from s2s_lit.training.launch import processes_to_start
from s2s_lit.training.preflight import require_sound
from s2s_lit.training.start import Trained, start


def train(
    experiment: str,
    *,
    data: str = "builtin",
    data_dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Trained:
    """Trains an experiment and scores its best checkpoint, as a tracked run in this process.

    Args:
        experiment: The name of a file in `experiments/`, of the working directory or else of the project.
        data: The name of a file in `experiments/data/`.
        data_dir: The folder of the data's files; without `data` it is looked at and told.
        overrides: Changes of the configuration, with dotted or nested keys: `{"trainer.max_epochs": 1}` or
            `{"trainer": {"max_epochs": 1}}`.

    Raises:
        UserError: The experiment, the data or a change cannot be used.
    """
    changes, folder = words_of(overrides or {}), folder_here()
    place = None if data_dir is None else os.fspath(data_dir)
    dataset, words = with_folder(place, data, changes, folder)
    config = compose(experiment, dataset, words, folder)
    require_sound(config)
    if processes_to_start(config.trainer) > 1:
        raise UserError(
            "a training from Python is one process: set trainer.devices to 1, or start it in a terminal "
            f"(make train EXP={experiment} DEVICES={config.trainer.devices})"
        )
    return start(config, ["train", experiment, f"--dataset={dataset}", *words])
