"""`s2s neighbours`: the tokens whose vectors are nearest to a word's, in a trained run."""

from __future__ import annotations

import argparse

from rich.table import Table

from s2s_lit.cli.lines import require_utf8
from s2s_lit.cli.tables import terminal
from s2s_lit.config.build import load
from s2s_lit.errors import UserError
from s2s_lit.inference.neighbours import ids_of, nearest, vectors_of
from s2s_lit.tracking.client.runs import download_checkpoint, find_run


def neighbours(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of the nearest tokens by cosine."""
    if arguments.count < 1:
        raise UserError(f"--count must be at least 1, not {arguments.count}")
    record = find_run(arguments.run, dataset=arguments.dataset)
    _, task = load(download_checkpoint(record))
    field, vectors = vectors_of(task, arguments.side)
    tokenizer = field.tokenizer
    ids = ids_of(str(field.read(require_utf8(arguments.word, "--word"))), tokenizer)
    tokens = [tokenizer.tokens[i] for i in ids]
    of_many = f" (the mean of its tokens {' '.join(tokens)})" if len(tokens) > 1 else ""
    console = terminal(120)
    console.print(
        f"\nnearest to {arguments.word}{of_many} among the {arguments.side} tokens of {record.name}",
        style="bold", markup=False, soft_wrap=True,
    )  # fmt: skip
    table = Table("", "token", "cosine")
    for rank, (i, cosine) in enumerate(nearest(vectors, ids, arguments.count), 1):
        table.add_row(str(rank), tokenizer.tokens[i].replace("[", "\\["), f"{cosine:.4f}")
    console.print(table)
    return 0
