"""Finished runs with predictions, written in milliseconds."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from s2s_lit.tracking.client.runs import MONITOR_TAG, TASK_TAG
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.predictions import prediction_line
from s2s_lit.types import Prediction

WORDS = "der die das Hund Katze Mann Frau liest sieht schläft im Garten ein Buch , und alte rote Haus .".split()


def references(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(3, 14))) for _ in range(count)]


def predict(texts: Sequence[str], damage: float, seed: int, *, rich: bool = True) -> list[Prediction]:
    """Outputs with that share of the references' words replaced; `rich` ones have likelihoods and weights."""
    draw = random.Random(seed)
    found = []
    for row, text in enumerate(texts):
        words = [draw.choice(WORDS) if draw.random() < damage else word for word in text.split()]
        source, tokens = f"source {row % 7} of {text.lower()}", [*words, "</s>"]
        weights = torch.eye(len(tokens)) if rich else None
        nll = (1 + damage) * len(tokens) if rich else None
        kept = (weights, row, nll, len(text.split()) + 1)
        found.append(Prediction({"source": source}, (text,), " ".join(words), tokens, tokens, -1.0, *kept))
    return found


def write_run(
    experiment: str,
    predictions: Sequence[Prediction],
    *,
    seed: int = 1,
    split: str = "test",
    kind: str = "train",
    parent: str | None = None,
    dataset: str = "builtin",
    code: tuple[str, bool] | None = ("c0ffee" * 7, False),
    **params: object,
) -> str:
    """The id of a finished run that keeps these predictions; without any there is no file.

    `code` is the commit and whether something was changed; None outside of a repository.
    """
    tags = {TASK_TAG: "translation", MONITOR_TAG: "val/bleu"}
    tracker = MlflowTracker(dataset=dataset, experiment=experiment, kind=kind, parent=parent, tags=tags)
    with tracked_run(tracker):
        tracker.log_params({"experiment": experiment, "dataset": dataset})  # as every configuration says
        tracker.log_params({"seed": seed, "data": {"seed": seed}, "vocabulary": {"source": seed}, **params})
        if code is not None:
            tracker.set_tags({"mlflow.source.git.commit": code[0], "s2s.git.dirty": str(code[1]).lower()})
        if predictions:
            text = "".join(f"{prediction_line(prediction)}\n" for prediction in predictions)
            tracker.log_text(text, f"predictions/{split}.jsonl")
    return str(tracker.run_id)
