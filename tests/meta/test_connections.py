"""The wire itself: what is reused, what is not, and what an answer that breaks off is."""

import contextlib
import gzip
import pathlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from app.meta import connections, graph
from app.meta.connections import Connections
from app.meta.graph import GraphClient, NoAnswer, NotConnected

from .conftest import SECRET, TOKEN


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.opened.append(self)  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        getattr(self, self.path.partition("?")[0].rpartition("/")[2])()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(b'{"size": %d}' % len(body))

    def answer(self, body: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def plain(self) -> None:
        self.answer(b'{"id": "1"}')

    def together(self) -> None:
        self.server.together.wait(10)  # type: ignore[attr-defined]
        self.plain()

    def half(self) -> None:
        self.answer(b'{"id": "1"}', 500)
        self.close_connection = True

    def hangs_up(self) -> None:
        self.plain()
        self.close_connection = True

    def chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b'6\r\n{"id":\r\n5\r\n "1"}\r\n0\r\n\r\n')

    def early(self) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.plain()

    def only_early(self) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")

    def split(self) -> None:
        self.answer(b'{"id": "1"}HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"id": "2"}', 11)

    def redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/v25.0/plain")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def many_headers(self) -> None:
        self.send_response(200)
        for n in range(200):
            self.send_header(f"X-{n}", "a" * 1000)
        self.end_headers()

    def long_header(self) -> None:
        self.send_response(200)
        self.send_header("X", "a" * 100_000)
        self.end_headers()

    def cut(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b'6\r\n{"id":\r\n')
        self.close_connection = True

    def no_chunk(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"zz\r\n{}\r\n")
        self.close_connection = True

    def nothing(self) -> None:
        self.send_response(204)
        self.end_headers()

    def garbage(self) -> None:
        self.wfile.write(b"\x00\x01garbage\r\n\r\n")
        self.close_connection = True

    def bomb(self) -> None:
        packed = gzip.compress(b"[" + b" " * 2_000_000 + b"]")
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def not_packed(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        server.opened, server.together = [], threading.Barrier(20)  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def wired(server: Any) -> Iterator[GraphClient]:
    client = client_of(server)
    yield client
    client.close()


def client_of(server: Any, transport: httpx.BaseTransport | None = None, **more: Any) -> GraphClient:
    return GraphClient(f"http://127.0.0.1:{server.server_port}", "v25.0", "1", SECRET, transport=transport, **more)


def test_a_connection_serves_one_request_after_the_other(wired: GraphClient, server: Any) -> None:
    for _ in range(3):
        assert wired.get("plain", token=TOKEN) == wired.get("chunked", token=TOKEN) == {"id": "1"}
    assert wired.post("sized", token=TOKEN, json={"a": 1}) == {"size": 7}
    assert len(server.opened) == 1


def test_requests_at_one_time_have_a_connection_each(wired: GraphClient, server: Any) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: wired.get("together", token=TOKEN), range(20)))
    assert answers == [{"id": "1"}] * 20
    assert len(server.opened) == 20


def test_a_connection_that_meta_has_closed_is_not_used_again(wired: GraphClient, server: Any) -> None:
    wired.get("hangs_up", token=TOKEN)
    with contextlib.suppress(OSError):  # its own thread may have been quicker
        server.opened[0].connection.shutdown(socket.SHUT_RDWR)
    for _ in range(2):
        assert wired.post("sized", token=TOKEN, json={"a": 1}) == {"size": 7}
    assert len(server.opened) == 2


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    wired: GraphClient, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired.get("plain", token=TOKEN)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    wired.get("plain", token=TOKEN)
    assert len(server.opened) == 2


def test_an_answer_that_breaks_off_is_no_answer(wired: GraphClient, server: Any) -> None:
    for _ in range(2):
        with pytest.raises(NoAnswer):
            wired.get("half", token=TOKEN)
    assert len(server.opened) == 2


def test_a_request_beyond_the_most_at_one_time_is_not_sent(server: Any) -> None:
    full = Connections(1)
    full.room.acquire()
    client = client_of(server, full, timeout=httpx.Timeout(5.0, pool=0.01))
    with pytest.raises(NotConnected):
        client.get("plain", token=TOKEN)
    full.room.release()
    for _ in range(3):
        assert client.get("plain", token=TOKEN) == {"id": "1"}
    client.close()


def test_an_answer_that_does_not_come_is_no_answer_and_leaves_room(server: Any) -> None:
    client = client_of(server, Connections(1), timeout=httpx.Timeout(5.0, read=0.05))
    with pytest.raises(NoAnswer):
        client.get("together", token=TOKEN)
    assert client.get("plain", token=TOKEN) == {"id": "1"}
    client.close()


BROKEN = ["early", "many_headers", "long_header", "cut", "no_chunk", "nothing", "garbage", "redirect", "not_packed"]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_answer_is_no_answer_and_spoils_no_other(wired: GraphClient, kind: str) -> None:
    for _ in range(3):
        with pytest.raises(NoAnswer):
            wired.get(kind, token=TOKEN)
        assert wired.get("plain", token=TOKEN) == {"id": "1"}


def test_a_connection_whose_answer_is_still_to_come_is_not_used_again(wired: GraphClient, server: Any) -> None:
    with pytest.raises(NoAnswer):
        wired.get("only_early", token=TOKEN)
    assert wired.get("plain", token=TOKEN) == {"id": "1"} and len(server.opened) == 2


def test_what_follows_an_answer_is_not_taken_for_the_next(wired: GraphClient) -> None:
    for _ in range(3):
        assert wired.get("split", token=TOKEN) == wired.get("chunked", token=TOKEN) == {"id": "1"}


def test_an_answer_that_unpacks_to_too_much_is_none(wired: GraphClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_BYTES", 1_000_000)
    with pytest.raises(NoAnswer):
        wired.get("bomb", token=TOKEN)
    assert wired.get("plain", token=TOKEN) == {"id": "1"}


def test_an_answer_that_never_ends_is_none(wired: GraphClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_SECONDS", -1.0)
    with pytest.raises(NoAnswer):
        wired.get("plain", token=TOKEN)


def test_who_has_no_certificate_of_an_authority_gets_nothing(server: Any, tmp_path: pathlib.Path) -> None:
    key, certificate = str(tmp_path / "key"), str(tmp_path / "certificate")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    client = GraphClient(f"https://127.0.0.1:{server.server_port}", "v25.0", "1", SECRET)
    with pytest.raises(NotConnected):
        client.get("plain", token=TOKEN)
    client.close()
