"""What the configuration alone tells is refused before a run exists."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from s2s_lit.__main__ import main
from s2s_lit.config.compose import compose
from s2s_lit.errors import UserError
from s2s_lit.training.preflight import require_sound

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

WRONG = {
    "--seed=-1": "seed must be",
    "--seed=4294967296": "seed must be",
    "--restart_minutes=-1": "restart_minutes must be",
    "--restart_steps=-1": "restart_steps must be",
    "--monitor=val/blue": "there are: val/loss",
    "--monitor=test/bleu": "monitor=test/bleu is no score",
    "--model.encoder.dropout=1.5": "dropout must be",
    "--model.encoder.recurrence.hidden_size=0": "hidden_size must be",
    "--task.search.beam_size=0": "beam_size must be",
    "--task.optimizer.lr=-1": "task.optimizer: ",
    "--task.schedule.warmup_steps=-1": "task.schedule.warmup_steps must be",
    "--task.loss.label_smoothing=1.5": "label_smoothing must be",
    "--trainer.max_epochs=0": "trainer.max_epochs must be",
    "--trainer.max_epochs=-7": "trainer: ",
    "--trainer.gradient_clip_val=-1": "trainer.gradient_clip_val must be",
    "--trainer.precision=bf16-true": "trainer.precision=bf16-true",
}


@pytest.mark.parametrize("override", WRONG)
def test_what_could_only_fail_is_refused_by_its_key(override: str) -> None:
    with pytest.raises(UserError, match=WRONG[override]):
        require_sound(compose("bilstm_attn", "builtin", [override], EXPERIMENTS))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = compose("lstm", "multi30k", [f"--data.corpus.data_dir={tmp_path}/none"], EXPERIMENTS)
    with pytest.raises(UserError, match=r"none is no folder \(DATA_DIR, data\.corpus\.data_dir\)"):
        require_sound(config)


def test_looking_uses_up_no_random_number() -> None:
    config = compose("bilstm_attn", "builtin", [], EXPERIMENTS)
    before = torch.random.get_rng_state()
    require_sound(config)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_is_refused_leaves_no_run_and_no_store(
    in_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiments").symlink_to(in_project / "experiments")
    monkeypatch.chdir(tmp_path)
    assert main(["train", "lstm", "--model.encoder.dropout=1.5"]) == 2
    assert "dropout" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["experiments"]
