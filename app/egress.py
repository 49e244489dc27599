"""Calls to URLs from outside: only to public addresses, over TLS, within seconds, without redirects.

The IP address that is checked is the one that is dialled, so DNS cannot change in between. Of the answer to `post`
only the status and headers are read.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

CONNECT_SECONDS = 5
TOTAL_SECONDS = 10
# How many names a process looks up at a time. A name server that never answers holds each for long, and gevent has ten
# threads for look-ups: the rest is for our own Redis, mail and storage.
LOOKUPS = 6
PORT = 443

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Private and special networks that Python's `is_global` lets through, or treats differently between versions.
INSIDE = tuple(
    ipaddress.ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
# A host that ends so is an IPv4 address, in whatever base it is written (WHATWG URL, “ends in a number”).
NUMBER_AT_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """The URL must not be called."""


class Unreachable(Exception):
    """No answer, or not in time."""

    # Whether it was too late, or ended before it was whole.
    is_timeout = is_half = False

    @classmethod
    def because(cls, error: Exception) -> Unreachable:
        made = cls(type(error).__name__)
        made.is_timeout = isinstance(error, httpcore.TimeoutException)
        made.is_half = isinstance(error, httpcore.ProtocolError)
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """What was got: the beginning of its body, all of it where `is_whole`."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool


def resolve(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_outside(address: str) -> bool:
    """Whether an IP address is public, including an IPv4 address that it embeds."""
    try:
        ip: Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip in NAT64:
        return is_outside(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not any(ip in block for block in INSIDE if block.version == ip.version)


def all_outside(addresses: Sequence[str]) -> Sequence[str]:
    """The addresses to dial. Raises `Refused` unless every one of them is public, and where there is none."""
    if not addresses or not all(map(is_outside, addresses)):
        raise Refused("not a public address")
    return addresses


def checked(url: str) -> httpx.URL:
    """Parses an https URL on port 443 without userinfo. Raises `Refused` for every other."""
    try:
        parsed = httpx.URL(url)
        # Decoded when it is asked for: xn-- may begin what no name is.
        host = parsed.host
    except (httpx.InvalidURL, ValueError, TypeError):
        raise Refused("not an address") from None
    if parsed.scheme != "https" or parsed.port not in (None, PORT) or parsed.userinfo or not parsed.raw_host:
        raise Refused("only https on its usual port")
    if not parsed.raw_host.isascii() or "%" in host:
        raise Refused("not a name")
    return parsed


def checked_by_its_words(url: str) -> httpx.URL:
    """As `checked`, and refuses what is inside by its words alone. Where a name leads is checked at each call."""
    parsed = checked(url)
    host = parsed.host.strip("[]")
    is_address = ":" in host or NUMBER_AT_END.search(host)
    if (is_address and not is_outside(host)) or (not is_address and "." not in host.strip(".")):
        raise Refused("not a public address")
    return parsed


@dataclass
class Egress:
    resolve: Callable[[str, int], Sequence[str]] = resolve
    wire: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    # Where a checked address is dialled by callers that keep their connections (`hooks.calls`).
    route: Callable[[str], tuple[str, int]] = lambda address: (address, PORT)
    # Servers of the operator's own network that some callers may call all the same: addresses as far as their port.
    inside: tuple[str, ...] = ()
    lookups: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(LOOKUPS))
    # Called before each call, and may refuse it by raising.
    before_call: Callable[[], object] = lambda: None

    def post(self, url: str, content: bytes, headers: dict[str, str]) -> Answer:
        """Raises `Refused` before anything is sent, `Unreachable` when there is no answer."""
        with self.answered("POST", url, headers, content) as answer:
            return Answer(answer.status, headers_of(answer))

    def get(self, url: str, headers: dict[str, str], most_bytes: int) -> Page:
        """Reads at most so many bytes of the body, as they are sent. Raises what `post` raises."""
        return self.exchange("GET", url, headers, most_bytes=most_bytes)

    def exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None = None,
        *,
        most_bytes: int,
        seconds: float = TOTAL_SECONDS,
        may_be_inside: bool = False,
    ) -> Page:
        """One request and at most so many bytes of what comes back. Raises what `post` raises.

        `may_be_inside`: servers of the operator's network that are on its list may be called, too.
        """
        body, is_inside = bytearray(), may_be_inside and self.is_inside(url)
        with self.answered(method, url, headers, content, seconds, is_inside=is_inside) as answer:
            for chunk in answer.iter_stream():
                body += chunk
                if len(body) > most_bytes:
                    break
            return Page(answer.status, headers_of(answer), bytes(body[:most_bytes]), len(body) <= most_bytes)

    def look_up(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """The addresses of a name, once there is room to look it up. Raises `httpcore.ConnectTimeout`."""
        if not self.lookups.acquire(timeout=seconds):
            raise httpcore.ConnectTimeout("too many names are being looked up")
        try:
            return self.resolve(host, port)
        finally:
            self.lookups.release()

    def is_inside(self, url: str) -> bool:
        """Whether the operator lets businesses call this server, which is none of the public ones."""
        try:
            return origin_of(httpx.URL(url)) in {origin_of(httpx.URL(one)) for one in self.inside}
        except (httpx.InvalidURL, ValueError, TypeError):
            return False

    @contextlib.contextmanager
    def answered(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None = None,
        seconds: float = TOTAL_SECONDS,
        *,
        is_inside: bool = False,
    ) -> Iterator[httpcore.Response]:
        self.before_call()
        deadline = time.monotonic() + seconds
        wait = dict.fromkeys(("connect", "write", "pool"), CONNECT_SECONDS) | {
            "read": max(CONNECT_SECONDS, seconds - CONNECT_SECONDS)
        }
        guarded: httpcore.NetworkBackend
        if is_inside:
            address, guarded = httpx.URL(url), Timed(self.wire, deadline)
            scheme, port = address.raw_scheme, address.port or {"http": 80}.get(address.scheme, PORT)
        else:
            address, guarded = checked(url), Guarded(self.look_up, self.wire, deadline)
            scheme, port = b"https", PORT
        target = httpcore.URL(scheme=scheme, host=address.raw_host, port=port, target=address.raw_path)
        named = [("Host", address.netloc.decode()), *headers.items()]
        try:
            with (
                httpcore.ConnectionPool(self.trust, network_backend=guarded) as pool,
                pool.stream(method, target, headers=named, content=content, extensions={"timeout": wait}) as answer,
            ):
                yield answer
        except UnicodeError:
            raise Refused("not a name") from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise Unreachable.because(error) from None


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def headers_of(answer: httpcore.Response) -> dict[str, str]:
    return {name.lower().decode(): value.decode("latin-1") for name, value in answer.headers}


class Timed(httpcore.NetworkBackend):
    """Dials what it is given, within the time that is left until the deadline."""

    def __init__(self, wire: httpcore.NetworkBackend, deadline: float) -> None:
        self.wire, self.deadline = wire, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = seconds_left(self.deadline, timeout)
        return Hurried(self.wire.connect_tcp(host, port, seconds, local_address, socket_options), self.deadline)


class Guarded(httpcore.NetworkBackend):
    """Dials only checked addresses, each within the time that is left until the deadline."""

    def __init__(
        self, look_up: Callable[[str, int, float], Sequence[str]], wire: httpcore.NetworkBackend, deadline: float
    ) -> None:
        self.look_up, self.wire, self.deadline = look_up, wire, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = all_outside(self.look_up(host, port, seconds_left(self.deadline, timeout)))
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self.dial(address, port, timeout, local_address, socket_options)
        return self.dial(addresses[-1], port, timeout, local_address, socket_options)

    def dial(self, address: str, port: int, timeout: float | None, *options: Any) -> httpcore.NetworkStream:
        return Hurried(
            self.wire.connect_tcp(address, port, seconds_left(self.deadline, timeout), *options), self.deadline
        )


class Hurried(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream, self.deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, seconds_left(self.deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, seconds_left(self.deadline, timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self.stream.start_tls(ssl_context, server_hostname, seconds_left(self.deadline, timeout))
        return Hurried(inner, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)

    def close(self) -> None:
        self.stream.close()


def seconds_left(deadline: float, timeout: float | None) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("out of time")
    return min(seconds, timeout or seconds)
