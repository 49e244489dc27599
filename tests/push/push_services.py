"""A push service of this machine, and the browsers it serves: what it got is opened with the browser's own key."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask, Response, request
from werkzeug.serving import make_server

from app.egress import Egress
from app.push.web_push import CURVE, Target, packed, point

NAME = "push.example"
OPEN_INTERNET = "93.184.215.14"


class PushService:
    """Answers each post with `status`, and keeps what it got."""

    def __init__(self) -> None:
        self.status, self.got = 201, list[tuple[str, dict[str, str], bytes]]()
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:browser>", view_func=self.take, methods=["POST"])

    def take(self, browser: str) -> Response:
        self.got.append((browser, dict(request.headers), request.get_data()))
        return Response("", self.status, {"Location": "https://elsewhere.example/"})


class Chromium:
    """A browser: its keys, and what reached it."""

    def __init__(self, service: PushService, name: str = "ann") -> None:
        self.service, self.name = service, name
        self.key, self.secret = ec.generate_private_key(CURVE), uuid.uuid4().bytes

    @property
    def target(self) -> Target:
        return Target(f"https://{NAME}/{self.name}", packed(point(self.key.public_key())), packed(self.secret))

    @property
    def form(self) -> dict[str, str]:
        return {"endpoint": self.target.endpoint, "p256dh": self.target.p256dh, "auth": self.target.auth}

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(self.open(body)) for name, _, body in self.service.got if name == self.name]

    def open(self, body: bytes) -> bytes:
        """RFC 8291 from the other side."""
        salt, length = body[:16], body[20]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, body[21 : 21 + length])
        info = b"WebPush: info\0" + point(self.key.public_key()) + point(theirs)
        secret = HKDF(hashes.SHA256(), 32, self.secret, info).derive(self.key.exchange(ec.ECDH(), theirs))
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        return AESGCM(key).decrypt(nonce, body[21 + length :], None).rstrip(b"\x02")


class ToThisMachine(httpcore.SyncBackend):
    """A wire on which every address of the open internet leads to one port of this machine."""

    def __init__(self, port: int) -> None:
        self.port, self.dialled = port, list[str]()

    def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> httpcore.NetworkStream:
        self.dialled.append(host)
        return super().connect_tcp("127.0.0.1", self.port, *more, **options)


@contextlib.contextmanager
def serving(service: PushService, folder: Path) -> Iterator[Egress]:
    """The service over TLS under its name, and a way out that leads there."""
    certificate, key = certified(folder)
    server = make_server("127.0.0.1", 0, service.app, threaded=True, ssl_context=(str(certificate), str(key)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    trust = ssl.create_default_context(cafile=str(certificate))
    yield Egress(lambda host, port: [OPEN_INTERNET], ToThisMachine(server.port), trust)
    server.shutdown()
    thread.join()
    server.server_close()


def certified(folder: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(CURVE), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "push.crt", folder / "push.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
