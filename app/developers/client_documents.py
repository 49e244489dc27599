"""Apps whose client_id is the address of a document about them: draft-ietf-oauth-client-id-metadata-document-03.

The document is fetched for a person who is signed in, from where the address leads now, without redirects; what was
read is in Redis for as long as the answer allowed, within a day. Answers that failed are not stored.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import redis as redis_client
import structlog

from app.api import Problem
from app.api.reading import parse
from app.egress import Page, Refused, Unreachable, checked_by_its_words
from app.extensions import outside, redis

from .clients import Client, hash_of, host_of, is_safe, name_of

log = structlog.get_logger()
MOST_URIS = 50
# The draft's own bound.
MOST_BYTES, SECONDS = 5_120, 5.0
SHORTEST, USUAL, LONGEST = 60, 3_600, 86_400
HEADERS = {"Accept": "application/json", "User-Agent": "Switchboard"}
MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")


class BadDocument(Exception):
    """There is no such document, or it doesn't describe this app."""


def is_address(client_id: str) -> bool:
    return client_id.startswith("https://")


def stored_client(client_id: str) -> Client | None:
    """What its document said, while that is fresh."""
    try:
        value = redis.get(place_of(client_id))
    except redis_client.RedisError:
        return None
    if value is None:
        return None
    name, uris = json.loads(value)
    return Client(name, tuple(uris), host_of(client_id))


def fetched_client(client_id: str) -> Client:
    """Reads the document. Raises `BadDocument`. No transaction may be open."""
    check_address(client_id)
    try:
        page = outside().egress.exchange("GET", client_id, HEADERS, most_bytes=MOST_BYTES, seconds=SECONDS)
    except (Refused, Unreachable) as problem:
        log.info("document of an app not reached", reason=str(problem))
        raise BadDocument from None
    client = client_in(page, client_id)
    if seconds := fresh_for(page.headers.get("cache-control", "")):
        store(client, client_id, seconds)
    return client


def check_address(client_id: str) -> None:
    try:
        checked_by_its_words(client_id)
        parts = urlsplit(client_id)
    except (Refused, ValueError):
        raise BadDocument from None
    has_dots = {".", ".."} & set(unquote(parts.path).split("/"))
    if not is_safe(client_id) or not parts.path or has_dots:
        raise BadDocument


def client_in(page: Page, client_id: str) -> Client:
    kind = page.headers.get("content-type", "").partition(";")[0].strip().lower()
    if page.status != 200 or not page.is_whole or not (kind == "application/json" or kind.endswith("+json")):
        log.info("document of an app not usable", status=page.status)
        raise BadDocument
    try:
        about: Any = parse(page.body)
    except Problem:
        raise BadDocument from None
    if not isinstance(about, dict) or about.get("client_id") != client_id:
        raise BadDocument
    # It would authenticate with a secret that we can't have, or with a key that we don't check.
    if about.get("token_endpoint_auth_method", "none") != "none" or "client_secret" in about:
        raise BadDocument
    given = about.get("redirect_uris")
    uris = tuple(uri for uri in given[:MOST_URIS] if is_safe(uri)) if isinstance(given, list) else ()
    if not uris:
        raise BadDocument
    host = host_of(client_id)
    return Client(name_of(about.get("client_name")) or host, uris, host)


def fresh_for(cache_control: str) -> int:
    """For how many seconds it may be used again; 0 where the server forbids it."""
    directives = cache_control.lower()
    if "no-store" in directives or "no-cache" in directives:
        return 0
    match = MAX_AGE.search(directives)
    return min(max(int(match[1]), SHORTEST), LONGEST) if match else USUAL


def store(client: Client, client_id: str, seconds: int) -> None:
    try:
        redis.set(place_of(client_id), json.dumps([client.name, client.redirect_uris]), ex=seconds)
    except redis_client.RedisError as error:
        log.warning("document of an app not stored", error=type(error).__name__)


def place_of(client_id: str) -> str:
    return f"oauth-client:{hash_of(client_id)}"
