"""How customers' phones encrypt for the data endpoint of a form (Meta: Flows, Implementing the endpoint).

AES-128-GCM with the tag at the end, its key by RSA-OAEP with SHA-256; the answer with every bit of the vector flipped.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .payload import loads, mapping, text

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
# What a form may hold; Meta's own limit of a payload is far below.
MOST_CHARACTERS = 1_500_000


class Unreadable(ValueError):
    """None of the keys opens it, or it is in no known form. Meta is answered 421: phones then fetch the key again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A request in the clear, and what its answer is encrypted with."""

    request: dict[str, Any]
    key: bytes
    vector: bytes

    def seal(self, answer: dict[str, Any]) -> str:
        flipped = bytes(byte ^ 0xFF for byte in self.vector)
        sealed = AESGCM(self.key).encrypt(flipped, json.dumps(answer, ensure_ascii=False).encode(), None)
        return base64.b64encode(sealed).decode()


def open_request(body: bytes, private_keys: Iterable[str]) -> Opened:
    """The request, by the first key that opens it. Raises `Unreadable`."""
    try:
        given = mapping(loads(body))
    except ValueError:
        raise Unreadable("not JSON") from None
    sealed, wrapped, vector = (
        part(given, name) for name in ("encrypted_flow_data", "encrypted_aes_key", "initial_vector")
    )
    # A vector of GCM has 12 bytes, or 16 as Meta's samples have it.
    if not 12 <= len(vector) <= 16:
        raise Unreadable("no vector")
    for pem in private_keys:
        if opened := open_with(pem, sealed, wrapped, vector):
            return opened
    raise Unreadable("no key opens it")


def open_with(pem: str, sealed: bytes, wrapped: bytes, vector: bytes) -> Opened | None:
    # Checking a key that we made ourselves would take many times as long as using it.
    private = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, rsa.RSAPrivateKey) or len(wrapped) != private.key_size // 8:
        return None
    try:
        key = private.decrypt(wrapped, OAEP)
        plain = AESGCM(key).decrypt(vector, sealed, None)
        return Opened(mapping(loads(plain)), key, vector)
    except (ValueError, InvalidTag):
        return None


def part(given: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(text(given.get(name), MOST_CHARACTERS) or "", validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(f"{name} is not Base64") from None
