"""`s2s dashboard`: optuna-dashboard over the studies of a storage, on this machine alone."""

from __future__ import annotations

import argparse
import socket

from s2s_lit.errors import UserError
from s2s_lit.tuning.study.storage import open_storage, without_password

HOST = "127.0.0.1"


def dashboard(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: until Ctrl-C."""
    from optuna_dashboard import run_server

    storage = open_storage(arguments.storage)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, arguments.port))
        except OSError as error:
            raise UserError(
                f"{HOST}:{arguments.port} cannot be used ({error.strerror}); give another one: make dashboard PORT=8081"
            ) from error
    print(
        f"studies of {without_password(arguments.storage)}: http://{HOST}:{arguments.port}  (Ctrl-C ends it)",
        flush=True,
    )
    run_server(storage, host=HOST, port=arguments.port)
    return 0
