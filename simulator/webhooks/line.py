import http.client
import select
import threading
from urllib.parse import urlsplit

TIMEOUT = 10.0
Trouble = (OSError, http.client.HTTPException)


class Line(threading.local):
    """A thread's open connections. Plain http.client, because hundreds of calls a second go through it."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Posts the body and returns the status."""
        address = urlsplit(url)
        connection = self._connection(address.scheme, address.netloc)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            answer.read()
        except Trouble:
            connection.close()
            raise
        return answer.status

    def _connection(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        connection = self._open.setdefault((scheme, netloc), kind(netloc, timeout=TIMEOUT))
        # A quiet socket that can be read has been closed at the other end.
        if connection.sock and select.select([connection.sock], [], [], 0)[0]:
            connection.close()
        return connection
