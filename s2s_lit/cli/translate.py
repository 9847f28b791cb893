"""`s2s translate`: translates with a finished run, or with several as one."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator, Sequence

from s2s_lit.cli.lines import blocks_of, progress, require_utf8, written
from s2s_lit.errors import UserError
from s2s_lit.inference.generator import Generated, generate, prefix_ids
from s2s_lit.inference.models import load_models


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
    if not models.fields.inputs:
        run = shlex.quote(" ".join(arguments.run))
        raise UserError(f"this run reads no input, so it only generates: make generate RUN={run}")
    prefix, number = prefix_ids(models, arguments.prefix), 1
    with written(arguments.target, arguments.source) as output, progress("translating") as bar:
        for lines in blocks:
            found = list(generate(models, lines, prefix=prefix, told=bar.update))
            output.writelines(f"{line}\n" for line in _render(found, arguments.n_best, number))
            output.flush()
            number += len(lines)
    return 0


def _render(found: Iterable[Sequence[Generated]], n_best: int, first: int) -> Iterator[str]:
    """What is printed of a block whose first line has the number `first`."""
    for number, outputs in enumerate(found, first):
        if n_best == 1:
            yield outputs[0].text if outputs else ""
        else:
            yield from (f"{number}\t{output.score:.4f}\t{output.text}" for output in outputs)
