"""`s2s translate`: translates with a finished run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

import torch
from tqdm import tqdm

from s2s_lit.cli.build import load
from s2s_lit.data.collate import collate
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.text.lines import encode_lines
from s2s_lit.tracking.store import download_checkpoint, find_run
from s2s_lit.types import Hypothesis

BATCH = 64


def translate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: one translation a line; with --n_best above 1, `line number, score, translation` a line."""
    if arguments.n_best < 1:
        raise UserError(f"--n_best must be at least 1, not {arguments.n_best}")
    if arguments.n_best > 1:
        overrides = [*overrides, f"--task.search.n_best={arguments.n_best}"]
    lines = _read(arguments.text, arguments.source)
    _, task = load(download_checkpoint(find_run(arguments.run, dataset=arguments.dataset)), overrides)
    task.to("cuda" if torch.cuda.is_available() else "cpu")
    with _opened(arguments.target) as output:  # before the work, which would be lost on a mistyped path
        for line in _render(task, lines, arguments.n_best):
            print(line, file=output, flush=True)
    return 0


def _opened(target: Path | None) -> AbstractContextManager[IO[str]]:
    return nullcontext(sys.stdout) if target is None else target.open("w", encoding="utf-8")


def _read(text: str | None, file: Path | None) -> list[str]:
    if text is not None:
        return [text]
    try:
        lines = (sys.stdin.read() if file is None else file.read_text(encoding="utf-8")).split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{file or 'standard input'} is not UTF-8 text: {error}") from error
    return lines if lines[-1] else lines[:-1]  # not splitlines(), which also splits at characters within a line


def _render(task: Seq2SeqTask, lines: Sequence[str], n_best: int) -> Iterator[str]:
    for number, hypotheses in enumerate(hypotheses_of(task, lines), 1):
        texts = [(h.score, task.codecs.target.decode(h.token_ids)) for h in hypotheses]
        if n_best == 1:
            yield texts[0][1] if texts else ""
        else:
            yield from (f"{number}\t{score:.4f}\t{text}" for score, text in texts)


def hypotheses_of(task: Seq2SeqTask, lines: Sequence[str]) -> list[list[Hypothesis]]:
    """The n best of each line, in the lines' order; an empty line has none. Batches are of similar lengths."""
    examples = encode_lines(lines, task.codecs)
    found: list[list[Hypothesis]] = [[] for _ in lines]
    order = sorted((i for i, line in enumerate(lines) if line.strip()), key=lambda i: len(examples[i].source_ids))
    starts = range(0, len(order), BATCH)
    for start in tqdm(starts, "translating", unit="batch", leave=False, delay=2, disable=not sys.stderr.isatty()):
        rows = order[start : start + BATCH]
        batch = collate([examples[i] for i in rows]).to(task.device)
        with torch.inference_mode():
            for row, hypotheses in zip(
                rows, task.search(task.model, batch.source_ids, batch.source_lengths), strict=True
            ):
                found[row] = hypotheses
    return found
