from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from app.contacts.models import Contact
from app.contacts.suggestions import MergeSuggestion
from app.extensions import outside
from app.meta.messages import send
from app.meta.outgoing import content_of, number_request
from app.tenancy import db, tenant_scope
from tests.arrivals import arrive, conversations, messages
from tests.client import Browser
from tests.contacts.people import contact, contacts, from_hidden
from tests.posts import message
from tests.simulated import Road
from tests.world import World


@pytest.fixture(autouse=True)
def numbers(world: World, request: pytest.FixtureRequest) -> None:
    if "road" not in request.fixturenames:
        world.connect_numbers()


def suggestions(world: World) -> list[MergeSuggestion]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(MergeSuggestion)))


def test_two_contacts_that_whatsapp_names_together_are_suggested(world: World) -> None:
    arrive(from_hidden(bsuid="US.777", name="Carla"))
    contact(world, "Carla M", wa_id="16505551234")
    arrive(from_hidden(bsuid="US.777", name="Carla", wa_id="16505551234"))
    (suggestion,) = suggestions(world)
    assert suggestion.reason == "identity" and len(contacts(world)) == 2


def test_a_hidden_namesake_is_suggested(world: World) -> None:
    arrive(message("Hi", wa_id="16505551234", name="Carla Mendes"), from_hidden(name="Carla Mendes"))
    assert [each.reason for each in suggestions(world)] == ["name"]


@pytest.mark.parametrize("name", ["Carla", "Carla M"])
def test_half_a_name_is_no_reason(world: World, name: str) -> None:
    arrive(message("Hi", wa_id="16505551234", name="Carla"), from_hidden(name=name))
    assert suggestions(world) == []


def test_two_open_numbers_of_one_name_are_two_people(world: World) -> None:
    arrive(message("Hi", wa_id="16505551234", name="Carla Mendes"))
    arrive(message("Hi", wa_id="16505559999", name="Carla Mendes"))
    assert suggestions(world) == []


def test_another_spelling_of_a_number_is_suggested(world: World) -> None:
    contact(world, "Bia", wa_id="551187654321")
    arrive(from_hidden(name="Beatriz"))
    arrive(from_hidden(name="Beatriz", wa_id="5511987654321"))
    assert [each.reason for each in suggestions(world)] == ["spelling"]


def test_a_username_that_moves_is_suggested(world: World) -> None:
    arrive(from_hidden(name="Dora", username="dora"), from_hidden(name="D.", username="dora", bsuid="US.NEW"))
    assert [each.reason for each in suggestions(world)] == ["username"]


def card(name: str, wa_id: str, **more: str) -> dict[str, object]:
    shown = {"name": {"formatted_name": name}, "phones": [{"phone": f"+{wa_id}", "wa_id": wa_id}]}
    return {"type": "contacts", "contacts": [shown | more]}


def test_a_card_in_ones_own_name_is_suggested_and_not_believed(world: World) -> None:
    contact(world, "C. Mendes", wa_id="16505551234")
    arrive(from_hidden(name="Carla", content=card("Carla", "16505551234")))
    assert [each.reason for each in suggestions(world)] == ["card"] and len(contacts(world)) == 2


def test_somebody_elses_card_is_no_reason(world: World) -> None:
    contact(world, "C. Mendes", wa_id="16505551234")
    arrive(from_hidden(name="Carla", content=card("My plumber", "16505551234")))
    assert suggestions(world) == []


def test_a_number_given_when_asked_joins_the_contact(world: World) -> None:
    arrive(from_hidden(), from_hidden(content=card("Carla", "16505551234", origin="contact_request")))
    arrive(message("From now on with number", wa_id="16505551234"))
    (existing,) = contacts(world)
    with tenant_scope(world.bakery.id):
        assert Contact.get_or_404(existing.id).phone == "+1 650-555-1234"
    assert len(conversations(world)) == 1


def test_a_suggestion_says_why_and_is_dismissed_for_good(ann: Browser, world: World) -> None:
    arrive(message("Hi", wa_id="16505551234", name="Carla Mendes"), from_hidden(name="Carla Mendes"))
    (suggestion,) = suggestions(world)
    talk = conversations(world)[0]
    assert "hides the number" in ann.get(f"~/inbox/{talk.id}/details").text
    ann.post(f"~/contacts/suggestions/{suggestion.id}/dismissal")
    arrive(from_hidden(name="Carla Mendes"))
    assert "hides the number" not in ann.get(f"~/inbox/{talk.id}/details").text


def test_an_accepted_suggestion_makes_one_contact(ann: Browser, world: World) -> None:
    arrive(message("Hi", wa_id="16505551234", name="Carla Mendes"), from_hidden(name="Carla Mendes"))
    (suggestion,) = suggestions(world)
    ann.post(f"~/contacts/suggestions/{suggestion.id}/acceptance")
    assert len(contacts(world)) == 1 and [each.state for each in suggestions(world)] == ["accepted"]


def test_who_hides_the_number_can_be_asked_for_it(ann: Browser, world: World) -> None:
    arrive(from_hidden(at=time.time()))
    (talk,), (existing,) = conversations(world), contacts(world)
    assert "Request the number" in ann.get(f"~/inbox/{talk.id}/details").text
    for _twice in range(2):
        ann.post(f"~/contacts/{existing.id}/number-requests/{talk.id}")
    assert [each.body for each in messages(world) if each.is_outbound] == [
        "May we have your phone number? Tap the button below to share it."
    ]


def test_meta_takes_the_question(road: Road) -> None:
    road.customer_writes()
    question = number_request("May we have your number?")
    requested = content_of(question.type, question.words, question.raw)
    number, token = road.ids["phone_number_id"], road.ids["token"]
    accepted = send(outside().graph, token, number, to="16505551234", content=requested, callback_data=None)
    assert accepted.wamid
