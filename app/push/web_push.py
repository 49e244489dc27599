"""Web Push: a push message is encrypted for one browser alone (RFC 8291), and signed as ours (VAPID, RFC 8292)."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import os
import time
import uuid
from dataclasses import asdict, dataclass

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.egress import Answer, Egress, checked

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RECORD_BYTES = 4096
LONGEST_ENDPOINT = 2000
# How long a push service retries a delivery, and how long our signature is valid.
LIFETIME_SECONDS = 4 * 3600
SIGNED_SECONDS = 12 * 3600


class BadAddress(ValueError):
    """What a browser gave us as its address cannot be one."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a browser can be reached: its push service's address, its public key, and a secret it shares with us."""

    endpoint: str
    p256dh: str
    auth: str

    @classmethod
    def read(cls, endpoint: str, p256dh: str, auth: str) -> Target:
        """Raises `Refused` or `BadAddress`."""
        checked(endpoint)
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unpacked(p256dh))
            is_whole = len(unpacked(auth)) == 16 and len(endpoint) <= LONGEST_ENDPOINT
        except (ValueError, binascii.Error):
            is_whole = False
        if not is_whole:
            raise BadAddress("keys of another kind")
        return cls(endpoint, p256dh, auth)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @property
    def origin(self) -> str:
        address = httpx.URL(self.endpoint)
        return f"{address.scheme}://{address.raw_host.decode()}"


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def derived(length: int, salt: bytes | None, info: bytes, secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def encrypt(
    data: bytes, target: Target, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """One record of `aes128gcm`. The key and the salt are used once; a test brings its own."""
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unpacked(target.p256dh))
    key, salt = key or ec.generate_private_key(CURVE), salt or os.urandom(16)
    ours = point(key.public_key())
    info = b"WebPush: info\0" + point(theirs) + ours
    secret = derived(32, unpacked(target.auth), info, key.exchange(ec.ECDH(), theirs))
    cipher = AESGCM(derived(16, salt, b"Content-Encoding: aes128gcm\0", secret))
    nonce = derived(12, salt, b"Content-Encoding: nonce\0", secret)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + cipher.encrypt(nonce, data + b"\x02", None)


@functools.lru_cache(maxsize=4)
def own_key(secret_key: str) -> ec.EllipticCurvePrivateKey:
    """The key we sign with, made from SECRET_KEY: the same in every process and after every restart.

    With another SECRET_KEY everybody has to sign in again anyway; then each browser subscribes anew by itself.
    """
    seed = derived(48, None, b"switchboard web push", secret_key.encode())
    return ec.derive_private_key(int.from_bytes(seed, "big") % (ORDER - 1) + 1, CURVE)


def public_key(secret_key: str) -> str:
    return packed(point(own_key(secret_key).public_key()))


def vapid(key: ec.EllipticCurvePrivateKey, audience: str, contact: str) -> str:
    claims = {"aud": audience, "exp": int(time.time()) + SIGNED_SECONDS, "sub": contact}
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    signed = ".".join(packed(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = packed(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={packed(point(key.public_key()))}"


def send(
    egress: Egress, target: Target, words: dict[str, object], *, about: uuid.UUID, secret_key: str, contact: str
) -> Answer:
    """Hands it to the browser's push service, where it replaces what still waits there about the same thing.

    Raises `Refused` or `Unreachable` (app/egress.py).
    """
    headers = {
        "Authorization": vapid(own_key(secret_key), target.origin, contact),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(LIFETIME_SECONDS),
        "Topic": packed(about.bytes),
        "Urgency": "high",
    }
    return egress.post(target.endpoint, encrypt(json.dumps(words).encode(), target), headers)
