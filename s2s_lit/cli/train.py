"""`s2s train`: trains an experiment, keeps its best checkpoint, scores that on the test split."""

from __future__ import annotations

import argparse

from s2s_lit.cli.trained import print_trained
from s2s_lit.config.compose import compose, make_parser, to_yaml
from s2s_lit.config.own_data import with_folder
from s2s_lit.processes import joined
from s2s_lit.training.launch import launch, processes_to_start
from s2s_lit.training.preflight import require_sound
from s2s_lit.training.start import start


def train(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when the run has finished and is scored."""
    if arguments.help_config:
        make_parser().print_help()
        return 0
    with joined():
        dataset, overrides = with_folder(arguments.data_dir, arguments.dataset, overrides)
        config = compose(arguments.experiment, dataset, overrides)
        if arguments.print_config:
            print(to_yaml(config), end="")
            return 0
        require_sound(config)
        processes = processes_to_start(config.trainer)
        if processes > 1:
            return launch(processes, arguments.words)
        print_trained(start(config, arguments.words))
        return 0
