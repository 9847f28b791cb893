"""`s2s translate`: translates with a finished run, or with several as one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

import torch
from tqdm import tqdm

from s2s_lit.cli.models import batches_by_length, load_models
from s2s_lit.data.collate import collate
from s2s_lit.decoding.constraints import ForcedPrefix
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.text.lines import encode_lines
from s2s_lit.types import Batch, Hypothesis


def translate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: one translation a line; with --n_best above 1, `line number, score, translation` a line."""
    if arguments.n_best < 1:
        raise UserError(f"--n_best must be at least 1, not {arguments.n_best}")
    if arguments.n_best > 1:
        overrides = [*overrides, f"--task.search.n_best={arguments.n_best}"]
    lines = read_lines(arguments.source) if arguments.text is None else [arguments.text]
    task, model = load_models(arguments.run, dataset=arguments.dataset, mean=arguments.mean, overrides=overrides)
    with opened(arguments.target) as output:  # before the work, which would be lost on a mistyped path
        found = hypotheses_of(task, model, lines, arguments.prefix)
        for line in _render(task, lines, found, arguments.n_best):
            print(line, file=output, flush=True)
    return 0


def opened(target: Path | None) -> AbstractContextManager[IO[str]]:
    """A file to write, or standard output."""
    return nullcontext(sys.stdout) if target is None else target.open("w", encoding="utf-8")


def read_lines(file: Path | None) -> list[str]:
    """The lines of a file, or of standard input."""
    try:
        lines = (sys.stdin.read() if file is None else file.read_text(encoding="utf-8")).split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{file or 'standard input'} is not UTF-8 text: {error}") from error
    return lines if lines[-1] else lines[:-1]  # not splitlines(), which also splits at characters within a line


def _render(
    task: Seq2SeqTask, lines: Sequence[str], found: Sequence[Sequence[Hypothesis]], n_best: int
) -> Iterator[str]:
    for number, (line, hypotheses) in enumerate(zip(lines, found, strict=True), 1):
        texts = [(h.score, task.text_of(h, task.codecs.normalize(line))) for h in hypotheses]
        if n_best == 1:
            yield texts[0][1] if texts else ""
        else:
            yield from (f"{number}\t{score:.4f}\t{text}" for score, text in texts)


def hypotheses_of(
    task: Seq2SeqTask, model: StepModel, lines: Sequence[str], prefix: str = ""
) -> list[list[Hypothesis]]:
    """The n best of each line, in the lines' order, all beginning with `prefix`; an empty line has none."""
    examples = encode_lines(lines, task.codecs)
    forced = task.codecs.target.encode(task.codecs.normalize(prefix)) if prefix else []
    found: list[list[Hypothesis]] = [[] for _ in lines]
    batches = list(batches_by_length(examples, [i for i, line in enumerate(lines) if line.strip()]))
    for rows in tqdm(batches, "translating", unit="batch", leave=False, delay=2, disable=not sys.stderr.isatty()):
        batch = collate([examples[i] for i in rows]).to(task.device)
        searched = _forcing(task, model, batch, forced) if forced else model
        with torch.inference_mode():
            results = task.search(searched, batch.source_ids, batch.source_lengths, keep_weights=task.replaces_unknown)
        for row, hypotheses in zip(rows, results, strict=True):
            found[row] = hypotheses
    return found


def _forcing(task: Seq2SeqTask, model: StepModel, batch: Batch, forced: list[int]) -> StepModel:
    """The model whose every output begins with the pieces `forced`."""
    cap = int(task.search.length_caps(batch.source_lengths).min())
    if len(forced) >= cap:
        raise UserError(
            f"--prefix has {len(forced)} pieces, but the translation of a line may have {cap} with its end: raise "
            "task.search.max_length_offset"
        )
    return ForcedPrefix(model, torch.tensor(forced, device=task.device).expand(len(batch), -1))
