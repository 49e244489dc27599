"""Villas: an entry point of Bakery, a browser that opens it, and customers who write what it proposes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.entry_points.models import EntryPoint, EntryReference, EntryTouch
from app.extensions import redis
from app.inbox.conversations import Conversation
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive
from tests.client import isolated
from tests.posts import message
from tests.world import World

PERSON = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Firefox/140.0"}
VILLA = {"type": "property", "id": "V-12", "title": "Villa in Dakar", "price": "500000", "currency": "XOF"}
VILLA |= {"url": "https://agency.example/v/12"}
REFERENCE = re.compile(r"\(ref (\w{3}-\w{3})\)$")


@dataclass
class Site:
    """A page with the link on it, and whoever opens it."""

    client: FlaskClient
    tenant: Any
    entry_point: EntryPoint

    def open(self, query: dict[str, str] | None = None, method: str = "GET", **headers: str) -> TestResponse:
        sent = PERSON | {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"/c/{self.entry_point.slug}"
        return isolated(self.client.open, address, method=method, query_string=query, headers=sent)

    def words(self, query: dict[str, str] | None = None, **options: Any) -> str:
        """What WhatsApp opens with."""
        return parse_qs(urlsplit(self.open(query, **options).location).query)["text"][0]

    def code(self, query: dict[str, str] | None = None, **options: Any) -> str:
        results = REFERENCE.search(self.words(query, **options))
        assert results
        return results[1]

    def rows(self, model: Any) -> list[Any]:
        with tenant_scope(self.tenant.id):
            return list(db.session.scalars(db.select(model).order_by(model.id)))

    @property
    def references(self) -> list[Any]:
        return self.rows(EntryReference)

    @property
    def touches(self) -> list[Any]:
        return self.rows(EntryTouch)

    def write(self, words: str, wa_id: str = "16505551234", **more: Any) -> Any:
        """A customer sends a text; returns their conversation."""
        arrive(message(words, wa_id=wa_id, name=wa_id, **more))
        return max(self.rows(Conversation), key=lambda one: one.last_message_at)


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def villas(app: Flask, world: World, number: PhoneNumber) -> Site:
    for key in redis.scan_iter("entry-*"):
        redis.delete(key)
    with tenant_scope(world.bakery.id):
        texts = [
            {"language": "fr", "text": "Bonjour, je suis intéressé par {title}"},
            {"language": "ar", "text": "مرحبا، أنا مهتم بـ {title}"},
        ]
        made = EntryPoint.create("Villas", number, kind="page", texts=texts)
    return Site(app.test_client(), world.bakery, made)
