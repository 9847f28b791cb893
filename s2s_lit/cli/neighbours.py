"""`s2s neighbours`: the tokens whose vectors are nearest to a word's, in a trained run."""

from __future__ import annotations

import argparse

from rich.table import Table

from s2s_lit.cli.lines import require_utf8
from s2s_lit.cli.tables import terminal
from s2s_lit.errors import UserError
from s2s_lit.inference.bundle import read_bundle
from s2s_lit.inference.models import checkpoint_of
from s2s_lit.inference.neighbours import ids_of, nearest, vectors_of


def neighbours(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of the nearest tokens by cosine."""
    if arguments.count < 1:
        raise UserError(f"--count must be at least 1, not {arguments.count}")
    name, checkpoint = checkpoint_of(arguments.run, arguments.dataset)
    trained = read_bundle(checkpoint)
    field, vectors = vectors_of(trained.model, trained.fields, arguments.side)
    tokenizer = field.tokenizer
    ids = ids_of(str(field.read(require_utf8(arguments.word, "--word"))), tokenizer)
    tokens = [tokenizer.tokens[i] for i in ids]
    of_many = f" (the mean of its tokens {' '.join(tokens)})" if len(tokens) > 1 else ""
    console = terminal(120)
    console.print(
        f"\nnearest to {arguments.word}{of_many} among the {arguments.side} tokens of {name}",
        style="bold", markup=False, soft_wrap=True,
    )  # fmt: skip
    table = Table("", "token", "cosine")
    for rank, (i, cosine) in enumerate(nearest(vectors, ids, arguments.count), 1):
        table.add_row(str(rank), tokenizer.tokens[i].replace("[", "\\["), f"{cosine:.4f}")
    console.print(table)
    return 0
