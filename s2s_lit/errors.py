"""The exception whose message is written for the user, and those that end the program without one."""

import difflib
import signal
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend; the message names the key, file or command and the remedy.

    The program prints the message alone, without a traceback, and ends with status 2.
    """


class SettingError(UserError, ValueError):
    """A setting that cannot be used: out of its range, or of a size that does not fit the other parts.

    A ValueError too: that is what a Python program expects of a constructor.
    """


class DivergenceError(UserError):
    """A training whose weights would not be finite any more."""


class PeerError(UserError):
    """Another process of the same training has failed, and says itself why: nothing is to be printed.

    Args:
        message: What the other one says.
        status: What the program ends with.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Terminated(SystemExit):
    """SIGTERM came; the process ends with the status a shell expects, 128 + 15."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


def did_you_mean(word: str, known: Iterable[str], *, prefix: str = "", most: int = 1) -> str:
    """`; did you mean NAME?` with the known names that begin with `word` or are spelled alike; empty if none is.

    Args:
        word: What was given, which is none of them.
        known: The names that would have done.
        prefix: What is to stand before each name, `EXP=`.
        most: How many are offered at most.
    """
    names = sorted(set(known))
    begun = [name for name in names if word and name.lower().startswith(word.lower())]
    near = begun[:most] or difflib.get_close_matches(word, names, n=most, cutoff=0.5)
    return f"; did you mean {', '.join(prefix + name for name in near)}?" if near else ""
