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
from s2s_lit.types import UNK, Batch, Hypothesis


def translate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: one translation a line; with --n_best above 1, `line number, score, translation` a line."""
    if arguments.n_best < 1:
        raise UserError(f"--n_best must be at least 1, not {arguments.n_best}")
    if arguments.n_best > 1:
        overrides = [*overrides, f"--task.search.n_best={arguments.n_best}"]
    lines = read_lines(arguments.source) if arguments.text is None else [require_utf8(arguments.text, "--text")]
    require_utf8(arguments.prefix, "--prefix")
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
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file or 'standard input'} is not UTF-8 text: {error}") from error
    lines = require_utf8(text, "standard input").split("\n")
    return lines if lines[-1] else lines[:-1]  # not splitlines(), which also splits at characters within a line


def require_utf8(text: str, name: str) -> str:
    """`text` itself; Python marks bytes it could not read on the command line, and some on standard input, by
    surrogates, which no codec takes."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError(f"{name} is not UTF-8 text: convert it (iconv -t utf-8)")
    return text


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
    """The n best of each line, in the lines' order, all beginning with `prefix`; a line without a piece has none."""
    examples = encode_lines(lines, task.codecs)
    forced = _pieces_of(prefix, task)
    found: list[list[Hypothesis]] = [[] for _ in lines]
    batches = list(batches_by_length(examples, [i for i, example in enumerate(examples) if example.source_length > 1]))
    for rows in tqdm(batches, "translating", unit="batch", leave=False, delay=2, disable=not sys.stderr.isatty()):
        batch = collate([examples[i] for i in rows]).to(task.device)
        searched = _forcing(task, model, batch, forced) if forced else model
        with torch.inference_mode():
            results = task.search(searched, batch.source_ids, batch.source_lengths, keep_weights=task.replaces_unknown)
        for row, hypotheses in zip(rows, results, strict=True):
            found[row] = hypotheses
    return found


def _pieces_of(prefix: str, task: Seq2SeqTask) -> list[int]:
    """The ids of a prefix; what the vocabulary has not cannot be forced."""
    codec, text = task.codecs.target, task.codecs.normalize(prefix)
    ids = codec.encode(text)
    if UNK in ids:
        unknown = [piece for i, piece in zip(ids, codec.encode_as_pieces(text), strict=True) if i == UNK]
        raise UserError(f"--prefix: the target vocabulary has no {', '.join(map(repr, unknown))}")
    return ids


def _forcing(task: Seq2SeqTask, model: StepModel, batch: Batch, forced: list[int]) -> StepModel:
    """The model whose every output begins with the pieces `forced`."""
    cap = int(task.search.length_caps(batch.source_lengths).min())
    if len(forced) >= cap:
        raise UserError(
            f"--prefix has {len(forced)} pieces, but the translation of a line may have {cap} with its end: raise "
            "task.search.max_length_offset"
        )
    return ForcedPrefix(model, torch.tensor(forced, device=task.device).expand(len(batch), -1))
