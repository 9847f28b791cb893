"""What an answer of a tracking server may be: of limited size and time, and from the server that was asked.

MLflow keeps its HTTP sessions to itself, so this file replaces the function that makes them; a test names the version.
"""

from __future__ import annotations

import functools
import io
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from requests import Response

LONGEST_S = 60.0
"""The longest time that an answer may take to come in, once it has begun."""

LARGEST = 2**28
"""The most bytes of an answer. (A thousand runs with all that they say of themselves take a tenth of it.)"""


class UnusableAnswerError(OSError):
    """The server answers, and not as one in which runs can be kept; the message is a sentence for the user."""


@functools.cache
def limit_answers() -> None:
    """Has each answer to MLflow's client checked from now on; a file that is downloaded may be of any size."""
    from mlflow.utils import request_utils

    make_session = request_utils._get_request_session

    def checked_session(*args: Any, **kwargs: Any) -> Any:
        session = make_session(*args, **kwargs)
        if _check not in session.hooks["response"]:
            session.hooks["response"].append(_check)
        return session

    request_utils._get_request_session = checked_session


def _check(response: Response, **kwargs: Any) -> None:
    """Called by requests when the head of an answer is there."""
    url = str(response.request.url)
    asked = _origin(url)
    if response.status_code == 401:
        raise UnusableAnswerError(
            f"The tracking store {asked} asks for a user name and a password: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN)"
        )
    if "location" in response.headers and _origin(urljoin(url, response.headers["location"])) != asked:
        other = _origin(urljoin(url, response.headers["location"]))
        raise UnusableAnswerError(
            f"The tracking store {asked} sends its visitors to {other}: if that is yours, set MLFLOW_TRACKING_URI to it"
        )
    if not kwargs.get("stream"):
        response.raw = io.BytesIO(_read(response, asked))


def _read(response: Response, asked: str) -> bytes:
    """The body, piece by piece as it comes."""
    pieces, size, deadline = [], 0, time.monotonic() + LONGEST_S
    while piece := response.raw.read1(1 << 16, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST or time.monotonic() > deadline:
            response.close()
            raise UnusableAnswerError(
                f"The tracking store {asked} does not come to the end of an answer ({size:,} bytes so far): is it an "
                "MLflow server? Set MLFLOW_TRACKING_URI to one"
            )
    return b"".join(pieces)


def _origin(url: str) -> str:
    """Protocol, host and port, without a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
