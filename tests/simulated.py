"""The simulator as fixtures: a running program at an address, as the product sees Meta."""

from __future__ import annotations

import pathlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Self

import httpx
import pytest
from flask import Flask, current_app
from werkzeug.serving import make_server

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.outbound.jobs import deliver, recover_waiting_messages
from app.meta.connections import Connections
from app.meta.graph import AT_ONCE, GraphClient
from app.tenancy import Actor, db, now, refuse_inside_transaction, tenant_scope
from app.tenancy.models import PhoneNumberRoute, WabaRoute
from app.wabas.models import PhoneNumber, Waba
from app.webhooks.drain import drain_batch
from dev import environment
from simulator import Settings as PlayedSettings
from simulator import World as PlayedWorld
from tests.enqueued import Enqueued
from tests.played import play
from tests.world import World

# To read the certificates for another client takes longer than many a test.
TLS, CONNECTIONS = httpx.create_ssl_context(trust_env=False), Connections(AT_ONCE)


class Served:
    """A WSGI app at an address of this machine, until the block ends."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        self.server = make_server("127.0.0.1", port, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Meta:
    """The simulated Meta's control panel; and its world, for what the panel cannot do."""

    def __init__(self, url: str, world: PlayedWorld) -> None:
        self.url, self.world = url, world
        self.client = httpx.Client(base_url=url, timeout=10, trust_env=False, verify=TLS)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.client.post(f"/control/api/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def get(self, path: str) -> dict[str, Any]:
        return self.client.get(f"/control/api/{path}").json()  # type: ignore[no-any-return]

    def accepted(self) -> list[dict[str, Any]]:
        return self.get("accepted")["accepted"]  # type: ignore[no-any-return]


class Road:
    """Bakery's number, connected to a running Meta, and what happens on it."""

    def __init__(self, app: Flask, world: World, meta: Meta) -> None:
        self.app, self.world, self.meta = app, world, meta
        self.ids = meta.post("seed", name="Bakery", display_phone_number="+1 555 078 3881")
        self.number = self.connect(self.ids, "+1 555 078 3881")

    def another_number(self, display_number: str) -> PhoneNumber:
        """A second one of Bakery's, on a WABA of its own."""
        return self.connect(self.meta.post("seed", name="Stall", display_phone_number=display_number), display_number)

    def connect(self, ids: dict[str, Any], display_number: str) -> PhoneNumber:
        bakery = self.world.bakery.id
        with tenant_scope(bakery):
            waba = Waba(id=uuid.uuid4(), tenant_id=bakery, meta_id=ids["waba_id"], name="Bakery")
            waba.token, waba.currency = ids["token"], "USD"
            db.session.add(waba)
            db.session.flush()
            number = PhoneNumber(id=uuid.uuid4(), tenant_id=bakery, waba_id=waba.id, display_number=display_number)
            number.meta_id, number.state, number.connected_at = ids["phone_number_id"], "connected", now()
            db.session.add_all([number, WabaRoute(meta_id=waba.meta_id, tenant_id=bakery)])
            db.session.add(PhoneNumberRoute(meta_id=number.meta_id, tenant_id=bakery, phone_number_id=number.id))
        return number

    def customer_writes(
        self, text: str = "Hello", *, wa_id: str = "16505551234", name: str = "Carla", number: PhoneNumber | None = None
    ) -> Conversation:
        to = (number or self.number).meta_id
        wamid = self.meta.post("inbound", phone_number_id=to, **{"from": wa_id}, name=name, text=text)["wamid"]
        self.until(lambda: self.message_with(wamid) is not None)
        with tenant_scope(self.world.bakery.id):
            results = self.message_with(wamid)
            assert results
            return Conversation.get_or_404(results.conversation_id)

    def message_with(self, wamid: str) -> Message | None:
        with tenant_scope(self.world.bakery.id):
            return db.session.query(Message).filter_by(wamid=wamid).one_or_none()

    def reply(self, conversation: Conversation, text: str, client_id: uuid.UUID | None = None) -> Message:
        with tenant_scope(self.world.bakery.id):
            again = Conversation.get_or_404(conversation.id)
            return again.reply(text, by=Actor.agent(self.world.ann), client_id=client_id or uuid.uuid4())

    def deliver(self) -> None:
        deliver()

    def state_of(self, message: Message) -> str:
        with tenant_scope(self.world.bakery.id):
            return Message.get_or_404(message.id).state

    def reload(self, message: Message) -> Message:
        with tenant_scope(self.world.bakery.id):
            return Message.get_or_404(message.id)

    def until(self, condition: Callable[[], bool], seconds: float = 15) -> None:
        """Works off what arrives until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to that"
            if not drain_batch():
                time.sleep(0.02)

    def sweep(self) -> None:
        recover_waiting_messages()
        Enqueued(current_app).run("outbound.expire")


@pytest.fixture
def meta(app: Flask, tmp_path: pathlib.Path) -> Iterator[Meta]:
    """A running Meta that posts its webhooks to the running app."""
    with Served(app) as product:
        settings = environment.simulator("http://127.0.0.1:0", product.url, str(tmp_path / "simulator"))
        given = {name.removeprefix("SIMULATOR_"): value for name, value in settings.items()}
        played = play(PlayedSettings.from_environment(settings | {"SIMULATOR_SPEED": "200"}))
        with Served(played) as running:
            world = played.extensions["simulator"]
            world.start()
            usual = outside().graph
            outside().graph = GraphClient(
                running.url, "v25.0", given["APP_ID"], given["APP_SECRET"], transport=CONNECTIONS
            )
            outside().graph.before_call = refuse_inside_transaction
            yield Meta(running.url, world)
            outside().graph = usual
            world.stop()


@pytest.fixture
def road(app: Flask, world: World, meta: Meta) -> Road:
    return Road(app, world, meta)
