"""What the assistant may look up: of the customer who asks only, and only where a person switched it on."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from app.appointments.models import Appointment
from app.assistant.assistant import Tools
from app.contacts.models import Contact
from app.records.models import Record, Values
from app.tenancy import Actor, db, now, tenant_scope
from dev.model import OBEYS
from tests.client import Browser

from .conftest import Shop

BY = Actor.system("test")


@pytest.fixture
def known(shop: Shop) -> Shop:
    """Carla has an order and an appointment, and so has Otto."""
    with tenant_scope(shop.world.bakery.id):
        otto = Contact(name="Otto Geheim")
        db.session.add(otto)
        db.session.flush()
        carla = Contact.get_or_404(shop.carla.contact_id)
        for number, (contact, title) in enumerate([(carla, "Birthday cake"), (otto, "Hidden wedding cake")]):
            order, _ = Record.upsert("till", "order", str(number), Values(title, stage="In the oven"), by=BY)
            order.link(contact.id, by=BY)
            at = now() + dt.timedelta(days=3)
            facts = {"title": f"Tasting of {title}", "time_zone": "UTC", "minutes": 30, "source": "agent"}
            Appointment.book(contact, at, by=None, **facts)
    shop.use_model(OBEYS)
    return shop


def looks_up(name: str, **arguments: str) -> str:
    call = {"action": "answer", "reply": "", "tools": [{"name": f"look_up_{name}", "arguments": arguments}]}
    return f"What is the status of my order, and when is my appointment? «{json.dumps(call)}»"


def results(shop: Shop) -> str:
    return str(json.loads(shop.model.requested[-1]["asked"]).get("results", ""))


@pytest.mark.parametrize(
    ("name", "fact"), [("records", "Birthday cake; stage: In the oven"), ("appointments", "Tasting of Birthday cake")]
)
def test_the_customers_own_are_looked_up(known: Shop, name: str, fact: str) -> None:
    known.set_up(tools=Tools(lookups=["records", "appointments"]))
    turn = known.ask(looks_up(name))
    assert fact in results(known) and "Hidden" not in results(known)
    assert [call["name"] for call in turn.calls] == [] or turn.calls[0]["name"] == f"look_up_{name}"


def test_those_of_another_customer_are_not(known: Shop) -> None:
    known.set_up(tools=Tools(lookups=["records"]))
    with tenant_scope(known.world.bakery.id):
        otto = db.session.query(Contact).filter_by(name="Otto Geheim").one().id
    turn = known.ask(looks_up("records", contact_id=str(otto)))
    assert results(known) == "" and turn.refused_calls > 0


def test_what_is_switched_off_is_not_looked_up(known: Shop) -> None:
    known.set_up(tools=Tools(lookups=["appointments"]))
    known.ask(looks_up("records"))
    assert results(known) == ""


def test_what_was_looked_up_may_be_written(known: Shop) -> None:
    known.set_up(tools=Tools(lookups=["records"]))
    with tenant_scope(known.world.bakery.id):
        order = db.session.query(Record).filter_by(title="Birthday cake").one()
        values = Values("Birthday cake «It is 12.50 €»", stage="Ready", amount_micros=12_500_000, currency="EUR")
        order.confirm(values, by=BY)
    assert known.ask(looks_up("records")).reply == "It is 12.50 €"


def test_a_question_that_only_a_lookup_answers_reaches_the_model(known: Shop) -> None:
    known.set_up(tools=Tools(lookups=["appointments"]))
    assert known.ask("¿A qué hora es mi cita?").model == OBEYS


def test_it_is_switched_on_in_the_setup(ann: Browser, known: Shop) -> None:
    page = ann.get("~/assistant/setup").text
    assert "What it may look up about the customer" in page and "Their appointments" in page
