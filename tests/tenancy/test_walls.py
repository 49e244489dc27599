"""Each wall with the other one down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from app.contacts.models import Contact, ContactIdentity
from app.tenancy import OutsideTenant, after_commit, db, global_scope, platform_scope, tenant_scope, within_tenant
from app.tenancy.database import ScopedSession
from app.tenancy.transactions import stay_inside, write_inside
from tests.world import World


@pytest.fixture
def contacts(world: World) -> dict[str, Contact]:
    made = {}
    for tenant in (world.bakery, world.shoes):
        with tenant_scope(tenant.id):
            made[tenant.slug] = Contact(name=f"of {tenant.slug}")
            db.session.add(made[tenant.slug])
    return made


@pytest.fixture
def without_orm_wall() -> Iterator[None]:
    event.remove(ScopedSession, "do_orm_execute", stay_inside)
    event.remove(ScopedSession, "before_flush", write_inside)
    yield
    event.listen(ScopedSession, "do_orm_execute", stay_inside)
    event.listen(ScopedSession, "before_flush", write_inside)


def test_row_security_alone_hides_other_tenants(world: World, contacts: object, without_orm_wall: None) -> None:
    with tenant_scope(world.bakery.id):
        assert [contact.name for contact in db.session.scalars(select(Contact))] == ["of bakery"]
        assert db.session.scalar(text("select count(*) from contacts")) == 1


def test_row_security_alone_refuses_to_write_for_another(world: World, without_orm_wall: None) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_scope(world.bakery.id):
        db.session.add(Contact(tenant_id=world.shoes.id, name="smuggled"))


def test_the_models_alone_hide_other_tenants(world: World, contacts: dict[str, Contact]) -> None:
    with tenant_scope(world.bakery.id):
        query = str(select(Contact).compile())
        assert Contact.find(contacts["shoes"].id) is None
        assert "tenant_id" in query
    with platform_scope("tests"):
        assert len(db.session.scalars(select(Contact)).all()) == 2


def test_the_models_alone_refuse_to_write_for_another(world: World) -> None:
    with pytest.raises(OutsideTenant), tenant_scope(world.bakery.id):
        db.session.add(Contact(tenant_id=world.shoes.id, name="smuggled"))


def test_without_a_tenant_the_models_refuse_and_the_database_shows_nothing(world: World, contacts: object) -> None:
    with global_scope():
        with pytest.raises(OutsideTenant):
            db.session.scalars(select(Contact)).all()
        assert db.session.scalar(text("select count(*) from contacts")) == 0


def test_a_row_cannot_point_at_another_tenants(world: World, contacts: dict[str, Contact]) -> None:
    with pytest.raises(IntegrityError), tenant_scope(world.bakery.id):
        db.session.add(ContactIdentity(contact_id=contacts["shoes"].id, kind="wa_id", value="1"))


def test_the_tenant_does_not_stay_on_the_connection(world: World, contacts: object) -> None:
    for _ in range(30):
        with tenant_scope(world.bakery.id):
            db.session.scalars(select(Contact)).all()
        with global_scope():
            assert db.session.scalar(text("select current_setting('app.tenant_id', true)")) in (None, "")


def test_the_app_may_not_read_what_meta_posted(world: World) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), global_scope():
        db.session.execute(text("select body from webhook_events"))


def test_the_platform_inside_a_tenant_is_bound_by_row_security(world: World, contacts: object) -> None:
    with platform_scope("tests"):
        with within_tenant(world.shoes.id):
            assert db.session.scalar(text("select count(*) from contacts")) == 1
        assert db.session.scalar(text("select count(*) from contacts")) == 2


def test_what_waits_for_the_commit_is_forgotten_when_it_fails(world: World) -> None:
    facts: list[str] = []

    def fail() -> None:
        with tenant_scope(world.bakery.id):
            after_commit(lambda: facts.append("too early"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert facts == []
