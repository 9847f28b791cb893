"""Raw lines as examples, for translation."""

from __future__ import annotations

from collections.abc import Iterable

from s2s_lit.text.tokenizer import TokenizerPair
from s2s_lit.types import EOS, Example


def encode_lines(lines: Iterable[str], tokenizers: TokenizerPair) -> list[Example]:
    """One example for each line, in their order (`row` is the line's number from 0), with an empty target."""
    texts = [tokenizers.normalize(line) for line in lines]
    encoded = tokenizers.source.encode_batch(texts)
    return [Example([*ids, EOS], [], text, "", row) for row, (ids, text) in enumerate(zip(encoded, texts, strict=True))]
