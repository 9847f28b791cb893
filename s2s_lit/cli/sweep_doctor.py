"""`s2s sweep-doctor`: says what crashes have left behind, and mends it on request."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import optuna

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tuning.execution.doctor import Finding, examine_journal, examine_study
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.storage import answering, open_storage, storage_file, without_password
from s2s_lit.tuning.search import study as attributes

ILL = 1
"""Status when something was found that is not mended."""


def sweep_doctor(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when all is well or mended."""
    file = storage_file(arguments.storage)
    if file is not None and not file.is_file():
        print(f"there is no {file}, so nothing to look at: no sweep was begun here, or give its STORAGE")
        return 0
    left = 0
    if file is not None and arguments.storage.startswith("journal"):
        left += report(str(file), list(examine_journal(file)), arguments.mend)
    for run in mark_dead_runs():
        print(f"MLflow: run {run.name} ({run.run_id[:8]}) was RUNNING without a process; it is KILLED now")
    with answering(arguments.storage):
        storage = open_storage(arguments.storage)
        studies = [s for s in optuna.get_all_study_names(storage) if arguments.study in (None, s)]
        if arguments.study is not None and not studies:
            raise UserError(f"there is no study {arguments.study} in {without_password(arguments.storage)}")
        for name in studies:
            study = optuna.load_study(study_name=name, storage=storage)
            if attributes.FINGERPRINT in study.user_attrs:  # others are none of ours
                runs = SweepRuns(dataset=study.user_attrs.get(attributes.DATASET, "builtin"), experiment="", study=name)
                left += report(f"study {name}", list(examine_study(study, Ownership(study), runs)), arguments.mend)
    return ILL if left else 0


def report(where: str, findings: Sequence[Finding], mend: bool) -> int:
    """Prints what was found, and mends it if that is asked for; how much is left."""
    left = 0
    print(f"{where}: {'nothing to mend' if not findings else f'{len(findings)} found'}")
    for finding in findings:
        if mend and finding.mend is not None:
            finding.mend()
            print(f"  mended: {finding.what} ({finding.remedy})")
        else:
            left += 1
            how = finding.remedy if finding.mend is None else f"--mend {finding.remedy}"
            print(f"  {finding.what}: {how}")
    return left
