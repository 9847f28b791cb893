"""The cache on disk: files with a checksum; built tokenizers, known by a hash of everything they were built from."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger(__name__)

_DIGEST = hashlib.sha256().digest_size  # bytes in front of the content


def folder() -> Path:
    """`$S2S_CACHE`, else `$XDG_CACHE_HOME/s2s_lit`, else `~/.cache/s2s_lit`."""
    if own := os.environ.get("S2S_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "s2s_lit"


def content_key(identity: Sequence[str], texts: Iterable[str]) -> str:
    """A hash of the builder's identity and of the text itself."""
    digest = hashlib.sha256()
    for part in identity:
        digest.update(part.encode() + b"\0")
    for text in texts:
        digest.update(f"{text}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()


def path_of(key: str) -> Path:
    return folder() / "tokenizers" / f"{key[:32]}.pt"


def load(key: str) -> dict[str, Any] | None:
    """The state stored under `key`, or None; a file that is not whole raises whatever its reading raises."""
    content = read_checked(path_of(key))
    if content is None:
        return None
    stored: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    if stored["key"] != key:
        raise ValueError("it belongs to another text")
    state: dict[str, Any] = stored["state"]
    return state


def store(key: str, state: dict[str, Any]) -> None:
    """Stores the state under `key`, as `write_checked` does."""
    content = io.BytesIO()
    torch.save({"key": key, "state": state}, content)
    write_checked(path_of(key), content.getvalue(), what="The vocabulary")


def read_checked(path: Path) -> bytes | None:
    """What `write_checked` wrote there, None if there is no such file.

    Raises:
        ValueError: the file is not as it was written (torch, for one, reads a flipped bit without a word).
    """
    if not path.exists():
        return None
    whole = path.read_bytes()
    if hashlib.sha256(whole[_DIGEST:]).digest() != whole[:_DIGEST]:
        raise ValueError("it is damaged")
    return whole[_DIGEST:]


def write_checked(path: Path, content: bytes, *, what: str) -> None:
    """Writes a whole file or none, with a checksum in front.

    A folder that cannot be written costs the next run the time to make `what` again, and does not stop this one.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            temporary = file.name
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(temporary, path)
    except OSError as error:
        log.warning("%s is not cached (%s): set S2S_CACHE to a folder that can be written.", what, error)
        if temporary:
            Path(temporary).unlink(missing_ok=True)
