"""A trial and its supervisor: who may speak, what is heard, and what happens when either side is gone."""

from __future__ import annotations

import pickle
import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing import connection as tcp
from typing import Any, ClassVar

import pytest

from s2s_lit.tuning.execution.channel import Client, Message, Server


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def served(server: Server, heard: list[Message], seconds: float = 1.0) -> None:
    """Lets the server answer for some time; each second message is answered by `prune`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        server.serve(lambda message: heard.append(message) or {"prune": len(heard) % 2 == 0}, 0.05)


def test_a_trial_is_answered_and_told_when_nobody_is_there() -> None:
    server = Server()
    heard: list[Message] = []
    replies: list[Message] = []
    client = Client(server.address, server.key)
    asking = threading.Thread(target=lambda: replies.extend(client.ask({"place": place}) for place in (1, 2)))
    asking.start()
    while asking.is_alive():
        served(server, heard, 0.1)
    assert heard == [{"place": 1}, {"place": 2}]
    assert replies == [{"prune": False}, {"prune": True}]
    server.close()
    with pytest.raises(ConnectionError):
        client.ask({"place": 3})
    with pytest.raises(ConnectionError):
        Client(server.address, server.key)


def test_it_listens_on_this_machine_alone_and_each_has_a_key_of_its_own(server: Server) -> None:
    other = Server()
    assert server.address[0] == other.address[0] == "127.0.0.1"
    assert server.address != other.address
    assert server.key != other.key
    other.close()


def test_a_stranger_is_not_heard_and_keeps_nobody_out(server: Server) -> None:
    silent = [socket.create_connection(server.address) for _ in range(2)]  # they say nothing at all
    with pytest.raises(AuthenticationError):
        Client(server.address, b"another key")
    heard: list[Message] = []
    asking = threading.Thread(target=lambda: Client(server.address, server.key).ask({"place": 1}))
    asking.start()
    served(server, heard)
    asking.join(10)
    assert heard == [{"place": 1}]
    for one in silent:
        one.close()


class Bomb:
    """Whoever unpickles it says so."""

    went_off: ClassVar[list[bool]] = []

    def __reduce__(self) -> Any:
        return Bomb.went_off.append, (True,)


@pytest.mark.parametrize("sent", [pickle.dumps(Bomb()), b"no JSON", b"0" * 2**17], ids=["pickle", "words", "too much"])
def test_what_is_no_message_ends_the_conversation_and_nothing_else(server: Server, sent: bytes) -> None:
    strange = tcp.Client(server.address, authkey=server.key)
    strange.send_bytes(sent)
    heard: list[Message] = []
    asking = threading.Thread(target=lambda: Client(server.address, server.key).ask({"place": 1}))
    asking.start()
    served(server, heard)
    asking.join(10)
    assert heard == [{"place": 1}]
    assert not Bomb.went_off
    assert strange.poll(5)
    with pytest.raises((EOFError, ConnectionError)):
        strange.recv_bytes()


def test_a_trial_that_dies_is_forgotten(server: Server) -> None:
    dead = Client(server.address, server.key)
    dead._connection.close()
    heard: list[Message] = []
    served(server, heard, 0.5)
    assert heard == []
    assert server._connections == []


def test_closing_leaves_no_thread(server: Server) -> None:
    before = threading.active_count()
    other = Server()
    assert threading.active_count() > before
    other.close()
    assert threading.active_count() == before
