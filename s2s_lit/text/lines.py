"""Raw lines as examples, for translation."""

from __future__ import annotations

from collections.abc import Iterable

from s2s_lit.text.codec import CodecPair
from s2s_lit.types import EOS, Example


def encode_lines(lines: Iterable[str], codecs: CodecPair) -> list[Example]:
    """One example for each line, in their order (`row` is the line's number from 0), with an empty target."""
    texts = [codecs.normalize(line) for line in lines]
    encoded = codecs.source.encode_batch(texts)
    return [Example([*ids, EOS], [], text, "", row) for row, (ids, text) in enumerate(zip(encoded, texts, strict=True))]
