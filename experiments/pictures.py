"""Draws the pictures of the READMEs from the tracked runs.

make train EXP=lstm; make evaluate RUN=lstm SPLIT=test_long      # and bilstm, bilstm_attn
.venv/bin/python experiments/pictures.py
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import defaultdict
from pathlib import Path

import sacrebleu
from matplotlib.figure import Figure

from s2s_lit.errors import UserError
from s2s_lit.tracking.store import connect, find_run, list_runs

FOLDER = Path(__file__).parent / "pictures"
EXPERIMENTS = ("lstm", "bilstm", "bilstm_attn")
WIDTH = 3  # words of a bucket


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    draw_lengths()
    draw_curves()
    copy_attention()


def draw_lengths() -> None:
    """BLEU by the source's length, test and test_long together."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for experiment in EXPERIMENTS:
        buckets = defaultdict(list)
        for row in predictions(experiment):
            buckets[len(row["source"].split()) // WIDTH].append((row["hypothesis"], row["reference"]))
        kept = {b: pairs for b, pairs in sorted(buckets.items()) if len(pairs) >= 20}
        scores = [sacrebleu.corpus_bleu(*zip_columns(pairs)).score for pairs in kept.values()]
        axes.plot([b * WIDTH + (WIDTH - 1) / 2 for b in kept], scores, marker="o", label=experiment)
    axes.axvspan(20.5, 30.5, color="0.93", zorder=0, label="longer than any training sentence")
    axes.set(xlabel="words in the source sentence", ylabel="BLEU", ylim=(0, 100))
    axes.set_title("Built-in corpus: what a context of fixed length costs", loc="left")
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left")
    figure.savefig(FOLDER / "length.png", dpi=130)


def zip_columns(pairs: list[tuple[str, str]]) -> tuple[list[str], list[list[str]]]:
    hypotheses, references = zip(*pairs, strict=True)
    return list(hypotheses), [list(references)]


def predictions(experiment: str) -> list[dict[str, str]]:
    """All scored sentences of an experiment's best run: its own test split, and its evaluation on test_long."""
    run = find_run(experiment, dataset="builtin")
    children = [r for r in list_runs() if r.tags.get("mlflow.parentRunId") == run.run_id and r.status == "FINISHED"]
    long = next((r for r in children if "test_long/bleu" in r.metrics), None)
    if long is None:
        raise UserError(f"evaluate it first: make evaluate RUN={run.run_id[:8]} SPLIT=test_long")
    client = connect()
    files = [
        client.download_artifacts(run.run_id, "predictions/test.jsonl"),
        client.download_artifacts(long.run_id, "predictions/test_long.jsonl"),
    ]
    return [json.loads(line) for file in files for line in Path(file).read_text(encoding="utf-8").splitlines()]


def draw_curves() -> None:
    """Validation BLEU along the optimizer steps, for each data set that has runs."""
    client = connect()
    for dataset in sorted({run.dataset for run in list_runs() if run.kind == "train" and run.status == "FINISHED"}):
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for experiment in EXPERIMENTS:
            try:
                run = find_run(experiment, dataset=dataset)
            except UserError:
                continue
            if run.experiment != experiment:
                continue
            history = sorted(client.get_metric_history(run.run_id, "val/bleu"), key=lambda point: point.step)
            axes.plot([p.step for p in history], [p.value for p in history], marker="o", label=experiment)
        axes.set(xlabel="optimizer steps", ylabel="validation BLEU (greedy)")
        axes.set_title(dataset, loc="left")
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        figure.savefig(FOLDER / f"curve_{dataset}.png", dpi=130)


def copy_attention() -> None:
    run = find_run("bilstm_attn", dataset="builtin")
    names = [f.path for f in connect().list_artifacts(run.run_id, "attention")]
    shutil.copyfile(connect().download_artifacts(run.run_id, names[0]), FOLDER / "attention.png")


if __name__ == "__main__":
    main()
