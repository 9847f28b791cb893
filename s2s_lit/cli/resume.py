"""`s2s resume`: goes on with a training that was stopped, in the same run, as if nothing had happened."""

from __future__ import annotations

import argparse

from s2s_lit.cli.trained import print_trained
from s2s_lit.config.compose import from_yaml
from s2s_lit.config.resumable import require_unchanged
from s2s_lit.processes import from_first, joined
from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tracking.run_folder import release
from s2s_lit.training.launch import launch, processes_to_start
from s2s_lit.training.preflight import require_sound
from s2s_lit.training.restart_files import read_restart, require_as_many
from s2s_lit.training.resumable_runs import attached, claimed_run, restart_file
from s2s_lit.training.start import train_run


def resume(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when the run has finished and is scored."""

    def find() -> RunRecord:
        mark_dead_runs()
        return claimed_run(arguments.run, arguments.dataset)

    with joined():
        run = from_first(find)
        restart = read_restart(restart_file(run))
        config = from_yaml(restart["config"], overrides)
        require_unchanged(from_yaml(restart["config"]), config)
        require_sound(config)
        processes = processes_to_start(config.trainer)
        if processes > 1:
            release(attached(run).run_dir)  # the first of the processes claims it again
            return launch(processes, [run.run_id if word == arguments.run else word for word in arguments.words])
        require_as_many(restart)
        print_trained(train_run(config, attached(run), restart_file(run)))
        return 0
