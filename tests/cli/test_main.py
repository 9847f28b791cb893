"""What the program makes of its words before a verb sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from lightning.fabric.utilities.rank_zero import _get_rank
from lightning.pytorch.plugins.environments import SLURMEnvironment

from s2s_lit.__main__ import main
from s2s_lit.cli.arguments import CONFIGURABLE, make_parser

NEEDED = {"compare": ["lstm"], "neighbours": ["lstm", "--word=a"], "register": ["lstm", "de"], "trial": ["work"]}
(VERBS,) = [action.choices for action in make_parser()._actions if action.dest == "verb"]


@pytest.mark.parametrize("verb", sorted(set(VERBS or ()) - set(CONFIGURABLE)))
def test_a_misspelt_flag_is_refused_by_verbs_without_a_configuration(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, *NEEDED.get(verb, []), "--trails=3"])
    assert ended.value.code == 2
    assert "unrecognized arguments: --trails=3" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["ui", "dashboard"])
@pytest.mark.parametrize("port", ["80000", "0", "http"])
def test_what_is_no_port_is_refused(verb: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, f"--port={port}"])
    assert ended.value.code == 2
    assert f"argument --port: a port is a number from 1 to 65535, not {port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "shown"), [("train", "--start_from RUN"), ("evaluate", "--task.search"), ("translate", "--task.search")]
)
def test_help_names_the_changes_that_the_verb_is_given(
    verb: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    out = capsys.readouterr().out
    assert shown in out
    assert ("--trainer.max_epochs" in out) == (verb == "train")


def test_a_task_of_slurm_is_a_process_of_its_own(in_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning would take its rank and number of processes from there, and save and requeue at SIGUSR1."""
    for name in ("RANK", "LOCAL_RANK", "SLURM_JOB_NAME", "JSM_NAMESPACE_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_PROCID": "1"}.items():
        monkeypatch.setenv(name, value)
    assert SLURMEnvironment.detect()
    assert _get_rank() == 1
    assert main(["experiments"]) == 0
    assert not SLURMEnvironment.detect()
    assert _get_rank() is None
