"""Generated rows on disk: generated once, and read from then on."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from s2s_lit.text.cache import folder, read_checked, write_checked

log = logging.getLogger(__name__)

_MOST_BYTES = 64 << 20  # of one shard; a longer one would cost more memory and disk than its generation costs time


@cache
def source_hash(package: Path) -> str:
    """A hash of the files in a package: its code and its tables, whatever else lies there."""
    digest = hashlib.sha256()
    for file in sorted(file for file in package.rglob("*") if file.suffix in (".py", ".tsv")):
        digest.update(f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def generated_once(key: str, generate: Callable[[], Iterable[dict[str, str]]]) -> Iterator[dict[str, str]]:
    """The rows that `generate` makes: from disk, or generated now and, once all of them are, written there.

    Args:
        key: Names all that the rows depend on, as the generator's `source_hash`, seed and number of rows.
        generate: Makes the rows.
    """
    path = folder() / "corpora" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.jsonl"
    try:
        content = read_checked(path)
    except (OSError, ValueError) as error:
        log.warning("%s is not used and generated again: %s", path, error)
        content = None
    if content is not None:
        yield from map(json.loads, content.splitlines())
        return
    written = bytearray()
    for row in generate():
        if len(written) <= _MOST_BYTES:
            written += json.dumps(row, ensure_ascii=False).encode() + b"\n"
        yield row
    if len(written) <= _MOST_BYTES:
        write_checked(path, bytes(written), what="The generated corpus")
