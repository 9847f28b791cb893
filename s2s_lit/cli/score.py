"""`s2s score`: how likely a finished run holds given outputs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from s2s_lit.cli.lines import blocks_of, name_of, progress, written
from s2s_lit.errors import UserError
from s2s_lit.inference.generator import Raw
from s2s_lit.inference.models import load_models
from s2s_lit.inference.scoring import score as log_probabilities

_BLOCK = 2000  # pairs of two files that are scored together


def score(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: log P(target | source), a line for each pair; with --tokens, `pair number, token, its share` a line.

    For a run that reads no input a line is a target alone.
    """
    models = load_models(arguments.run, dataset=arguments.dataset, mean=arguments.mean, overrides=overrides)
    blocks: Iterator[Sequence[tuple[Raw, str]]] = (
        pairs_of(arguments.pairs, arguments.targets)
        if models.fields.inputs
        else texts_of(arguments.pairs, arguments.targets)
    )
    number = 0
    with written(arguments.output, arguments.pairs, arguments.targets) as output, progress("scoring") as bar:
        for pairs in blocks:
            for scored in log_probabilities(models, pairs, told=bar.update):
                number += 1
                lines = [f"{sum(log_prob for _, log_prob in scored):.4f}"]
                if arguments.tokens:
                    lines = [f"{number}\t{token}\t{log_prob:.4f}" for token, log_prob in scored]
                output.writelines(f"{line}\n" for line in lines)
            output.flush()
    return 0


def pairs_of(sources: Path | None, targets: Path | None) -> Iterator[list[tuple[str, str]]]:
    """Pairs of one file (`source, tab, target` a line), or of two, line by line; in blocks.

    Raises:
        UserError: a line has not two columns, or the files differ in length.
    """
    blocks, name = blocks_of(sources), name_of(sources)
    return _split(blocks, name) if targets is None else _zipped(blocks, blocks_of(targets), f"{name} and {targets}")


def texts_of(file: Path | None, targets: Path | None) -> Iterator[list[tuple[Raw, str]]]:
    """Targets without an input, one a line; in blocks.

    Raises:
        UserError: There is a second file.
    """
    if targets is not None:
        raise UserError(f"--targets {targets}: this run reads no input, so give its texts by --in alone")
    return ([({}, line) for line in lines] for lines in blocks_of(file))


def _split(blocks: Iterator[list[str]], name: str) -> Iterator[list[tuple[str, str]]]:
    number = 0
    for lines in blocks:
        pairs = []
        for line in lines:
            number += 1
            columns = line.split("\t")
            if len(columns) != 2:
                raise UserError(
                    f"line {number} of {name} has {len(columns)} columns, not a source, a tab and a target; for two "
                    "files give --in SOURCES --targets TARGETS"
                )
            pairs.append((columns[0], columns[1]))
        yield pairs


def _zipped(sources: Iterator[list[str]], targets: Iterator[list[str]], names: str) -> Iterator[list[tuple[str, str]]]:
    """Both are read to their ends before the work begins: a line that one lacks would make all pairs wrong ones."""
    lines, others = (list(chain.from_iterable(blocks)) for blocks in (sources, targets))
    if len(lines) != len(others):
        raise UserError(f"{names} have {len(lines)} and {len(others)} lines")
    pairs = list(zip(lines, others, strict=True))
    return (pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK))
