"""Where Redis is unavailable nothing waits for it for long."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Iterator

import pytest

from app.extensions import connect_redis
from app.realtime import NOWHERE, Hub, publish


class Closer:
    """Takes connections and closes them at once, and counts them."""

    def __init__(self) -> None:
        self.socket, self.connections = socket.create_server(("127.0.0.1", 0)), 0
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}/0"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


@pytest.fixture
def closer() -> Iterator[Closer]:
    one = Closer()
    yield one
    one.socket.close()


def test_a_connection_is_tried_twice_and_no_more(closer: Closer) -> None:
    publish(connect_redis(closer.url), uuid.uuid4(), ["contact"])
    assert closer.connections == 2


def test_a_page_has_a_position_without_redis(closer: Closer) -> None:
    assert Hub(connect_redis(closer.url)).position(uuid.uuid4()) == NOWHERE
    assert closer.connections == 2
