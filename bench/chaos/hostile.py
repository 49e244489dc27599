"""A customer who writes whatever costs most, and a member who opens and searches the conversation."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from typing import Any

import httpx
from flask import Flask
from sqlalchemy import select

from app.inbox.conversations import Conversation
from app.tenancy import db, tenant_scope
from bench.live import cookie
from bench.town import Town
from dev.stack import Stack
from tests.hostile import CARD, CUSTOMER, TEXTS
from tests.posts import message, post, signed

TEXTS_AT_ONCE = 8
SECONDS = 20


class HostileCustomer:
    """Writes to a business of its own, outside the counts."""

    def __init__(self, stack: Stack, app: Flask) -> None:
        self.stack, self.app, self.town = stack, app, Town.named("hostile")
        self.cookie = cookie(app, self.town)
        self.texts = itertools.cycle(TEXTS.values())

    def strike(self) -> None:
        """Whatever fails here fails for them alone; what it does to others is what the run looks at."""
        with contextlib.suppress(httpx.HTTPError), httpx.Client(timeout=SECONDS, trust_env=False) as client:
            self.write(client)
            self.read(client)

    def write(self, client: httpx.Client) -> None:
        contents: list[dict[str, Any]] = [
            {"type": "text", "text": {"body": next(self.texts)}} for _ in range(TEXTS_AT_ONCE)
        ]
        for content in [*contents, {"type": "contacts", "contacts": [CARD]}]:
            wamid = f"wamid.hostile.{uuid.uuid4().hex}"
            change = message(number=self.town.number.meta_id, wa_id=CUSTOMER, wamid=wamid, **content)
            body = post(change, waba=self.town.waba_meta_id)
            client.post(f"{self.stack.door}/webhooks/whatsapp", content=body, headers=signed(body))

    def read(self, client: httpx.Client) -> None:
        inbox = f"{self.stack.web}/t/{self.town.tenant.slug}/inbox/"
        with self.app.app_context(), tenant_scope(self.town.tenant.id):
            ids = db.session.scalars(select(Conversation.id)).all()
        for page in (*(f"{id}" for id in ids), "search?q=a", "search?q=apple"):
            client.get(f"{inbox}{page}", headers={"Cookie": self.cookie})
