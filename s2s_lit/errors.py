"""The exception whose message is written for the user, and those that end the program without one."""

import signal


class UserError(Exception):
    """Something the user can mend; the message names the key, file or command and the remedy.

    The program prints the message alone, without a traceback, and ends with status 2.
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
