"""What links and cookies carry: a value signed with the server's key, for one purpose."""

from __future__ import annotations

import hashlib
import uuid

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from app.extensions import settings


def sign(purpose: str, value: object) -> str:
    return str(serializer(purpose).dumps(str(value)))


def read(purpose: str, token: str) -> str | None:
    try:
        return str(serializer(purpose).loads(token))
    except BadData:
        return None


def read_id(purpose: str, token: str) -> uuid.UUID | None:
    value = read(purpose, token)
    return uuid.UUID(value) if value else None


def serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        settings.secret_key, salt=f"switchboard {purpose}", signer_kwargs={"digest_method": hashlib.sha256}
    )


def link(endpoint: str, **values: str) -> str:
    """An address for a mail. Its host is the configured one, never what a request's header says."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return settings.public_url + path
