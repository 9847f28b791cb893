"""The lines of `predictions/SPLIT.jsonl`: written by a run, read again by whoever compares runs."""

from __future__ import annotations

import base64
import json

import numpy as np
import torch
from torch import Tensor

from s2s_lit.types import Prediction

_MAX_CELLS = 4096  # of a matrix that is kept; larger ones cannot be drawn to be read


def prediction_line(prediction: Prediction) -> str:
    """One line: texts and score, what the reference cost and, where there is an attention, tokens and weights.

    Weights are kept in 255 steps: [T, S] bytes, row by row, in base64; some 500 characters a sentence.
    """
    kept = {
        "inputs": prediction.inputs,
        "references": prediction.references,
        "hypothesis": prediction.hypothesis,
        "score": prediction.score,
    }
    if prediction.nll is not None:
        kept |= {"nll": round(prediction.nll, 6), "reference_tokens": prediction.reference_tokens}
    if prediction.weights is not None and prediction.weights.numel() <= _MAX_CELLS:
        kept |= {"input_tokens": prediction.input_tokens, "target_tokens": prediction.target_tokens}
        kept |= {"weights": _packed(prediction.weights)}
    return json.dumps(kept, ensure_ascii=False)


def parse_line(line: str, row: int = 0) -> Prediction:
    """What a line says; lines of older runs have neither likelihoods nor weights, or other names for some of it."""
    kept = json.loads(line)
    read = kept.get("input_tokens", kept.get("source_pieces", []))
    written = kept.get("target_tokens", kept.get("target_pieces", []))
    return Prediction(
        inputs=kept["inputs"] if "inputs" in kept else {"source": kept["source"]},
        references=tuple(kept["references"] if "references" in kept else [kept["reference"]]),
        hypothesis=kept["hypothesis"],
        input_tokens=read,
        target_tokens=written,
        score=kept["score"],
        weights=_unpacked(kept["weights"], len(written), len(read)) if "weights" in kept else None,
        row=row,
        nll=kept.get("nll"),
        reference_tokens=kept.get("reference_tokens", kept.get("reference_pieces", 0)),
    )


def _packed(weights: Tensor) -> str:
    steps = (weights.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    return base64.b64encode(steps.contiguous().numpy().tobytes()).decode()


def _unpacked(text: str, rows: int, columns: int) -> Tensor:
    steps = np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(rows, columns)
    return torch.from_numpy(steps.astype(np.float32) / 255)
