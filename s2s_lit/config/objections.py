"""What constructors object to, as messages for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from s2s_lit.errors import UserError


@contextmanager
def objections() -> Iterator[None]:
    """What a part's constructor objects to (sizes that do not fit together), as a message for the user."""
    try:
        yield
    except RuntimeError as error:
        if "memory" not in str(error):
            raise
        raise UserError(f"model: its parameters do not fit into memory ({str(error).splitlines()[0]})") from error
    except ValueError as error:
        reason: BaseException = error
        while isinstance(reason.__cause__, (UserError, ValueError)):  # jsonargparse wraps what an optional part raises
            reason = reason.__cause__
        raise UserError(str(reason)) from error
