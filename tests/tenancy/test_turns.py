from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select

from app.contacts.models import Contact
from app.tenancy import by_chance, db, in_turn, now, platform_scope, tenant_scope
from tests.world import World


def contacts(tenant_id: uuid.UUID, *ages: int) -> None:
    with tenant_scope(tenant_id):
        db.session.add_all(Contact(name=str(age), created_at=now() - dt.timedelta(hours=age)) for age in ages)


def chosen(most: int) -> list[tuple[uuid.UUID, str]]:
    with platform_scope("tests"):
        query = in_turn(select(Contact.tenant_id, Contact.name), Contact.created_at, most)
        return [(row.tenant_id, row.name) for row in db.session.execute(query)]


def test_the_first_of_each_tenant_come_before_the_second_of_any(world: World) -> None:
    contacts(world.bakery.id, *range(10, 60))
    contacts(world.shoes.id, 2, 1)
    bakery, shoes = world.bakery.id, world.shoes.id
    assert chosen(4) == [(bakery, "59"), (shoes, "2"), (bakery, "58"), (shoes, "1")]


def test_a_tenant_alone_gets_all_places(world: World) -> None:
    contacts(world.bakery.id, *range(5))
    assert [name for _, name in chosen(3)] == ["4", "3", "2"]


def test_chance_chooses_others_each_time_and_never_more(world: World) -> None:
    contacts(world.bakery.id, *range(20))
    with platform_scope("tests"):
        query = by_chance(select(Contact.tenant_id, Contact.name), 5)
        draws = [db.session.execute(query).all() for _ in range(20)]
    assert {len(draw) for draw in draws} == {5}
    assert len({row.name for draw in draws for row in draw}) > 10
