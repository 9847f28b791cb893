"""What a store's failures mean: one sentence for the user, and whether the same call may succeed later."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.server_answers import UnusableAnswerError


@contextlib.contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turns a store's refusal into one sentence for the user."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        if answer := unusable_answer(error):
            raise UserError(str(answer)) from error
        raise UserError(
            f"The tracking store {without_password(uri)} does not answer ({without_password(reason_of(error))}). "
            "Start it, or set MLFLOW_TRACKING_URI to another one."
        ) from error


def unusable_answer(error: BaseException | None) -> UnusableAnswerError | None:
    """What was wrong with a server's answer, if that is why MLflow raised the error."""
    while error is not None and not isinstance(error, UnusableAnswerError):
        error = error.__cause__ or error.__context__
    return error


def without_password(text: str) -> str:
    """The text, in which addresses have no user name and password."""
    return re.sub(r"://[^/@\s]+@", "://…@", text)


def permanent(error: Exception) -> bool:
    """True when sending the same thing again cannot help: the store calls it malformed, or the file is gone.

    BAD_REQUEST is no such word: MLflow says it of a database whose connections are all in use or were closed, too.
    """
    return isinstance(error, FileNotFoundError) or getattr(error, "error_code", None) == "INVALID_PARAMETER_VALUE"


def of_deleted_run(error: Exception) -> bool:
    """True when the store takes nothing because the run was deleted; it can be restored."""
    return "must be in the 'active' state" in str(error)


def reason_of(error: Exception) -> str:
    """One line; SQLAlchemy names the error proper after a line of its own."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((line for line in lines if "Error)" in line), lines[0])[:300]
