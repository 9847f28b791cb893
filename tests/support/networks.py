"""Small networks of every combination of parts, and batches to run them on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import torch

from s2s_lit.models.language_model import LanguageModel
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.nn.bridges import Bridge, ProjectedBridge
from s2s_lit.nn.decoders.base import Decoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.outputs.base import Output
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.nn.recurrent import GRU, Recurrence, RecurrenceFactory
from s2s_lit.types import BOS, EOS, PAD, Batch, Inputs, Sequences, Target
from support.parts import concrete_subclasses

VOCAB = 23
SIZES = {"source": VOCAB, "target": VOCAB}
EMBEDDING, FEATURE = 5, 7
ATTENTIONS: list[type[Attention] | None] = [None, *concrete_subclasses(Attention, "s2s_lit.nn.attention")]
DECODERS = concrete_subclasses(Decoder, "s2s_lit.nn.decoders")
RECURRENCES = concrete_subclasses(Recurrence, "s2s_lit.nn")
OUTPUTS = concrete_subclasses(Output, "s2s_lit.nn.outputs")
BRIDGES = concrete_subclasses(Bridge, "s2s_lit.nn")


def combinations() -> Iterator[tuple[str, Callable[[], Seq2Seq]]]:
    """Each part with each decoder, named; the other parts of a network are the plainest."""
    for decoder in DECODERS:
        for attention in ATTENTIONS:
            yield _named(decoder, attention), network(decoder, attention=attention)
        for output in OUTPUTS:
            yield _named(decoder, output), network(decoder, attention=GeneralAttention, output=output)
        for bridge in BRIDGES:
            yield _named(decoder, bridge), network(decoder, bridge=bridge)
        for recurrence in RECURRENCES if has_recurrence(decoder) else []:
            for seen in (GeneralAttention, None):
                yield _named(decoder, recurrence, seen), network(decoder, recurrence=recurrence, attention=seen)


def language_models() -> Iterator[tuple[str, Callable[[], LanguageModel]]]:
    """With each recurrence, tied by a projection; and, with the same recurrence, tied without one and untied."""
    for recurrence in RECURRENCES:
        yield _named(LanguageModel, recurrence), language_model(partial(recurrence, hidden_size=8, num_layers=2))
    plain = partial(GRU, hidden_size=EMBEDDING)
    yield "LanguageModel-tied", language_model(plain)
    yield "LanguageModel-untied", language_model(plain, tie="none")


def language_model(recurrence: RecurrenceFactory, tie: Literal["none", "output"] = "output") -> partial[LanguageModel]:
    """Makes a language model."""
    return partial(LanguageModel, SIZES, recurrence=recurrence, embedding_size=EMBEDDING, tie=tie)


def covering() -> Iterator[tuple[str, Callable[[], Seq2Seq]]]:
    """Those of the combinations that have each part at least once: the plainest decoder with each part, and each other
    decoder with an attention and without. For laws that do not depend on which parts meet."""
    for name, make in combinations():
        decoder, *parts = name.split("-")
        plainest = decoder == "RecurrentDecoder" and parts[1:] != ["none"]
        if plainest or parts in (["GeneralAttention"], ["none"]):
            yield name, make


def has_recurrence(decoder: type[Decoder]) -> bool:
    """Whether its recurrence is to be chosen; otherwise it has a cell of its own."""
    return "recurrence" in inspect.signature(decoder).parameters


def network(
    decoder: type[Decoder],
    *,
    recurrence: type[Recurrence] = GRU,
    attention: type[Attention] | None = None,
    output: type[Output] = LinearOutput,
    bridge: type[Bridge] = ProjectedBridge,
) -> Callable[[], Seq2Seq]:
    """Makes a network whose decoder is wider and deeper than its encoder or, where a part refuses that, alike."""

    def make() -> Seq2Seq:
        try:
            return build(encoder_size=3, encoder_layers=1, decoder_size=8)
        except ValueError:
            return build(encoder_size=4, encoder_layers=2 if has_recurrence(decoder) else 1, decoder_size=8)

    def build(encoder_size: int, encoder_layers: int, decoder_size: int) -> Seq2Seq:
        reading = partial(recurrence, hidden_size=encoder_size, num_layers=encoder_layers)
        writing = partial(recurrence, hidden_size=decoder_size, num_layers=2)
        cell = {"recurrence": writing} if has_recurrence(decoder) else {"hidden_size": decoder_size}
        return Seq2Seq(
            SIZES,
            embedding_size=EMBEDDING,
            encoder=partial(RecurrentEncoder, recurrence=reading, bidirectional=True),
            decoder=partial(decoder, **cell, attention=attention, bridge=bridge, feature_size=FEATURE),
            output=output,
        )

    return make


def _named(*parts: type | None) -> str:
    return "-".join(part.__name__ if part else "none" for part in parts)


def random_batch(seed: int = 0, sizes: tuple[tuple[int, int], ...] = ((7, 5), (3, 6), (1, 1), (6, 2))) -> Batch:
    """A padded batch of pairs with the given numbers of source and target tokens (EOS included)."""
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

    source = torch.tensor([padded(s, source_size) for s, _ in pairs]), torch.tensor([len(s) for s, _ in pairs])
    target = Target(
        inputs=torch.tensor([padded([BOS, *t], target_size) for _, t in pairs]),
        ids=torch.tensor([padded([*t, EOS], target_size) for _, t in pairs]),
        lengths=torch.tensor([len(t) + 1 for _, t in pairs]),
    )
    return Batch(
        Inputs(len(pairs), source=Sequences(*source)),
        target,
        texts=tuple({"source": "", "target": ""} for _ in pairs),
        references=tuple(("",) for _ in pairs),
        rows=tuple(range(len(pairs))),
    )


def pairs_of(batch: Batch) -> list[tuple[list[int], list[int]]]:
    """The pairs of a batch, without padding."""
    source, target = batch.inputs["source"], batch.target
    return [
        (source.values[i, : source.lengths[i]].tolist(), target.ids[i, : n - 1].tolist())
        for i, n in enumerate(target.lengths.tolist())
    ]


def idle_batch() -> Batch:
    """What a process is given that has no example."""
    return Batch.idle(Inputs(1, source=Sequences(torch.tensor([[EOS]]), torch.tensor([1]))))
