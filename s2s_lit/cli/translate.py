"""`s2s translate`: translates with a finished run, or with several as one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

import torch

from s2s_lit.cli.lines import blocks_of, progress, require_utf8, written
from s2s_lit.data.batching.collate import collate
from s2s_lit.decoding.constraints import ForcedPrefix
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.inference.models import Models, batches_by_length, load_models
from s2s_lit.tasks.base import Task
from s2s_lit.text.lines import encode_lines
from s2s_lit.types import UNK, Batch, Hypothesis


def translate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: one translation a line; with --n_best above 1, `line number, score, translation` a line."""
    if arguments.n_best < 1:
        raise UserError(f"--n_best must be at least 1, not {arguments.n_best}")
    if arguments.n_best > 1:
        overrides = [*overrides, f"--task.search.n_best={arguments.n_best}"]
    if arguments.text is not None and not arguments.text.strip():
        raise UserError("--text (TEXT) is empty: give a sentence, or leave it out to read standard input")
    given = None if arguments.text is None else [require_utf8(arguments.text, "--text")]
    blocks = blocks_of(arguments.source) if given is None else iter([given])
    require_utf8(arguments.prefix, "--prefix")
    models = load_models(arguments.run, dataset=arguments.dataset, mean=arguments.mean, overrides=overrides)
    forced, number = _tokens_of(arguments.prefix, models.task), 1
    with written(arguments.target, arguments.source) as output, progress("translating") as bar:
        for lines in blocks:
            found = hypotheses_of(models, lines, forced, bar.update)
            output.writelines(f"{line}\n" for line in _render(models.task, lines, found, arguments.n_best, number))
            output.flush()
            number += len(lines)
    return 0


def _render(
    task: Task, lines: Sequence[str], found: Sequence[Sequence[Hypothesis]], n_best: int, first: int
) -> Iterator[str]:
    """What is printed of a block whose first line has the number `first`."""
    for number, (line, hypotheses) in enumerate(zip(lines, found, strict=True), first):
        texts = [(h.score, task.text_of(h, task.tokenizers.normalize(line))) for h in hypotheses]
        if n_best == 1:
            yield texts[0][1] if texts else ""
        else:
            yield from (f"{number}\t{score:.4f}\t{text}" for score, text in texts)


def hypotheses_of(
    models: Models, lines: Sequence[str], forced: list[int], told: Callable[[int], object]
) -> list[list[Hypothesis]]:
    """The n best of each line, in the lines' order, all beginning with the tokens `forced`; a line without a token has
    none. `told` hears how many are done each time."""
    task, model, size = models
    examples = encode_lines(lines, task.tokenizers)
    found: list[list[Hypothesis]] = [[] for _ in lines]
    for rows in batches_by_length(examples, [i for i, each in enumerate(examples) if each.source_length > 1], size):
        batch = collate([examples[i] for i in rows]).to(task.device)
        searched = _forcing(task, model, batch, forced) if forced else model
        with torch.inference_mode():
            results = task.search(searched, batch.source_ids, batch.source_lengths, keep_weights=task.replaces_unknown)
        for row, hypotheses in zip(rows, results, strict=True):
            found[row] = hypotheses
        told(len(rows))
    return found


def _tokens_of(prefix: str, task: Task) -> list[int]:
    """The ids of a prefix; what the vocabulary has not cannot be forced."""
    tokenizer, text = task.tokenizers.target, task.tokenizers.normalize(prefix)
    ids = tokenizer.encode(text)
    if UNK in ids:
        unknown = [token for i, token in zip(ids, tokenizer.tokenize(text), strict=True) if i == UNK]
        raise UserError(f"--prefix: the target vocabulary has no {', '.join(map(repr, unknown))}")
    return ids


def _forcing(task: Task, model: StepModel, batch: Batch, forced: list[int]) -> StepModel:
    """The model whose every output begins with the tokens `forced`."""
    cap = int(task.search.length_caps(batch.source_lengths).min())
    if len(forced) >= cap:
        raise UserError(
            f"--prefix has {len(forced)} tokens, but the translation of a line may have {cap} with its end: raise "
            "task.search.max_length_offset"
        )
    return ForcedPrefix(model, torch.tensor(forced, device=task.device).expand(len(batch), -1))
