"""Draws the learning curves of experiments/README.md from the tracked runs.

make train EXP=bilstm_attn      # and others, on any data
.venv/bin/python experiments/pictures.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from s2s_lit.tracking.client.runs import RunRecord, connect, list_runs

FOLDER = Path(__file__).parent / "pictures"
TITLES = {"builtin": "Built-in corpus, English to German", "multi30k": "Multi30k, English to German"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    draw_curves()


def draw_curves() -> None:
    """Validation BLEU along the optimizer steps: each data set's experiments, their newest finished runs."""
    client = connect()
    newest: dict[tuple[str, str], RunRecord] = {}
    for run in list_runs():
        if run.kind == "train" and run.status == "FINISHED" and not run.experiment.startswith("compare-"):
            newest.setdefault((run.dataset, run.experiment), run)
    for dataset in sorted({dataset for dataset, _ in newest}):
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for run in (run for key, run in newest.items() if key[0] == dataset):
            history = sorted(client.get_metric_history(run.run_id, "val/bleu"), key=lambda point: point.step)
            axes.plot([p.step for p in history], [p.value for p in history], marker="o", label=run.experiment)
        axes.set(xlabel="optimizer steps", ylabel="validation BLEU (greedy)")
        axes.set_title(TITLES.get(dataset, dataset), loc="left")
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        figure.savefig(FOLDER / f"curve_{dataset}.png", dpi=130)


if __name__ == "__main__":
    main()
