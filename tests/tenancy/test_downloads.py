"""A download ends with the rights of who asked for it, however slowly its browser reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import delete, update

from app.contacts.models import Contact
from app.tenancy import DownloadEnded, Membership, Role, db, tenant_scope
from tests.client import Browser, isolated
from tests.world import World


def leave(world: World) -> None:
    db.session.execute(delete(Membership).where(Membership.user_id == world.ann.id))


def become_an_agent(world: World) -> None:
    db.session.execute(update(Membership).where(Membership.user_id == world.ann.id).values(role=Role.AGENT))


@pytest.mark.parametrize("end", [leave, become_an_agent])
def test_who_may_not_any_more_gets_no_more_of_the_contacts(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, end: Callable[[World], None]
) -> None:
    monkeypatch.setattr("app.contacts.exports.AT_ONCE", 1)
    with tenant_scope(world.bakery.id):
        db.session.add_all(Contact(name=name) for name in ("Carla", "Dora"))
    ann = Browser(app, "bakery").signed_in_as(world.ann).confirmed()
    headers = {"X-CSRFToken": isolated(ann.csrf_token)}
    answer = isolated(ann.client.post, "/t/bakery/contacts/export", headers=headers)
    pieces = cast("Iterator[bytes]", iter(answer.response))
    began = b"".join(next(pieces) for _ in range(3))
    with tenant_scope(world.bakery.id):
        end(world)
    with pytest.raises(DownloadEnded):
        next(pieces)
    assert b"Carla" in began and b"Dora" not in began
