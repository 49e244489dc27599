"""A network that swallows packets ends a connection within seconds: seen on the sockets themselves."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest
import redis
from psycopg.conninfo import conninfo_to_dict

from app.sockets import POSTGRES, SILENT_MILLISECONDS, redis_options

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such limit")


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


@contextlib.contextmanager
def over_tcp(path: str) -> Iterator[int]:
    """The port of this machine behind which the server with this Unix socket answers once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken, socket.socket(socket.AF_UNIX) as behind:
                behind.connect(path)
                answers = threading.Thread(target=pass_on, args=(behind, taken), daemon=True)
                answers.start()
                pass_on(taken, behind)
                behind.shutdown(socket.SHUT_RDWR)
                answers.join()

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1]
        server.join(timeout=10)


def limits_of(descriptor: int) -> tuple[int, int, int]:
    with socket.socket(fileno=socket.dup(descriptor)) as same:
        kept_alive = same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle = same.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        return kept_alive, idle, same.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_of_postgres(superuser_url: str) -> None:
    where = conninfo_to_dict(superuser_url)
    path = f"{where.pop('host')}/.s.PGSQL.{where.pop('port', 5432)}"
    with over_tcp(path) as port, psycopg.connect(**where | POSTGRES | {"host": "127.0.0.1", "port": port}) as opened:
        assert limits_of(opened.fileno()) == (1, 10, SILENT_MILLISECONDS)


def test_of_redis() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        pool = redis.ConnectionPool.from_url(url, **redis_options(url))
        made = pool.connection_class(**pool.connection_kwargs)
        with made._connect() as opened:
            assert limits_of(opened.fileno()) == (1, 10, SILENT_MILLISECONDS)


def test_a_socket_of_this_machine_needs_none() -> None:
    assert redis_options("unix:///run/redis.sock?db=0") == {}
