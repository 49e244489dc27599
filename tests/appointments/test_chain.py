"""From a link on a page to the show rate, in a customer's language: every request and webhook on the way."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.appointments.answers import payloads_of
from app.appointments.jobs import send_due_notices
from app.appointments.models import Appointment
from app.appointments.notices import AppointmentNotice
from app.automation.models import AutomationRun
from app.automation.runner import advance
from app.entry_points.models import EntryPoint
from app.inbox.conversations import Conversation, Message
from app.listings.models import Listing
from app.message_templates.models import MessageTemplate
from app.message_templates.versions import TemplateVersion
from app.tenancy import Actor, db, now, tenant_scope
from tests.arrivals import arrive
from tests.client import Browser
from tests.entry_points.conftest import PERSON
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.world import World, conversation

HEARD = ("automations_stop", "automations", "listings_inquiries", "appointments")
BUTTON, TITLE = {"fr": "Confirmer", "ar": "تأكيد"}, {"fr": "Villa à Dakar", "ar": "فيلا في داكار"}
NUMBERS = {"fr": "221776001122", "ar": "212661002233"}
# What each message has to say in its language; no other word is in Latin letters in the Arabic ones.
WORDS = {
    "fr": ["Merci de votre intérêt", "Votre rendez-vous est pris", "est confirmé", "nouvel horaire", "rappelons"],
    "ar": ["شكراً لاهتمامك", "تم حجز موعدك", "تم تأكيد موعدك", "تم تغيير وقت موعدك", "نذكرك بموعدك"],
}


class Walk:
    """Bakery as an agency with two languages, and one customer who comes from its page."""

    def __init__(self, app: Flask, world: World, language: str) -> None:
        self.world, self.id, self.language = world, world.bakery.id, language
        self.number, _ = world.connect_numbers()
        self.ann = Browser(app, "bakery").signed_in_as(world.ann)
        self.visitor = app.test_client()
        self.owner = conversation(self.number, wa_id="221770000001", name="M. Ndiaye")
        self.begin_messages()

    def begin_messages(self) -> None:
        """Everything that is sent, from the gallery, in two languages; Meta approves it."""
        for purpose in ("appointments.booked", "appointments.moved", "appointments.reminder", "listings.inquiries"):
            for field in ("language", f"further-{purpose}"):
                code = "fr" if field == "language" else "ar"
                assert self.ann.post(f"~/notifications/purposes/{purpose}", {field: code}).status_code == 303
        with tenant_scope(self.id):
            for one in db.session.scalars(select(MessageTemplate)):
                version = TemplateVersion.open_of(one.id)
                assert version
                one.components, one.status, one.meta_id = version.components, "APPROVED", f"1{one.id.int % 10**9}"
                db.session.delete(version)
            facts = {"title": "Villa avec jardin", "city": "Dakar", "contact_id": self.owner.contact_id}
            Listing.put("DKR-204", facts, source="api", by=Actor.agent(self.world.ann))
            texts = [{"language": "fr", "text": "Bonjour, je suis intéressé par {title}"}]
            texts.append({"language": "ar", "text": "مرحبا، أنا مهتم بـ {title}"})
            self.entry_point = EntryPoint.create("Villas", self.number, kind="page", texts=texts)

    def switch_on_auto_reply(self) -> None:
        made = self.ann.post(f"~/automation/entry-points/{self.entry_point.id}", {}).headers["Location"]
        self.ann.post(f"{made}/versions", {"is_on": "1"})

    def first_words(self) -> str:
        query = {"lang": self.language, "type": "property", "id": "DKR-204", "title": TITLE[self.language]}
        query |= {"price": "500000", "currency": "XOF"}
        there = self.visitor.get(f"/c/{self.entry_point.slug}", query_string=query, headers=PERSON).location
        return parse_qs(urlsplit(there).query)["text"][0]

    def write(self, words: str = "", **more: Any) -> None:
        arrive(message(words, wa_id=NUMBERS[self.language], name="Salma Alami", **more))
        for _ in range(2):
            for subscriber in HEARD:
                deliver_to_subscriber(subscriber, self.id)
            with tenant_scope(self.id):
                runs = list(db.session.scalars(select(AutomationRun.id).where(AutomationRun.state == "running")))
            for run in runs:
                with tenant_scope(self.id):
                    advance(run)

    def send_due(self, purpose: str) -> None:
        with tenant_scope(self.id):
            mine = AppointmentNotice.state == "planned", AppointmentNotice.purpose == purpose
            due = update(AppointmentNotice).where(*mine).values(due_at=now() - dt.timedelta(seconds=1))
            db.session.execute(due, execution_options={"synchronize_session": False})
        send_due_notices(self.id)

    def tap(self, one: Appointment) -> None:
        with tenant_scope(self.id):
            payload = payloads_of(Appointment.get_or_404(one.id))[0]
        self.write(type="button", button={"payload": payload, "text": BUTTON[self.language]})

    @property
    def appointment(self) -> Appointment:
        with tenant_scope(self.id):
            found: Appointment = db.session.scalars(select(Appointment)).unique().one()
            return found

    def begin_now(self, id: uuid.UUID) -> None:
        with tenant_scope(self.id):
            Appointment.get_or_404(id).starts_at = now() - dt.timedelta(minutes=1)

    def sent(self, contact_id: uuid.UUID) -> list[str]:
        with tenant_scope(self.id):
            query = select(Message).where(Message.direction == "outbound").order_by(Message.id)
            return [one.words for one in db.session.scalars(query) if one.conversation.contact_id == contact_id]


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_from_the_link_to_the_show_rate(app: Flask, world: World, language: str) -> None:
    walk = Walk(app, world, language)
    walk.switch_on_auto_reply()
    walk.write(walk.first_words())
    with tenant_scope(walk.id):
        talk = conversation_of(walk)
        assert talk.about and talk.about.title == TITLE[language] and talk.customer_language == language
    assert len(walk.sent(walk.owner.contact_id)) == 1

    book = f"~/appointments/new?contact={talk.contact_id}&conversation={talk.id}"
    given = fields_of(walk.ann.get(book).text)
    assert TITLE[language] in given["title"] and "Viewing" not in given["title"]
    walk.ann.post("~/appointments", given | {"contact": str(talk.contact_id), "conversation": str(talk.id)})
    walk.send_due("booked")
    one = walk.appointment
    walk.tap(one)
    assert walk.appointment.state == "confirmed"

    later = (one.local + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    walk.ann.post(f"~/appointments/{one.id}", given | {"at": later})
    walk.send_due("moved")
    walk.send_due("reminder")
    sent = walk.sent(talk.contact_id)
    for words in WORDS[language]:
        assert any(words in each for each in sent), words
    if language == "ar":
        assert set(re.findall(r"[A-Za-z]{3,}", " ".join(sent))) == {"Salma", "XOF", "Dakar"}

    walk.begin_now(one.id)
    walk.ann.post(f"~/appointments/{one.id}/completion", {})
    assert walk.appointment.state == "done"
    assert "100" in walk.ann.get("~/appointments/report").text


def conversation_of(walk: Walk) -> Any:
    return db.session.scalars(select(Conversation).where(Conversation.contact_id != walk.owner.contact_id)).one()


def fields_of(page: str) -> dict[str, str]:
    """What a form has filled in."""
    inputs = re.findall(r"<input[^>]*>", page)
    pairs = ((re.search(r'name="([^"]+)"', one), re.search(r'value="([^"]*)"', one)) for one in inputs)
    values = {name[1]: value[1] for name, value in pairs if name and value}
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(
            r'<option[^>]*selected[^>]*value="([^"]*)"|<option[^>]*value="([^"]*)"[^>]*selected', options
        )
        values[name] = (chosen[1] or chosen[2]) if chosen else ""
    return values
