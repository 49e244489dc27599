"""Signed values for links and cookies, each for one purpose."""

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
    """A URL for an email. Its host is PUBLIC_URL's, never the request's."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return settings.public_url + path
