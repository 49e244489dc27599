"""The demo's last weeks: what regular customers wrote and how soon they were answered, so that reports have figures."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any

from app.analytics.recount import quarter_of
from app.analytics.subscribers import note_conversations, note_quarters
from app.contacts.models import Contact, ContactIdentity
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.conversations.handling import HandlingStretch
from app.inbox.inbound.surveys import SurveyAnswer
from app.meta.codes import CODES
from app.tenancy import Actor, User, db, first_id, now, uuid7
from app.wabas.models import PhoneNumber

WEEKS, SEED = 6, 20_261_130
NAMES = (
    *("Amara Okafor", "Ben Carter", "Chloé Martin", "Diego Torres", "Elif Demir", "Farid Haddad", "Grace Kim"),
    *("Hannah Vogel", "Ivan Petrov", "Jasmin Ali", "Kofi Mensah", "Lena Fischer", "Marco Bianchi", "Noor Rahman"),
    *("Olga Novak", "Paul Dubois", "Rosa Silva", "Samir Khan", "Tina Larsen", "Yara Costa"),
)
# How many conversations a weekday has, Monday first, and at which hours (UTC) they begin how often.
BUSY = (9, 8, 8, 9, 12, 14, 3)
HOURS = {6: 2, 7: 5, 8: 8, 9: 9, 10: 7, 11: 5, 12: 4, 13: 3, 14: 4, 15: 6, 16: 7, 17: 4, 20: 1}
QUESTIONS = ("Do you have rye bread today?", "Can I order a cake for Saturday?", "Until when are you open?")
REPLIES = ("Yes, fresh from the oven. Shall I put one aside?", "Of course! For how many people?", "Until six today.")
FAILED = {"code": 131026, "kind": "final", "title": CODES[131026].title, "fix": CODES[131026].fix}
RATED = ("good", "good", "good", "good", "fair", "good", "good", "bad", "good")


def fill(number: PhoneNumber, ann: User, ben: User) -> None:
    """Adds them, and has them counted. With targets, so that some were missed."""
    policy = ServicePolicy.to_change()
    policy.first_response_minutes, policy.next_response_minutes = 60, 240
    db.session.add(policy)
    dice = random.Random(SEED)
    talks = list(conversations(number))
    team = Actor.agent(ann), Actor.agent(ben)
    quarters = set()
    for at in beginnings(dice):
        for row in episode(dice.choice(talks), at, team, dice):
            db.session.add(row)
            if isinstance(row, Message):
                quarters.add(quarter_of(row.occurred_at))
    db.session.flush()
    note_conversations((talk.id, now() - dt.timedelta(weeks=WEEKS + 1)) for talk in talks)
    note_quarters(quarters)


def conversations(number: PhoneNumber) -> Iterator[Conversation]:
    for place, name in enumerate(NAMES):
        contact = Contact(name=name)
        db.session.add(contact)
        db.session.flush()
        db.session.add(ContactIdentity(contact_id=contact.id, kind="wa_id", value=f"4915550{place:06}"))
        talk = Conversation(phone_number_id=number.id, contact_id=contact.id, state="resolved")
        talk.last_message_at = now() - dt.timedelta(days=2)
        db.session.add(talk)
        db.session.flush()
        yield talk


def beginnings(dice: random.Random) -> Iterator[dt.datetime]:
    """Up to two days ago, so that today's inbox stays as it is."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    for days in range(WEEKS * 7, 1, -1):
        day = today - dt.timedelta(days=days)
        for hour in sorted(dice.choices(list(HOURS), list(HOURS.values()), k=BUSY[day.weekday()])):
            yield day + dt.timedelta(hours=hour, minutes=dice.randrange(60))


def episode(talk: Conversation, at: dt.datetime, team: tuple[Actor, Actor], dice: random.Random) -> Iterator[Any]:
    """A question, its reply, sometimes more, and that it was resolved; now and then a rating."""
    agent, began_at = team[dice.random() < 0.6], at
    yield message(talk, at, None, dice.choice(QUESTIONS))
    yield Activity(conversation_id=talk.id, kind="answered", occurred_at=at)
    if dice.random() < 0.3:
        yield message(talk, at + dt.timedelta(seconds=20), Actor("assistant", None, "Assistant"), "One moment, please.")
    at += dt.timedelta(minutes=dice.expovariate(1 / 16) + 1)
    yield message(talk, at, agent, dice.choice(REPLIES), dice)
    for _ in range(dice.randrange(3)):
        at += dt.timedelta(minutes=dice.expovariate(1 / 8) + 1)
        yield message(talk, at, None, "Perfect, thank you")
        at += dt.timedelta(minutes=dice.expovariate(1 / 10) + 1)
        yield message(talk, at, agent, "See you then!", dice)
    at += dt.timedelta(minutes=dice.expovariate(1 / 30) + 1)
    yield Activity(conversation_id=talk.id, kind="resolved", occurred_at=at, **agent.columns("actor"))
    stretch = {"started_at": began_at, "ended_at": at, "ending": "resolved", **agent.columns("by")}
    yield HandlingStretch(conversation_id=talk.id, **stretch)
    if dice.random() < 0.35:
        survey = message(talk, at, Actor.system("survey"), "How did we do?")
        yield survey
        yield SurveyAnswer(message_id=survey.id, score=dice.choice(RATED), answered_at=at + dt.timedelta(minutes=3))


def message(
    talk: Conversation, at: dt.datetime, by: Actor | None, words: str, dice: random.Random | None = None
) -> Message:
    made = Message(id=past_id(at), conversation_id=talk.id, phone_number_id=talk.phone_number_id, body=words)
    made.occurred_at = made.created_at = at
    made.direction, made.state, made.type = ("outbound" if by else "inbound"), "received", "text"
    if by:
        fate = dice.random() if dice else 0.5
        made.state = "failed" if fate > 0.98 else "delivered" if fate > 0.85 else "read"
        made.error = FAILED if made.state == "failed" else None
        made.wamid, made.client_id, made.source = f"wamid.demo.{made.id}", uuid.uuid4(), by.source
        made.author_kind, made.author_id = by.kind, by.id
        made.author_name = None if by.kind == "agent" else by.name or None
    return made


def past_id(at: dt.datetime) -> uuid.UUID:
    """As if it had been made then: ids sort by time."""
    return uuid.UUID(int=first_id(at).int | uuid7().int & (1 << 80) - 1)
