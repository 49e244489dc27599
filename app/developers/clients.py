"""Apps that people sign in with. What one registered is in its client_id, signed: nothing of it is stored."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from app import tokens

PURPOSE = "oauth client"
LONGEST_NAME, LONGEST_URI, MOST_URIS, MOST_TEXT, LONGEST_ID = 80, 300, 10, 1_000, 2_500
LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
# Addresses that a browser would not leave to another program.
FORBIDDEN = ("about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "view-source", "ws", "wss")
# A host and perhaps a port. It is put into a header of ours, so it holds nothing that begins another part there.
HOST = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)
SPELT = re.compile(r"([a-z][a-z0-9+.-]*):[\x21-\x7e]+", re.ASCII)


class BadClient(Exception):
    """What was registered is not allowed: a code of RFC 7591 and a sentence."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(frozen=True, slots=True)
class Client:
    """`name` is what the app calls itself: no one has checked it. `home`: the host of its document, if it has one."""

    name: str
    redirect_uris: Sequence[str]
    home: str = ""

    @classmethod
    def register(cls, name: object, redirect_uris: object) -> Self:
        """Raises `BadClient`."""
        uris = redirect_uris if isinstance(redirect_uris, list) else []
        if not 1 <= len(uris) <= MOST_URIS or sum(len(str(uri)) for uri in uris) > MOST_TEXT:
            words = f"Give 1 to {MOST_URIS} redirect_uris of together at most {MOST_TEXT} characters."
            raise BadClient("invalid_redirect_uri", words)
        for uri in uris:
            if not is_safe(uri):
                words = "A redirect_uri is https, http on this computer (127.0.0.1), or a scheme of the app's own."
                raise BadClient("invalid_redirect_uri", words)
        return cls(name_of(name) or host_of(uris[0]), tuple(uris))

    @classmethod
    def read(cls, id: str) -> Self | None:
        """The one whose client_id this is; None for what we never gave."""
        value = tokens.read(PURPOSE, id) if len(id) <= LONGEST_ID else None
        if value is None:
            return None
        name, uris = json.loads(value)
        return cls(name, tuple(uris))

    @property
    def id(self) -> str:
        return tokens.sign(PURPOSE, json.dumps([self.name, self.redirect_uris]))

    def takes(self, redirect_uri: str) -> bool:
        """Whether answers may go there: exactly what was registered, on this computer at any port (RFC 8252)."""
        if not is_safe(redirect_uri):
            # `urlsplit` would leave out line ends and control characters that are still in the address.
            return False
        wanted = without_port(redirect_uri)
        return any(redirect_uri == uri or (wanted and wanted == without_port(uri)) for uri in self.redirect_uris)


def name_of(given: object) -> str:
    """What an app calls itself, in one line; empty where that can't be shown."""
    return " ".join(given.split())[:LONGEST_NAME] if isinstance(given, str) and given.isprintable() else ""


def is_safe(uri: object) -> bool:
    if not isinstance(uri, str) or len(uri) > LONGEST_URI or "#" in uri or "\\" in uri:
        return False
    match = SPELT.fullmatch(uri)
    if match is None or match[1] in FORBIDDEN:
        return False
    try:
        parts = urlsplit(uri)
        _port = parts.port
    except ValueError:
        return False
    if match[1] in ("http", "https") and not HOST.fullmatch(parts.netloc):
        return False
    return match[1] != "http" or without_port(uri) is not None


def without_port(uri: str) -> str | None:
    """An address on this computer, without its port; None for any other."""
    try:
        parts = urlsplit(uri)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        _port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or host not in LOOPBACK or "@" in parts.netloc or "#" in uri:
        return None
    return f"{host}{parts.path}?{parts.query}"


def is_on_this_computer(uri: str) -> bool:
    return without_port(uri) is not None


def host_of(uri: str) -> str:
    """Where answers go, as people recognise it."""
    parts = urlsplit(uri)
    return parts.hostname or f"{parts.scheme}:" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
