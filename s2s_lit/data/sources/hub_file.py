"""A file of the Hugging Face Hub, read as if it were local."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeVar

from s2s_lit.data.sources.rows import reason_of
from s2s_lit.errors import UserError

T = TypeVar("T")

SCHEME = "hf://"
TOO_OFTEN = "it was asked too often (429): wait some minutes, or log in (hf auth login), which allows more."
_LOG_IN = "it is not open to you: accept its terms at its page on the Hub, then log in with `hf auth login`."
_SAID = {401: _LOG_IN, 403: _LOG_IN, 429: f"the Hub answers that {TOO_OFTEN}"}


class HubFile(io.RawIOBase):
    """The bytes of a file on the Hub, sought and read at will, in blocks of some megabytes.

    The Hub's own client opens it: it logs in, follows the Hub to where the bytes lie, and asks again where a
    connection drops.

    Args:
        address: Its address as `datasets` gives it, `hf://datasets/owner/name@commit/file`.

    Raises:
        UserError: the Hub does not give it.
    """

    def __init__(self, address: str) -> None:
        from huggingface_hub import HfFileSystem, constants

        self.name = address
        # those arguments, so that it is the file system in which `datasets` listed the repository
        files = HfFileSystem(endpoint=constants.ENDPOINT, token=None)
        self._file: Any = self._asked(lambda: files.open(address, "rb"))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        if not len(buffer):
            return 0
        piece = self._asked(lambda: self._file.read(len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()

    def _asked(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except Exception as error:  # what its HTTP client raises depends on the client's version
            status = getattr(getattr(error, "response", None), "status_code", 0)
            again = f"{reason_of(error)}. Try again later, or download it once (data.streaming: false)."
            raise UserError(f"{self.name} cannot be read: {_SAID.get(status, again)}") from error
