"""A file behind http(s), read as if it were local."""

from __future__ import annotations

import io
import logging
import re
import string
import time
from http.client import HTTPException, HTTPResponse, InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from s2s_lit.errors import UserError

log = logging.getLogger(__name__)

_TIMEOUT_S = 20.0  # without a byte
_PATIENCE_S = 60.0  # without progress
_SLOWEST = 10 << 10  # bytes within _PATIENCE_S
_UNSIZED = 1 << 30  # bytes of a file whose size its server does not tell
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class RemoteFile(io.RawIOBase):
    """The bytes of a URL, sought and read at will; a connection that drops is taken up at the byte where it broke.

    A server that serves ranges is asked for the rest; of one that does not, what was read already is read again and
    thrown away. The file must stay the same meanwhile, by its length and its ETag or date. Where a server tells neither
    a length nor where its answer ends, a drop is an end: compressed files and parquet then fail, plain text is shorter.
    A redirection stays with http(s).

    Args:
        url: Its address.
        retries: Attempts to go on without a byte of progress.
        wait_s: Before the second attempt; doubled before each further one.

    Raises:
        UserError: the server does not give the file, changes it, hangs, or never comes to an end.
    """

    def __init__(self, url: str, *, retries: int = 5, wait_s: float = 0.5) -> None:
        self.url = url
        self.name = url
        self._opener = build_opener(_HttpAlone)
        self._waited_s = 0.0
        self._came = 0
        self._retries = retries
        self._wait_s = wait_s
        self._position = 0
        self._size: int | None = None  # unknown where the server does not say
        self._version: tuple[str | None, ...] | None = None
        self._response: HTTPResponse | None = None
        self._retried(self._connect)  # a wrong address is told at once

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._size is not None

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END and self._size is None:
            raise io.UnsupportedOperation(f"{self.url} does not tell its size")
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size or 0}[whence]
        if start + offset != self._position:
            self._position = start + offset
            self._disconnect()
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._size is not None and self._position >= self._size:
            return 0
        since = time.monotonic()
        count: int = self._retried(lambda: self._read_some(memoryview(buffer)))
        self._position += count
        self._limit(count, time.monotonic() - since)
        return count

    def _limit(self, count: int, waited_s: float) -> None:
        """Raises a UserError if the server sends next to nothing, or more than a file may have."""
        self._came += count
        self._waited_s += waited_s
        if self._waited_s > _PATIENCE_S:
            if self._came < _SLOWEST:
                raise UserError(f"{self.url} hangs: {self._came:,} bytes came in {self._waited_s:.0f} seconds")
            self._came, self._waited_s = 0, 0.0
        if self._size is None and self._position > _UNSIZED:
            raise UserError(
                f"{self.url} sends more than {_UNSIZED >> 20} MB and does not tell its size: download it, and name the "
                "file (data.corpus.files)"
            )

    def close(self) -> None:
        self._disconnect()
        super().close()

    def _read_some(self, buffer: memoryview) -> int:
        if self._response is None:
            self._connect()
        assert self._response is not None
        count = self._response.readinto1(buffer)  # not all of it: a connection that drops would take the rest along
        if not count and len(buffer) and self._size is not None:
            raise ConnectionError("the connection ended before the file did")
        return count

    def _retried(self, attempt: Any) -> Any:
        since = time.monotonic()
        for tried in range(self._retries + 1):
            try:
                return attempt()
            except (OSError, HTTPException, ValueError) as error:
                self._disconnect()
                if _is_final(error) or tried == self._retries or time.monotonic() - since > _PATIENCE_S:
                    raise UserError(f"{self.url} cannot be read: {_said(error)}") from error
                log.warning("%s: %s; trying again.", self.url, error)
                time.sleep(self._wait_s * 2**tried)
        raise AssertionError

    def _connect(self) -> None:
        """A response that stands at the position.

        Raises:
            UserError: it is not the file of the responses before.
        """
        address = quote(self.url, safe=string.punctuation)
        request = Request(address, headers={"Accept-Encoding": "identity", "User-Agent": "s2s_lit"})
        if self._position:
            request.add_header("Range", f"bytes={self._position}-")
        self._response = response = self._opener.open(request, timeout=_TIMEOUT_S)
        served = _RANGE.match(response.headers.get("Content-Range", "")) if response.status == 206 else None
        length = served[2] if served else response.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else self._size  # not every answer tells it
        version = (response.headers.get("ETag"), response.headers.get("Last-Modified"))
        if self._version not in (None, version) or self._size not in (None, size):
            raise UserError(f"{self.url} has changed while it was read: start again")
        self._version, self._size = version, size
        if not served:
            self._skip(response, self._position)
        elif int(served[1]) != self._position:
            raise ConnectionError("the server sent another range than the one it was asked for")

    def _skip(self, response: HTTPResponse, count: int) -> None:
        while count:
            skipped = len(response.read(min(count, 1 << 20)))
            if not skipped:
                raise ConnectionError("the connection ended before the file did")
            count -= skipped

    def _disconnect(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None


class _HttpAlone(HTTPRedirectHandler):
    """Follows redirections from http(s) to http(s), and from https to https alone."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise UserError(f"{req.full_url} sends its readers on to {newurl}, by another protocol: name that address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_final(error: Exception) -> bool:
    """Whether it will be the same next time: no such file, no access, no address."""
    if isinstance(error, HTTPError):
        return error.code < 500 and error.code not in (408, 429)
    return isinstance(error, ValueError | InvalidURL)


def _said(error: Exception) -> str:
    if isinstance(error, HTTPError) and error.code in (401, 403, 407):
        return f"its server wants a password (HTTP {error.code}); download the file and name it instead"
    return (str(error) or type(error).__name__).splitlines()[0]
