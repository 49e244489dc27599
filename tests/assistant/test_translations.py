"""A customer's message in the reader's language: once, below the original, within the budget."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.assistant import translations
from app.assistant.jobs import forget_contact
from app.assistant.providers import calling
from app.assistant.subscribers import follow_messages
from app.assistant.translations import MessageTranslation
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.changes import MessageChange
from app.people.erasure import erase
from app.people.merges import ContactMerge
from app.tenancy import Happened, db, now, tenant_scope
from app.tenancy.catalogue import ContactMerged
from tests.client import Browser
from tests.world import conversation

from .conftest import Shop


def message_id(shop: Shop) -> uuid.UUID:
    with tenant_scope(shop.world.bakery.id):
        return uuid.UUID(str(db.session.query(Message).filter_by(direction="inbound").one().id))


def test_a_message_is_translated_below_the_original(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    id = message_id(shop)
    assert "Translate" in ann.get(f"~/inbox/{shop.carla.id}/messages/{id}/actions").text
    ann.post(f"~/assistant/translations/{id}")
    page = ann.get(f"~/inbox/{shop.carla.id}").text
    assert "[English] ¿Tienen pan de centeno?" in page and page.count("¿Tienen pan de centeno?") >= 2
    assert "Translated by AI" in page


def test_it_is_translated_once_and_counted(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    for _ in range(2):
        ann.post(f"~/assistant/translations/{message_id(shop)}")
    [turn] = shop.turns()
    assert (turn.reason, len(shop.model.requested)) == ("translate", 1) and turn.cost


def test_nothing_is_translated_over_the_budget(shop: Shop, ann: Browser) -> None:
    shop.set_up(money_per_day=0)
    shop.write("¿Tienen pan de centeno?")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    assert shop.model.requested == [] and "budget of the day" in ann.get(f"~/inbox/{shop.carla.id}").text


@pytest.mark.parametrize("trouble", ["[500]", "[half]"])
def test_a_model_in_trouble_says_so(shop: Shop, ann: Browser, trouble: str) -> None:
    shop.write(f"Hola {trouble}")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    assert "Translated by AI" not in ann.get(f"~/inbox/{shop.carla.id}").text and shop.turns()[0].problem


def test_an_erased_contact_is_gone_from_translations(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    forget_contact(shop.world.bakery.id, str(shop.carla.contact_id))
    with tenant_scope(shop.world.bakery.id):
        assert db.session.query(MessageTranslation).count() == 0


def edit(shop: Shop, words: str) -> None:
    with tenant_scope(shop.world.bakery.id):
        sent = db.session.query(Message).filter_by(direction="inbound").one()
        change: dict[str, Any] = {
            "phone_number_id": shop.number.id,
            "wamid": "wamid.edit",
            "target_wamid": sent.wamid,
        }
        db.session.add(MessageChange(kind="edit", body=words, occurred_at=now(), **change))


def test_an_edited_message_is_translated_anew(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    edit(shop, "¿Tienen pan integral?")
    assert "Translated by AI" not in ann.get(f"~/inbox/{shop.carla.id}").text
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    assert "[English] ¿Tienen pan integral?" in ann.get(f"~/inbox/{shop.carla.id}").text


def test_what_is_erased_while_the_model_answers_is_not_stored(
    shop: Shop, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("¿Tienen pan de centeno?")
    answer = calling.write

    def write(*arguments: Any) -> Any:
        with tenant_scope(shop.world.bakery.id):
            erase(Contact.get_or_404(shop.carla.contact_id), by=shop.ann)
        return answer(*arguments)

    monkeypatch.setattr(translations, "write", write)
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    with tenant_scope(shop.world.bakery.id):
        assert db.session.query(MessageTranslation).count() == 0


def merged_into_carla(shop: Shop, talk: Conversation) -> Happened:
    with tenant_scope(shop.world.bakery.id):
        one, two = Contact.get_or_404(shop.carla.contact_id), Contact.get_or_404(talk.contact_id)
        made = ContactMerge.merge(one, two, by=shop.ann)
        facts = ContactMerged(other_id=made.other_id)
        return Happened(uuid.uuid4(), "contact.merged", made.contact_id, shop.ann, facts, now())


def test_after_a_merge_a_translation_is_where_its_message_is(shop: Shop, ann: Browser) -> None:
    talk = conversation(shop.number, "16505559999", "Carla again")
    shop.write("¿Tienen pan de centeno?", conversation_id=talk.id)
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    merged = merged_into_carla(shop, talk)
    with tenant_scope(shop.world.bakery.id):
        follow_messages([merged])
    assert "[English] ¿Tienen pan de centeno?" in ann.get(f"~/inbox/{shop.carla.id}").text


def test_what_was_asked_before_a_merge_is_erased_too(shop: Shop, ann: Browser) -> None:
    talk = conversation(shop.number, "16505559999", "Carla again")
    shop.write("¿Tienen pan de centeno?", conversation_id=talk.id)
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    merged_into_carla(shop, talk)
    forget_contact(shop.world.bakery.id, str(shop.carla.contact_id))
    assert shop.turns() == []
    with tenant_scope(shop.world.bakery.id):
        assert db.session.query(MessageTranslation).count() == 0
