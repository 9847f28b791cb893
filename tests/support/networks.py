"""Small networks of every combination of parts, and batches to run them on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.decoders.base import Decoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import Recurrence
from s2s_lit.types import BOS, EOS, PAD, Batch
from support.parts import concrete_subclasses

VOCAB = 23
ATTENTIONS: list[type[Attention] | None] = [None, *concrete_subclasses(Attention, "s2s_lit.nn.attention")]
DECODERS = concrete_subclasses(Decoder, "s2s_lit.nn.decoders")
RECURRENCES = concrete_subclasses(Recurrence, "s2s_lit.nn")


def combinations() -> Iterator[tuple[str, partial[Seq2Seq]]]:
    """Each recurrence, attention and decoder with each other one, named."""
    for decoder in DECODERS:
        for recurrence in RECURRENCES:
            for attention in ATTENTIONS:
                name = f"{decoder.__name__}-{recurrence.__name__}-{attention.__name__ if attention else 'none'}"
                yield name, network(decoder, recurrence, attention)


def network(decoder: type, recurrence: type, attention: type | None) -> partial[Seq2Seq]:
    layers = partial(recurrence, hidden_size=6, num_layers=2)
    return partial(
        Seq2Seq,
        VOCAB,
        VOCAB,
        embedding_size=5,
        encoder=partial(RecurrentEncoder, recurrence=layers, bidirectional=True),
        decoder=partial(decoder, recurrence=layers, attention=attention, feature_size=5),
    )


def random_batch(seed: int = 0, sizes: tuple[tuple[int, int], ...] = ((7, 5), (3, 6), (1, 1), (6, 2))) -> Batch:
    """A padded batch of pairs with the given numbers of source and target pieces (EOS included)."""
    generator = torch.Generator().manual_seed(seed)
    pairs = [
        (
            [*torch.randint(4, VOCAB, (s - 1,), generator=generator).tolist(), EOS],
            torch.randint(4, VOCAB, (t - 1,), generator=generator).tolist(),
        )
        for s, t in sizes
    ]
    return batch_of(pairs)


def batch_of(pairs: list[tuple[list[int], list[int]]], extra: int = 0) -> Batch:
    """Pad pairs of ids to the longest, and `extra` positions more, with ids that would be noticed if looked at."""
    source_size = max(len(s) for s, _ in pairs) + extra
    target_size = max(len(t) for _, t in pairs) + 1 + extra
    fill = 7 if extra else PAD

    def padded(ids: list[int], size: int) -> list[int]:
        return ids + [fill] * (size - len(ids))

    return Batch(
        source_ids=torch.tensor([padded(s, source_size) for s, _ in pairs]),
        source_lengths=torch.tensor([len(s) for s, _ in pairs]),
        target_input_ids=torch.tensor([padded([BOS, *t], target_size) for _, t in pairs]),
        target_ids=torch.tensor([padded([*t, EOS], target_size) for _, t in pairs]),
        target_lengths=torch.tensor([len(t) + 1 for _, t in pairs]),
        source_texts=tuple("" for _ in pairs),
        target_texts=tuple("" for _ in pairs),
    )


def pairs_of(batch: Batch) -> list[tuple[list[int], list[int]]]:
    """The pairs of a batch, without padding."""
    return [
        (batch.source_ids[i, : batch.source_lengths[i]].tolist(), batch.target_ids[i, : n - 1].tolist())
        for i, n in enumerate(batch.target_lengths.tolist())
    ]
