"""`s2s neighbours`: the pieces whose vectors are nearest to a word's, in a trained run."""

from __future__ import annotations

import argparse
import sys

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor

from s2s_lit.cli.build import load
from s2s_lit.cli.lines import require_utf8
from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.text.codec import Codec
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.text.words import JOINER
from s2s_lit.tracking.embedding_maps import embedding_figure
from s2s_lit.tracking.store import download_checkpoint, find_run
from s2s_lit.types import UNK

DRAWN = 150  # pieces of the picture


def neighbours(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of the nearest pieces by cosine."""
    if arguments.count < 1:
        raise UserError(f"--count must be at least 1, not {arguments.count}")
    record = find_run(arguments.run, dataset=arguments.dataset)
    _, task = load(download_checkpoint(record))
    codec, vectors = side_of(task, arguments.side)
    ids = ids_of(task.codecs.normalize(require_utf8(arguments.word, "--word")), codec)
    pieces = [codec.pieces[i] for i in ids]
    of_many = f" (the mean of its pieces {' '.join(pieces)})" if len(pieces) > 1 else ""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(
        f"\nnearest to {arguments.word}{of_many} among the {arguments.side} pieces of {record.name}",
        style="bold", markup=False, soft_wrap=True,
    )  # fmt: skip
    table = Table("", "piece", "cosine")
    for rank, (i, cosine) in enumerate(nearest(vectors, ids, arguments.count), 1):
        table.add_row(str(rank), codec.pieces[i].replace("[", "\\["), f"{cosine:.4f}")
    console.print(table)
    return 0


def side_of(task: Seq2SeqTask, side: str) -> tuple[Codec, Tensor]:
    """The codec of a side and its table [V, E]."""
    embedding = getattr(task.model, f"{side}_embedding")
    codec: Codec = getattr(task.codecs, side)
    table: Tensor = embedding.table.weight.detach().float().cpu()
    return codec, table


def ids_of(word: str, codec: Codec) -> list[int]:
    """The ids of a normalized word: of the piece that is spelled so, else of the pieces that it is cut into.

    Raises:
        UserError: the vocabulary does not know it.
    """
    if word in codec.pieces[len(SPECIALS) :]:
        return [codec.pieces.index(word)]
    ids = codec.encode(word)
    if not ids or UNK in ids:
        hint = did_you_mean(word, codec.pieces[len(SPECIALS) :], most=5)
        raise UserError(f"WORD, --word: the vocabulary has no {word!r}{hint}")
    return ids


def nearest(vectors: Tensor, ids: list[int], count: int) -> list[tuple[int, float]]:
    """The ids whose rows of `vectors` [V, E] have the largest cosine to the mean of rows `ids`, best first.

    The specials and `ids` themselves are left out.
    """
    cosines = torch.cosine_similarity(vectors, vectors[ids].mean(dim=0, keepdim=True))
    cosines[[*range(len(SPECIALS)), *ids]] = -torch.inf
    count = min(count, int(cosines.isfinite().sum()))
    found = cosines.topk(count)
    return list(zip(found.indices.tolist(), found.values.tolist(), strict=True))


def picture(task: Seq2SeqTask, side: str) -> Figure:
    """The most frequent pieces of a side; ids are in the order of counts, or of sentencepiece's scores."""
    codec, vectors = side_of(task, side)
    start, stop = len(SPECIALS), len(SPECIALS) + DRAWN
    pieces = [piece.replace(JOINER, "·") for piece in codec.pieces[start:stop]]  # which the picture's font lacks
    return embedding_figure(vectors[start:stop].numpy(), pieces, title=f"{side} embedding, {len(pieces)} first pieces")
