"""AES-256-GCM for stored secrets: tokens and PINs.

A ciphertext is bound to its place (`tenant:table:column:row`), so it does not decrypt in another row.
The first key encrypts, every key decrypts; the key's fingerprint is in front.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Undecryptable(Exception):
    """No key decrypts this ciphertext here: a key is missing, or the ciphertext was moved."""


class Vault:
    def __init__(self, keys: Sequence[str]) -> None:
        raw = [base64.urlsafe_b64decode(key) for key in keys]
        self.ciphers = {hashlib.sha256(key).digest()[:4]: AESGCM(key) for key in raw}
        self.current = next(iter(self.ciphers))

    def encrypt(self, secret: str, place: str) -> bytes:
        nonce = os.urandom(12)
        return self.current + nonce + self.ciphers[self.current].encrypt(nonce, secret.encode(), place.encode())

    def decrypt(self, ciphertext: bytes, place: str) -> str:
        cipher = self.ciphers.get(ciphertext[:4])
        if cipher is None:
            raise Undecryptable(f"no key for {place}")
        try:
            return cipher.decrypt(ciphertext[4:16], ciphertext[16:], place.encode()).decode()
        except InvalidTag:
            raise Undecryptable(f"wrong key or place for {place}") from None

    def is_current(self, ciphertext: bytes) -> bool:
        return ciphertext[:4] == self.current
