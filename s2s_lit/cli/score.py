"""`s2s score`: how likely a finished run holds given translations."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from s2s_lit.cli.models import batches_by_length, load_models
from s2s_lit.cli.translate import opened, read_lines
from s2s_lit.data.collate import collate
from s2s_lit.decoding.scorers import forced_log_probs
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.text.lines import encode_lines
from s2s_lit.types import EOS


def score(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: log P(target | source), a line for each pair; with --pieces, `pair number, piece, its share` a line."""
    pairs = read_pairs(arguments.pairs, arguments.targets)
    task, model = load_models(arguments.run, dataset=arguments.dataset, mean=arguments.mean, overrides=overrides)
    with opened(arguments.output) as output:
        for number, scored in enumerate(scores_of(task, model, pairs), 1):
            if arguments.pieces:
                lines = [f"{number}\t{piece}\t{log_prob:.4f}" for piece, log_prob in scored]
            else:
                lines = [f"{sum(log_prob for _, log_prob in scored):.4f}"]
            print(*lines, sep="\n", file=output, flush=True)
    return 0


def read_pairs(sources: Path | None, targets: Path | None) -> list[tuple[str, str]]:
    """Pairs of one file (`source, tab, target` a line) or of two files, line by line.

    Raises:
        UserError: a line has not two columns, or the files differ in length.
    """
    lines, name = read_lines(sources), sources or "standard input"
    if targets is not None:
        others = read_lines(targets)
        if len(lines) != len(others):
            raise UserError(f"{name} has {len(lines)} lines, but {targets} has {len(others)}")
        return list(zip(lines, others, strict=True))
    pairs = []
    for number, line in enumerate(lines, 1):
        columns = line.split("\t")
        if len(columns) != 2:
            raise UserError(
                f"line {number} of {name} has {len(columns)} columns, not a source, a tab and a target; for two files "
                "give --in SOURCES --targets TARGETS"
            )
        pairs.append((columns[0], columns[1]))
    return pairs


def scores_of(
    task: Seq2SeqTask, model: StepModel, pairs: Sequence[tuple[str, str]]
) -> Iterator[list[tuple[str, float]]]:
    """The pieces of each target, its EOS last, with their log-probabilities, in the pairs' order."""
    codec = task.codecs.target
    targets = codec.encode_batch([task.codecs.normalize(target) for _, target in pairs])
    sources = encode_lines([source for source, _ in pairs], task.codecs)
    examples = [replace(example, target_ids=ids) for example, ids in zip(sources, targets, strict=True)]
    found: list[list[float]] = [[] for _ in pairs]
    for rows in batches_by_length(examples, range(len(examples))):
        batch = collate([examples[i] for i in rows]).to(task.device)
        with torch.inference_mode():
            log_probs = forced_log_probs(
                model, batch.source_ids, batch.source_lengths, batch.target_ids, batch.target_lengths
            )
        for row, values in zip(rows, log_probs.tolist(), strict=True):
            found[row] = values[: examples[row].target_length]
    for example, values in zip(examples, found, strict=True):
        yield [(codec.pieces[i], value) for i, value in zip([*example.target_ids, EOS], values, strict=True)]
