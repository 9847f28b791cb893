"""A Kneser-Ney trigram beside a trained language model: the perplexities of both on the same tokens.

    python experiments/trigram.py RUN [--dataset DATA] [--split test]

RUN is what `make evaluate` takes. The trigram counts the tokens of the run's whole training split, with its tokenizer.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import torch

from s2s_lit.config.build import load
from s2s_lit.metrics.likelihood import TextLikelihood
from s2s_lit.tracking.client.runs import download_checkpoint, find_run
from s2s_lit.types import BOS, Batch

ORDER = 3
Gram = tuple[int, ...]


class KneserNey:
    """Interpolated Kneser-Ney (Chen & Goodman 1999, section 2.7), with one discount for each order.

        p_k(w | h) = max(c(h w) - D_k, 0) / c(h) + D_k N(h) / c(h) p_(k-1)(w | h without its first token)

    c counts an n-gram in the text for the highest order; for the others, by how many tokens it is preceded. c(h) sums
    c(h w) over w, N(h) counts the w that follow h; p_0 = 1 / vocabulary. D_k = n1 / (n1 + 2 n2), of the n-grams that
    were counted once and twice (1 / 2 where none was counted once).

    Args:
        texts: Tokens of each text, its end mark among them.
        vocabulary: How many tokens there are that can follow.
        order: n of the longest n-grams.
    """

    def __init__(self, texts: Iterable[Sequence[int]], vocabulary: int, order: int = ORDER) -> None:
        self.vocabulary = vocabulary
        self.order = order
        counts = Counter(gram for text in texts for gram in grams(text, order))
        self._levels = [_Level(counts)]
        while len(next(iter(counts))) > 1:
            counts = Counter(gram[1:] for gram in counts)
            self._levels.append(_Level(counts))

    def probability(self, gram: Gram) -> float:
        """That of the last token after those before it."""
        found = 1 / self.vocabulary
        for level in reversed(self._levels):
            found = level.interpolated(gram, found)
        return found

    def nll(self, text: Sequence[int]) -> float:
        """What a text costs, in nats."""
        return -sum(math.log(self.probability(gram)) for gram in grams(text, self.order))


class _Level:
    """The n-grams of one order."""

    def __init__(self, counts: Counter[Gram]) -> None:
        self.counts = counts
        self.size = len(next(iter(counts)))
        self.totals: Counter[Gram] = Counter()
        self.followers: Counter[Gram] = Counter()
        for gram, count in counts.items():
            self.totals[gram[:-1]] += count
            self.followers[gram[:-1]] += 1
        once, twice = (sum(count == n for count in counts.values()) for n in (1, 2))
        self.discount = once / (once + 2 * twice) if once else 0.5

    def interpolated(self, gram: Gram, shorter: float) -> float:
        """p_k of the gram's last token, `shorter` being p_(k-1)."""
        gram = gram[-self.size :]
        total = self.totals[gram[:-1]]
        if not total:
            return shorter
        kept = max(self.counts[gram] - self.discount, 0)
        return (kept + self.discount * self.followers[gram[:-1]] * shorter) / total


def grams(text: Sequence[int], order: int) -> Iterator[Gram]:
    """The n-grams that end with each token of a text, which begins with begin marks."""
    padded = [BOS] * (order - 1) + list(text)
    return zip(*(padded[place:] for place in range(order)), strict=False)


def texts_of(batches: Iterable[Batch]) -> Iterator[list[int]]:
    """The tokens of each target, with its end mark."""
    for batch in batches:
        for ids, length in zip(batch.target.ids.tolist(), batch.target.lengths.tolist(), strict=True):
            yield ids[:length]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--dataset")
    parser.add_argument("--split", default="test")
    arguments = parser.parse_args()
    record = find_run(arguments.run, dataset=arguments.dataset)
    experiment, task = load(download_checkpoint(record))
    possible = task.fields.target.size - 2  # without PAD and BOS
    model = KneserNey(texts_of(experiment.data.loader("train")), possible)
    scores = TextLikelihood()
    for batch in experiment.data.loader(arguments.split):
        nll = sum(map(model.nll, texts_of([batch])))
        scores.update(torch.tensor(nll), torch.zeros(len(batch.target.tokens), dtype=torch.bool), batch.target.mask)
        scores.count_words(references[0] for references in batch.references)
    found = scores.compute()
    print(f"perplexity on {arguments.split}      by token    by word")
    names = ("perplexity", "word_perplexity")
    print(f"Kneser-Ney trigram   {'  '.join(f'{float(found[name]):10.3f}' for name in names)}")
    logged = (record.metrics.get(f"{arguments.split}/{name}", math.nan) for name in names)
    print(f"{record.name:20} {'  '.join(f'{value:10.3f}' for value in logged)}")


if __name__ == "__main__":
    main()
