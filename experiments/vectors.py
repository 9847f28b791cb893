"""Makes experiments/vectors/*: word vectors counted in the built-in corpus, in word2vec's text format.

Positive pointwise mutual information of words within `WINDOW` positions, factorized by SVD (Levy & Goldberg 2014):
row i of U sqrt(S). `python experiments/vectors.py`
"""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np

from s2s_lit.corpora.captions.generate import generate
from s2s_lit.text.normalize import normalize
from s2s_lit.text.words import tokenize

WINDOW = 2  # positions to each side
WORDS = 600  # the most frequent get a vector
SIZE = 64
FOLDER = Path(__file__).parent / "vectors"


def vectors(sentences: list[list[str]]) -> tuple[list[str], np.ndarray]:
    """The most frequent words, and their vectors [WORDS, SIZE] with a mean length of one."""
    words = [word for word, _ in Counter(word for words in sentences for word in words).most_common(WORDS)]
    index = {word: i for i, word in enumerate(words)}
    counts = np.zeros((len(words), len(words)))
    for sentence in sentences:
        ids = [index.get(word) for word in sentence]
        for distance in range(1, WINDOW + 1):
            for one, other in zip(ids, ids[distance:], strict=False):
                if one is not None and other is not None:
                    counts[one, other] += 1
                    counts[other, one] += 1
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    information = np.log(np.maximum(counts / np.maximum(expected, 1e-9), 1.0))
    u, s, _ = np.linalg.svd(information)
    found = u[:, :SIZE] * np.sqrt(s[:SIZE])
    return words, found / np.linalg.norm(found, axis=1).mean()


def main() -> None:
    rows = list(generate("train", rows=30_000))
    for language in ("en", "de"):
        words, table = vectors([tokenize(normalize(row[language])) for row in rows])
        lines = [
            f"{len(words)} {SIZE}",
            *(f"{w} {' '.join(f'{x:.2f}' for x in v)}" for w, v in zip(words, table, strict=True)),
        ]
        with (FOLDER / f"builtin_{language}_{SIZE}.txt.gz").open("wb") as file:
            file.write(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


if __name__ == "__main__":
    main()
