"""What is counted as it happens is what is counted from the beginning."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from app.analytics.models import Fact
from app.analytics.recount import EPOCH, recount_conversations
from app.tenancy import Actor, db, uuid7

from .conftest import Bakery, berlin

COMPARED = ("kind", "at", "began_at", "message_id", "actor_kind", "actor_id", "seconds", "is_met")
AUTOMATION = Actor("automation", uuid7(), "Replies")


def facts(bakery: Bakery) -> list[tuple[object, ...]]:
    with bakery.scope():
        found = db.session.execute(db.select(*(getattr(Fact, name) for name in COMPARED)))
        return sorted((tuple(row) for row in found), key=str)


def recounted(bakery: Bakery, since: dt.datetime) -> None:
    with bakery.scope():
        recount_conversations({bakery.talk().id: since})


@pytest.mark.parametrize("seed", range(6))
def test_counting_as_it_happens_and_from_the_beginning_have_one_outcome(bakery: Bakery, seed: int) -> None:
    chance, at, is_closed = random.Random(seed), berlin(1, "08:00"), False
    for _ in range(40):
        at += dt.timedelta(minutes=chance.choice((1, 7, 50, 400, 1500)), milliseconds=chance.randrange(999))
        match chance.choice(("in", "in", "in", "auto", "auto", "person", "handed_over", "close")):
            case "in":
                bakery.hears(at)
                if is_closed:
                    bakery.does(at + dt.timedelta(milliseconds=1), "open", None)
                is_closed = False
            case "auto":
                bakery.says(at, AUTOMATION)
            case "person":
                bakery.says(at, chance.choice((bakery.ann, bakery.ben)))
            case "handed_over":
                bakery.does(at, "handed_over", AUTOMATION)
            case _ if not is_closed:
                bakery.does(at, chance.choice(("resolved", "archived")), bakery.ann)
                is_closed = True
        recounted(bakery, at)
    counted = facts(bakery)
    recounted(bakery, EPOCH)
    assert facts(bakery) == counted


def test_a_conversation_that_only_automations_answer_is_not_read_from_its_beginning(bakery: Bakery) -> None:
    """Each further message of a hundred thousand would cost as much as all of them."""
    for day in range(1, 9):
        bakery.hears(berlin(day, "10:00"))
        bakery.says(berlin(day, "10:01"), AUTOMATION)
    recounted(bakery, EPOCH)
    with bakery.scope():
        before = set(db.session.scalars(db.select(Fact.id).where(Fact.began_at < berlin(6, "00:00"))))
    recounted(bakery, berlin(8, "10:01"))
    with bakery.scope():
        assert before and before <= set(db.session.scalars(db.select(Fact.id)))
