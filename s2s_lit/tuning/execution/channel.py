"""How a trial's process speaks with its supervisor: lines of JSON over a socket that only this user can open.

The trial says a number, the supervisor answers whether to go on. The study itself is touched by the supervisor alone,
so a trial that is killed holds no lock and leaves nothing half written.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class Server:
    """The supervisor's end: answers whoever speaks."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="s2s-")  # readable by this user alone
        self.address = str(Path(self._folder.name) / "socket")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._rest: dict[socket.socket, bytes] = {}

    def serve(self, answer: Callable[[Message], Message], seconds: float) -> None:
        """Answers what is said within so many seconds; returns early once something was."""
        for key, _ in self._selector.select(seconds):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if connection is self._listener:
                accepted, _ = self._listener.accept()
                self._selector.register(accepted, selectors.EVENT_READ)
                self._rest[accepted] = b""
            else:
                self._read(connection, answer)

    def close(self) -> None:
        """Ends all conversations."""
        for connection in list(self._rest):
            self._end(connection)
        self._selector.close()
        self._listener.close()
        self._folder.cleanup()

    def _read(self, connection: socket.socket, answer: Callable[[Message], Message]) -> None:
        try:
            received = connection.recv(65536)
        except OSError:
            received = b""
        if not received:
            self._end(connection)
            return
        *lines, self._rest[connection] = (self._rest[connection] + received).split(b"\n")
        for line in lines:
            reply = json.dumps(answer(json.loads(line))).encode() + b"\n"
            with contextlib.suppress(OSError):  # whoever asked may be gone
                connection.sendall(reply)

    def _end(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._rest[connection]
        connection.close()


class Client:
    """The trial's end.

    Args:
        address: The server's.
    """

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(address)
        self._lines = self._socket.makefile("rb")

    def ask(self, message: Message) -> Message:
        """Says something and waits for the answer.

        Raises:
            ConnectionError: the supervisor is gone.
        """
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the sweep's supervisor is gone")
        reply: Message = json.loads(line)
        return reply
