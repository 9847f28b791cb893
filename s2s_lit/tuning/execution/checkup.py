"""Examines all that a storage holds, says what was found, and mends it if that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import optuna

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tuning.execution.doctor import Finding, examine_journal, examine_study
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.study.attributes import DATASET, FINGERPRINT
from s2s_lit.tuning.study.storage import answering, open_storage, storage_file, without_password


def check_up(url: str, name: str | None = None, *, mend: bool = False) -> int:
    """How many findings are left.

    Args:
        url: The storage.
        name: The study to be examined; by default all of them.
        mend: Whether to mend what can be mended.
    """
    file = storage_file(url)
    if file is not None and not file.is_file():
        print(f"there is no {file}, so nothing to look at: no sweep was begun here, or give its STORAGE")
        return 0
    left = 0
    if file is not None and url.startswith("journal"):
        left += report(str(file), list(examine_journal(file)), mend)
    for run in mark_dead_runs():
        print(f"MLflow: run {run.name} ({run.run_id[:8]}) was RUNNING without a process; it is KILLED now")
    with answering(url):
        storage = open_storage(url)
        found = [study for study in optuna.get_all_study_names(storage) if name in (None, study)]
        if name is not None and not found:
            raise UserError(f"there is no study {name} in {without_password(url)}")
        for each in found:
            study = optuna.load_study(study_name=each, storage=storage)
            if FINGERPRINT in study.user_attrs:  # any other is of another program
                runs = SweepRuns(dataset=study.user_attrs.get(DATASET, "builtin"), experiment="", study=each)
                left += report(f"study {each}", list(examine_study(study, Ownership(study), runs)), mend)
    return left


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
