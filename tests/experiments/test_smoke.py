"""Slow: every experiment file trains for two steps, validates, saves, reloads, and translates or generates."""

from __future__ import annotations

import pytest

from s2s_lit.__main__ import main
from s2s_lit.config.compose import compose
from s2s_lit.tracking.client.runs import list_runs

SMALL = ["--data.corpus.train_rows=150", "--data.corpus.evaluation_rows=6", "--trainer.max_steps=2"]
SHORT = ["--task.search.max_length_ratio=1", "--task.validation_search.max_length_ratio=1"]


@pytest.mark.slow
def test_smoke(experiment: str, in_project: None, capsys: pytest.CaptureFixture[str]) -> None:
    data = compose(experiment, "builtin", []).data
    reads = set(data.fields) > {"target"}
    short = SHORT if reads else ["--task.search.max_length_offset=10"]
    sizes = [f"--data.batcher.size={min(8, data.batcher.init_args.size)}"] if "size" in data.batcher.init_args else []
    sizes += ["--data.tokenizer.vocab_size=600"] if data.tokenizer and "vocab_size" in data.tokenizer.init_args else []
    assert main(["train", experiment, *SMALL, *short, *sizes]) == 0, capsys.readouterr().err
    run = list_runs()[0]
    assert (run.experiment, run.status) == (experiment, "FINISHED")
    assert {"val/loss", "test/loss"} <= run.metrics.keys()
    assert run.metrics["test/loss"] > 0
    assert main(["evaluate", run.run_id]) == 0
    again = next(run for run in list_runs() if run.kind == "evaluate")
    scores = {name: value for name, value in run.metrics.items() if name.startswith("test/")}
    assert {name: again.metrics[name] for name in scores} == scores
    capsys.readouterr()
    used = ["translate", run.run_id, "--text", "A man reads a book."] if reads else ["generate", run.run_id]
    assert main(used) == 0
    assert capsys.readouterr().out.count("\n") == 1
