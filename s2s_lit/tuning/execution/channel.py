"""How a trial's process speaks with its supervisor: messages in JSON over TCP.

The trial says a number, the supervisor answers whether to go on. The study itself is touched by the supervisor alone,
so a trial that is killed holds no lock and leaves nothing half written. Both ends prove that they know a key, which is
drawn anew for each server and stands in a file that only this user can read. What arrives is bytes and is read as
JSON: nothing is unpickled, whoever sent it.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing import connection as tcp
from typing import Any

Message = dict[str, Any]
Address = tuple[str, int]

HOST = "127.0.0.1"
_MOST_BYTES = 2**16
_ACCEPTING = 4  # so that somebody who connects and says nothing keeps nobody out
_LAST_S = 1.0


class Server:
    """The supervisor's end: answers whoever knows its key.

    Attributes:
        address: Where it listens.
        key: What a client must know.
    """

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self._listener = tcp.Listener((HOST, 0), backlog=64, authkey=self.key)
        self.address: Address = self._listener.address
        self._connections: list[tcp.Connection[Any, Any]] = []
        self._closing = False
        self._threads = [threading.Thread(target=self._accept, daemon=True) for _ in range(_ACCEPTING)]
        for thread in self._threads:
            thread.start()

    def serve(self, answer: Callable[[Message], Message], seconds: float) -> None:
        """Answers what is said within so many seconds; returns early once something was."""
        connections = list(self._connections)
        if not connections:
            time.sleep(seconds)
        for connection in tcp.wait(connections, seconds) if connections else ():
            assert isinstance(connection, tcp.Connection)
            self._hear(connection, answer)

    def close(self) -> None:
        """Ends all conversations."""
        self._closing = True
        for _ in self._threads:  # wakes one that waits for a client
            with contextlib.suppress(OSError):
                socket.create_connection(self.address, _LAST_S).close()
        for thread in self._threads:
            thread.join(_LAST_S)
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while not self._closing:
            # A stranger, a client that died as it was greeted, or no file left to open: the next may do better.
            with contextlib.suppress(AuthenticationError, EOFError, OSError):
                self._connections.append(self._listener.accept())

    def _hear(self, connection: tcp.Connection[Any, Any], answer: Callable[[Message], Message]) -> None:
        try:
            message = json.loads(connection.recv_bytes(_MOST_BYTES))
        except (EOFError, OSError, ValueError):  # gone, or it is no message
            self._connections.remove(connection)
            connection.close()
            return
        reply = json.dumps(answer(message)).encode()
        with contextlib.suppress(OSError):  # whoever asked may be gone
            connection.send_bytes(reply)


class Client:
    """The trial's end.

    Args:
        address: The server's.
        key: The server's.

    Raises:
        ConnectionError: Nobody listens there.
    """

    def __init__(self, address: Address, key: bytes) -> None:
        try:
            self._connection = tcp.Client(address, authkey=key)
        except EOFError as error:
            raise ConnectionError("the sweep's supervisor is gone") from error

    def ask(self, message: Message) -> Message:
        """Says something and waits for the answer.

        Raises:
            ConnectionError: The supervisor is gone.
        """
        try:
            self._connection.send_bytes(json.dumps(message).encode())
            reply: Message = json.loads(self._connection.recv_bytes(_MOST_BYTES))
        except EOFError as error:
            raise ConnectionError("the sweep's supervisor is gone") from error
        return reply
