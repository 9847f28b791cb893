"""Two commands that resume one run at the same moment: one trains it, the other one is told who does."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.trainings import Kill, Project

SHORT = [
    "--data.corpus.train_rows=60", "--data.corpus.evaluation_rows=6", "--data.tokenizer=Words",
    "--model.embedding_size=12", "--model.encoder.recurrence.hidden_size=12", "--model.decoder.feature_size=12",
    "--model.decoder.recurrence.hidden_size=12", "--task.search=GreedySearch", "--task.search.max_length_ratio=1",
    "--task.validation_search.max_length_ratio=1", "--trainer.max_steps=24", "--trainer.accelerator=cpu",
    "--restart_steps=5", "--data.batcher=FixedSize", "--data.batcher.size=8",
]  # fmt: skip


@pytest.mark.slow
def test_one_of_two_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    assert any(project.s2s("train", "bilstm_attn", *SHORT, kill=Kill(31)))
    with ThreadPoolExecutor(2) as both:
        codes = list(both.map(lambda _: project.s2s("resume", "latest"), range(2)))
    assert sorted(codes) == [[0], [2]], project.output
    assert re.search(r"run \w{8} is in the hands of process \d+ on \S+ since 20\S+ \S+, which trains", project.output)
    (run,) = project.client.search_runs(["1"])
    assert run.info.status == "FINISHED"
    for name in run.data.metrics:
        if not name.startswith("system/"):
            steps = [metric.step for metric in project.client.get_metric_history(run.info.run_id, name)]
            assert sorted(set(steps)) == sorted(steps), name
