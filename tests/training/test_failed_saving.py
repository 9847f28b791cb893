"""A checkpoint that cannot be written ends a training, with what to do next; so does a signal while it is scored."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lightning.pytorch.callbacks import ModelCheckpoint

from s2s_lit.checkpoint_files import save_checkpoint
from s2s_lit.errors import Terminated, UserError
from s2s_lit.training.best_checkpoint import BestCheckpoint
from s2s_lit.training.restart_points import RestartPoints
from s2s_lit.training.run import fit, resume_command_told, score_best, what_is_scored


@pytest.fixture
def points(tmp_path: Path) -> RestartPoints:
    return RestartPoints(tmp_path, run_id="0123456789", best=ModelCheckpoint(tmp_path), minutes=10, steps=0)


@pytest.mark.parametrize("resumable", [True, False])
def test_a_best_checkpoint_that_cannot_be_written_is_told(resumable: bool, points: RestartPoints) -> None:
    best = points.path.with_name("best.ckpt")
    best.with_name("best.ckpt.new").mkdir()  # as root may write everywhere else
    if resumable:
        points.path.touch()
    trainer: Any = SimpleNamespace(fit=lambda *args, **kwargs: save_checkpoint({}, best))
    nothing: Any = None
    with pytest.raises(UserError, match=r"best\.ckpt cannot be written \(Is a directory\)\.") as raised:
        fit(trainer, nothing, nothing, points, None)
    assert ("Once that is mended, make resume RUN=01234567 goes on" in str(raised.value)) == resumable


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated()], ids=["Ctrl-C", "SIGTERM"])
def test_how_a_training_that_is_being_scored_goes_on(
    error: BaseException, points: RestartPoints, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(type(error)), resume_command_told(points):
        raise error
    assert capsys.readouterr().out == "stopped while it was scored. To go on: make resume RUN=01234567\n"


def test_what_is_scored_are_the_weights_that_were_the_best(points: RestartPoints) -> None:
    """A file that something else has put in the place of the best checkpoint is not scored."""
    best = BestCheckpoint(dirpath=points.path.parent, filename="best", monitor="val/bleu")
    best.step, best.best_model_path = 8, str(points.path.with_name("best.ckpt"))
    own = {"fields": {}, "config": ""}
    save_checkpoint({"global_step": 4, "state_dict": {}, "s2s_lit": own}, Path(best.best_model_path))
    nothing: Any = None
    with pytest.raises(UserError, match=r"of step 4, and those of step 8 were the best.*make resume RUN=01234567"):
        score_best(best, points, nothing, nothing, nothing)


def test_the_step_that_is_scored_is_said() -> None:
    best = BestCheckpoint(filename="best", monitor="val/bleu")
    best.step, best.kept = 8, {"val/bleu": 0.91, "val/loss": 2.0, "val/chrf": 0.95}
    assert what_is_scored(best) == (
        "scored: the weights of step 8, which were the best (val/bleu 0.9100, val/loss 2.0000)"
    )
