"""The main comparison: what gating, direction and attention each bring, over seeds.

    .venv/bin/python experiments/comparison.py train                  # 54 runs of one to three minutes, two at a time
    .venv/bin/python experiments/comparison.py train --dataset multi30k --data_dir FOLDER     # 6 runs
    .venv/bin/python experiments/comparison.py report                 # tables in Markdown, pictures/comparison.png

Every run is one `s2s train` process with one thread, in the ordinary store, under the experiment name
`compare-RECURRENCE-ATTENTION`; it is scored on the test split and, where the corpus has one, on test_long. What is
finished is not run again, so that the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import sacrebleu
from matplotlib.figure import Figure
from tqdm import tqdm

from s2s_lit.tracking.client.runs import connect, list_runs

ATTENTIONS = {"none": None, "additive": "AdditiveAttention", "general": "GeneralAttention"}
SMALL = {
    "data.tokenizer.vocab_size": 1000,
    "data.batcher.size": 32,
    "model.embedding_size": 128,
    "model.encoder.recurrence.hidden_size": 128,
    "model.decoder.recurrence.hidden_size": 128,
    "model.decoder.feature_size": 128,
    "task.optimizer.lr": 0.003,
    "trainer.max_steps": 1400,
}
"""The reduced budget on the built-in corpus."""
MEDIUM = {"data.tokenizer.vocab_size": 4000, "model.decoder.recurrence.hidden_size": 256, "trainer.max_epochs": 3}
"""The reduced budget on Multi30k."""


@dataclass(frozen=True)
class Cell:
    """One run of the comparison."""

    base: str  # the experiment that states recurrence and direction
    attention: str
    seed: int
    dataset: str

    @property
    def experiment(self) -> str:
        return f"compare-{self.base}-{self.attention}"

    def command(self, data_dir: str | None) -> list[str]:
        budget = SMALL if self.dataset == "builtin" else MEDIUM
        given = ["--data_dir", data_dir] if data_dir else []
        attention = {"model.decoder.attention": name} if (name := ATTENTIONS[self.attention]) else {}
        settings = {"experiment": self.experiment, "seed": self.seed, **attention, **budget}
        words = [f"--{key}={value}" for key, value in settings.items()]
        return ["train", self.base, "--dataset", self.dataset, *given, *words]


def cells(dataset: str) -> list[Cell]:
    """Seed by seed, so that a comparison that was stopped early is one of fewer seeds."""
    if dataset == "builtin":
        grid = product((1, 2, 3), ("rnn", "gru", "lstm", "birnn", "bigru", "bilstm"), ATTENTIONS)
    else:
        grid = product((1,), ("birnn", "bigru", "bilstm"), ("none", "additive"))
    return [Cell(base, attention, seed, dataset) for seed, base, attention in grid]


@dataclass(frozen=True)
class Scored:
    """A finished run: all its scores, and where its scored sentences are."""

    scores: Mapping[str, float]
    files: tuple[tuple[str, str], ...]  # run id and path


def finished(dataset: str) -> dict[tuple[str, int], Scored]:
    """The runs that need not be run again, by experiment and seed; the newest of each."""
    runs = [run for run in list_runs() if run.status == "FINISHED" and run.dataset == dataset]
    long = {run.tags.get("mlflow.parentRunId"): run for run in runs if "test_long/bleu" in run.metrics}
    found: dict[tuple[str, int], Scored] = {}
    for run in runs:
        key = run.experiment, int(run.params.get("seed", 0))
        if run.kind != "train" or not run.experiment.startswith("compare-") or key in found:
            continue
        scores, files = dict(run.metrics), [(run.run_id, "predictions/test.jsonl")]
        if dataset == "builtin":
            if run.run_id not in long:
                continue
            scores |= long[run.run_id].metrics
            files.append((long[run.run_id].run_id, "predictions/test_long.jsonl"))
        found[key] = Scored(scores, tuple(files))
    return found


def run(cell: Cell, data_dir: str | None) -> str:
    """Trains and scores one cell; an empty text, or what went wrong."""
    trained = s2s(cell.command(data_dir))
    found = re.search(r"\((\w{32})\)", trained.stdout)
    if trained.returncode == 0 and found and cell.dataset == "builtin":
        trained = s2s(["evaluate", found[1], "--split", "test_long"])
    return "" if trained.returncode == 0 else f"{cell.experiment}, seed {cell.seed}: {trained.stderr.strip()[-500:]}"


def s2s(words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "s2s_lit", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def train(arguments: argparse.Namespace) -> None:
    done = set(finished(arguments.dataset))
    todo = [cell for cell in cells(arguments.dataset) if (cell.experiment, cell.seed) not in done]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = pool.map(lambda cell: run(cell, arguments.data_dir), todo)
        for failure in tqdm(outcomes, "comparison", total=len(todo), unit=" runs"):
            if failure:
                print(failure, file=sys.stderr)


SCORES = ("test/bleu", "test/chrf", "test/perplexity", "test_long/bleu", "test_long/chrf", "test_long/perplexity")


def report(arguments: argparse.Namespace) -> None:
    for dataset in ("builtin", "multi30k"):
        found = finished(dataset)
        if found:
            print(f"\n### {dataset}\n")
            print_scores(dataset, found)
            print_effects(dataset, found)
    draw_lengths(finished("builtin"))


def print_scores(dataset: str, found: Mapping[tuple[str, int], Scored]) -> None:
    """One row a cell: mean and, over several seeds, standard deviation of each score."""
    scores = [name for name in SCORES if dataset == "builtin" or name.startswith("test/")]
    print("| " + " | ".join(["recurrence", "attention", *scores, "parameters", "seeds"]) + " |")
    print("|" + "---|" * (len(scores) + 4))
    for base, attention in dict.fromkeys((cell.base, cell.attention) for cell in cells(dataset)):
        group = [found[key] for seed in (1, 2, 3) if (key := (f"compare-{base}-{attention}", seed)) in found]
        if group:
            values = [spread([scored.scores[name] for scored in group]) for name in scores]
            size = f"{int(group[0].scores['model/parameters']):,}"
            print("| " + " | ".join([base, attention, *values, size, str(len(group))]) + " |")


def spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.2f}"
    return f"{mean} ± {statistics.stdev(values):.2f}" if len(values) > 1 else mean


def print_effects(dataset: str, found: Mapping[tuple[str, int], Scored]) -> None:
    """What one change brings, all else equal: mean, spread and range over the pairs of runs that differ in it alone."""
    changes = [("rnn", "gru"), ("rnn", "lstm"), ("gru", "lstm"), ("uni", "bi")]
    changes += [("none", "additive"), ("none", "general"), ("additive", "general")]
    print("\n| change | with attention | pairs | test/chrf | test/bleu | test/perplexity, factor |")
    print("|" + "---|" * 6)
    for before, after in changes:
        is_attention = before in ATTENTIONS
        for attended in (None,) if is_attention else (False, True):
            pairs = [
                (found[key], found[other])
                for key in sorted(found)
                if (attended is None or attended != key[0].endswith("none"))
                and (other := changed(key, before, after)) in found
                and other != key
            ]
            if pairs:
                print(effect_row(f"{before} → {after}", attended, pairs))


def changed(key: tuple[str, int], before: str, after: str) -> tuple[str, int]:
    """The run that differs in this alone; the run itself where the change does not apply."""
    _, base, attention = key[0].split("-")
    if before == "uni":
        base = base if base.startswith("bi") else f"bi{base}"
    elif before in ATTENTIONS:
        attention = after if attention == before else attention
    else:
        base = base.replace(before, after)
    return f"compare-{base}-{attention}", key[1]


def effect_row(name: str, attended: bool | None, pairs: list[tuple[Scored, Scored]]) -> str:
    cells = [name, {None: "", False: "no", True: "yes"}[attended], str(len(pairs))]
    for score in ("test/chrf", "test/bleu"):
        differences = [after.scores[score] - before.scores[score] for before, after in pairs]
        cells.append(f"{spread(differences)} ({min(differences):+.1f} to {max(differences):+.1f})")
    logs = [math.log(after.scores["test/perplexity"] / before.scores["test/perplexity"]) for before, after in pairs]
    cells.append(f"{math.exp(statistics.mean(logs)):.2f} ({math.exp(min(logs)):.2f} to {math.exp(max(logs)):.2f})")
    return "| " + " | ".join(cells) + " |"


WIDTH = 3  # words of a bucket
COLOURS = {"rnn": "#8a8d91", "gru": "#c8553d", "lstm": "#2b6ea8"}


def draw_lengths(found: Mapping[tuple[str, int], Scored]) -> None:
    """chrF by the source's length, one panel an attention; a line is the mean of the seeds, its shade their range."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    panels = figure.subplots(1, len(ATTENTIONS), sharey=True)
    for axes, attention in zip(panels, ATTENTIONS, strict=True):
        for recurrence, direction in product(COLOURS, ("", "bi")):
            name = f"compare-{direction}{recurrence}-{attention}"
            curves = [by_length(scored) for (experiment, _), scored in found.items() if experiment == name]
            if curves:
                draw_curve(axes, f"{direction}{recurrence}", curves, COLOURS[recurrence], "-" if direction else "--")
        axes.axvspan(20.5, 30.5, color="0.94", zorder=0)
        axes.set_title({"none": "context of fixed length"}.get(attention, f"{attention} attention"), loc="left")
        axes.set(xlabel="words in the source sentence", ylim=(0, 100))
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("chrF")
    panels[0].legend(frameon=False, ncols=2, loc="upper right")
    figure.suptitle("Built-in corpus; shaded: longer than any training sentence", fontsize=9, color="0.4")
    figure.savefig(Path(__file__).parent / "pictures" / "comparison.png", dpi=130)


def draw_curve(axes, label: str, curves: list[dict[int, float]], colour: str, style: str) -> None:  # type: ignore[no-untyped-def]
    buckets = sorted(set.intersection(*(set(curve) for curve in curves)))
    middle = [bucket * WIDTH + (WIDTH - 1) / 2 for bucket in buckets]
    values = [[curve[bucket] for curve in curves] for bucket in buckets]
    axes.plot(middle, [statistics.mean(v) for v in values], style, color=colour, label=label, linewidth=1.8)
    axes.fill_between(middle, [min(v) for v in values], [max(v) for v in values], color=colour, alpha=0.15, linewidth=0)


def by_length(scored: Scored) -> dict[int, float]:
    """chrF of the sentences of each length; a bucket has at least twenty."""
    buckets: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in predictions(scored.files):
        buckets[len(row["source"].split()) // WIDTH].append((row["hypothesis"], row["reference"]))
    kept = {bucket: list(zip(*pairs, strict=True)) for bucket, pairs in buckets.items() if len(pairs) >= 20}
    return {bucket: sacrebleu.corpus_chrf(texts, [references]).score for bucket, (texts, references) in kept.items()}


def predictions(files: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    client = connect()
    for run_id, path in files:
        file = Path(client.download_artifacts(run_id, path))
        yield from (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    training = verbs.add_parser("train", help="run what is missing")
    training.add_argument("--dataset", default="builtin", choices=["builtin", "multi30k"])
    training.add_argument("--data_dir", help="folder of a local copy of Multi30k")
    training.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    training.set_defaults(run=train)
    reporting = verbs.add_parser("report", help="tables and the picture of what has run")
    reporting.set_defaults(run=report)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
