"""The one exception whose message is written for the user."""


class UserError(Exception):
    """Something the user can mend; the message names the key, file or command and the remedy.

    The program prints the message alone, without a traceback, and ends with status 2.
    """
