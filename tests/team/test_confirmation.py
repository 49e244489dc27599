"""What only somebody who knows the password may see asks for it, and remembers it for ten minutes."""

from __future__ import annotations

import time

from app.team import passwords
from app.tenancy import db, global_scope
from app.tenancy.models import User
from tests.client import Browser
from tests.world import World

PASSWORD = "a long walk on the beach"


def know(world: World) -> None:
    with global_scope():
        db.session.get_one(User, world.ann.id).password_hash = passwords.hash_password(PASSWORD)


def test_the_right_password_leads_on_and_is_remembered(ann: Browser, world: World) -> None:
    know(world)
    number, _ = world.connect_numbers()
    pin = ann.at(f"~/numbers/{number.id}/pin")
    answer = ann.post(f"~/account/confirmation?next={pin}", {"password": PASSWORD})
    assert answer.location == pin
    assert ann.get(pin).status_code == 200


def test_a_wrong_password_leads_nowhere(ann: Browser, world: World) -> None:
    know(world)
    answer = ann.post("~/account/confirmation", {"password": "wrong"})
    assert answer.status_code == 422
    assert "your password." in answer.get_data(as_text=True)


def test_after_ten_minutes_it_is_asked_again(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    with ann.client.session_transaction() as session:
        session["confirmed_at"] = int(time.time()) - 601
    assert "/account/confirmation" in ann.get(f"~/numbers/{number.id}/pin").location


def test_it_leads_to_no_other_site(ann: Browser, world: World) -> None:
    know(world)
    answer = ann.post("~/account/confirmation?next=https://evil.example/", {"password": PASSWORD})
    assert "evil" not in answer.location
