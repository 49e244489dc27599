"""Bakery with a CRM, a customer from Dakar, and the servers that play HubSpot and Pipedrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.crm.lookups import CrmLookup
from app.crm.models import CrmConnection, try_token
from app.crm.notes import CrmNote
from app.crm.work import Work
from app.extensions import outside
from app.inbox.conversations import Message
from app.records.models import Record, RecordLink
from app.tenancy import Actor, db, happened, now, tenant_scope
from tests.happenings import deliver_to_subscriber
from tests.world import World, conversation

from .standins import TOKEN, HubSpotServer, PipedriveServer, StandIn, serving

PHONE = "221771234567"


@pytest.fixture(scope="session")
def running_servers() -> Iterator[dict[str, tuple[Any, str]]]:
    hubspot, pipedrive = HubSpotServer(), PipedriveServer()
    with serving(hubspot) as first, serving(pipedrive) as second:
        yield {"hubspot": (hubspot, first), "pipedrive": (pipedrive, second)}


@pytest.fixture
def servers(
    app: Flask, running_servers: dict[str, tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Both CRMs, and the app calls them."""
    here = outside()
    usual = here.egress, here.settings
    urls = {f"{name}_url": url for name, (_, url) in running_servers.items()}
    here.settings = here.settings.model_copy(update=urls)
    here.egress = replace(here.egress, inside=tuple(urls.values()))
    monkeypatch.setattr("app.crm.calls.GAP_SECONDS", 0)
    for server, _url in running_servers.values():
        server.reset()
    yield {name: server for name, (server, _) in running_servers.items()}
    here.egress, here.settings = usual


@pytest.fixture
def hubspot(servers: dict[str, Any]) -> HubSpotServer:
    server: HubSpotServer = servers["hubspot"]
    return server


@pytest.fixture
def pipedrive(servers: dict[str, Any]) -> PipedriveServer:
    server: PipedriveServer = servers["pipedrive"]
    return server


class Crm:
    """Bakery's connection to one CRM. What happens is worked off at once, as a worker would."""

    def __init__(self, world: World, server: StandIn, provider: str) -> None:
        self.world, self.server, self.provider = world, server, provider
        self.number, _ = world.connect_numbers()
        self.talk = conversation(self.number, wa_id=PHONE, name="Fatou Ndiaye")
        account = try_token(provider, TOKEN)
        with tenant_scope(self.id):
            made = CrmConnection.save(provider, TOKEN, account, by=Actor.agent(world.ann))
            made.created_at = now() - dt.timedelta(days=1)
        self.connection_id = made.id

    @property
    def id(self) -> Any:
        return self.world.bakery.id

    def appear(self) -> None:
        """A customer writes for the first time."""
        with tenant_scope(self.id):
            happened(
                "conversation.opened",
                self.talk.id,
                contact_id=self.talk.contact_id,
                phone_number_id=self.number.id,
            )
        self.work()

    def resolve(self, **options: Any) -> None:
        with tenant_scope(self.id):
            happened("conversation.resolved", self.talk.id, by=Actor.agent(self.world.ann))
        self.work(**options)

    def hear(self) -> None:
        deliver_to_subscriber("crm", self.id)

    def work(self, *, hears: bool = True) -> None:
        if hears:
            self.hear()
        with tenant_scope(self.id):
            Work.run(self.connection_id)

    def look_again(self) -> None:
        with tenant_scope(self.id):
            CrmLookup.queue(self.connection_id, [self.talk.contact_id])
        self.work()

    def make_due(self) -> None:
        """Everything that waits is due now."""
        with tenant_scope(self.id):
            for model in (CrmLookup, CrmNote):
                db.session.execute(update(model).where(model.due_at.is_not(None)).values(due_at=now()))

    def pass_time(self) -> None:
        """Until everything that waits is due, and the CRM may be called again."""
        self.make_due()
        self.set(rests_until=None)
        self.work()

    def say(self, *texts: str) -> None:
        """The customer wrote these."""
        with tenant_scope(self.id):
            for text in texts:
                incoming = Message(conversation_id=self.talk.id, phone_number_id=self.number.id, direction="inbound")
                incoming.state, incoming.body, incoming.occurred_at = "received", text, now()
                db.session.add(incoming)

    @property
    def connection(self) -> CrmConnection:
        with tenant_scope(self.id):
            return CrmConnection.get_or_404(self.connection_id)

    def set(self, **values: Any) -> None:
        with tenant_scope(self.id):
            for name, value in values.items():
                setattr(CrmConnection.get_or_404(self.connection_id), name, value)

    def records(self, type: str = "deal") -> Sequence[Record]:
        """Those that are linked to the customer."""
        with tenant_scope(self.id):
            linked = select(RecordLink.record_id).where(
                RecordLink.contact_id == self.talk.contact_id, RecordLink.removed_at.is_(None)
            )
            mine = Record.type == type, Record.id.in_(linked)
            return db.session.scalars(select(Record).where(*mine).order_by(Record.title)).all()

    @property
    def titles(self) -> list[str]:
        return [record.title for record in self.records()]

    @property
    def lookup(self) -> CrmLookup:
        with tenant_scope(self.id):
            return db.session.scalars(select(CrmLookup)).one()

    def notes(self) -> Sequence[CrmNote]:
        with tenant_scope(self.id):
            return db.session.scalars(select(CrmNote).order_by(CrmNote.id)).all()


@pytest.fixture(params=["hubspot", "pipedrive"])
def crm(request: pytest.FixtureRequest, world: World, servers: dict[str, Any]) -> Crm:
    """Each of the two in turn, with Fatou and one deal of hers."""
    return made(world, servers, request.param)


@pytest.fixture
def hub(world: World, servers: dict[str, Any]) -> Crm:
    return made(world, servers, "hubspot")


@pytest.fixture
def pipe(world: World, servers: dict[str, Any]) -> Crm:
    return made(world, servers, "pipedrive")


def made(world: World, servers: dict[str, Any], provider: str) -> Crm:
    server = servers[provider]
    server.person("101", "Fatou Ndiaye", "+221 77 123 45 67")
    server.deal("501", "101")
    crm = Crm(world, server, provider)
    server.got.clear()
    return crm
