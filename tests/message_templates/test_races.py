"""Two people, two clicks or two jobs at one moment: one template, and no one approves what they have not read."""

from __future__ import annotations

import contextlib
import io
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from app.message_templates import samples
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.message_templates.settings import TemplateSettings
from app.message_templates.versions import TemplateVersion
from app.storage import new_key
from app.tenancy import Actor, Role, db, tenant_scope
from app.tenancy.models import Membership, admit
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.message_templates.templates import CONTENT, FORM, approved, drafted
from tests.message_templates.test_submission import PNG
from tests.world import World, person


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def ada(app: Flask, world: World) -> Browser:
    """An admin of Bakery's, where owners approve what is submitted."""
    ada = person("ada")
    with tenant_scope(world.bakery.id):
        admit(ada, Role.ADMIN)
        TemplateSettings.change(needs_approval=True)
    return Browser(app, tenant="bakery").signed_in_as(ada)


@pytest.fixture
def meanwhile(app: Flask, world: World) -> Callable[[Callable[[], Any]], None]:
    """Does something in another transaction, from beginning to end."""

    def run(work: Callable[[], Any]) -> None:
        with app.app_context(), tenant_scope(world.bakery.id):
            work()

    def in_another_thread(work: Callable[[], Any]) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(run, work).result(20)

    return in_another_thread


def submit(template: MessageTemplate, world: World) -> TemplateVersion:
    member = db.session.query(Membership).filter_by(user_id=world.ann.id).one()
    return MessageTemplate.get_or_404(template.id).submit(by=Actor.agent(world.ann), membership=member)


def test_a_second_click_does_not_begin_the_submission_anew(world: World, number: PhoneNumber, meanwhile: Any) -> None:
    template = drafted(number, world.ann)

    def click_and_job() -> None:
        submit(template, world).attempts = 1

    with tenant_scope(world.bakery.id):
        read = TemplateVersion.open_of(template.id)
        meanwhile(click_and_job)
        assert submit(template, world) is read and read.attempts == 1


def test_an_edit_begun_twice_at_once_is_one(
    app: Flask, world: World, number: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, open_of, both = approved(number), TemplateVersion.open_of, threading.Barrier(2)

    def found_twice(*arguments: Any, **options: Any) -> TemplateVersion | None:
        results = open_of(*arguments, **options)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # the second may be kept waiting until the first has ended
        return results

    def click(_: int) -> None:
        with app.app_context(), tenant_scope(world.bakery.id):
            MessageTemplate.get_or_404(template.id).version_to_edit(Actor.agent(world.ann))

    monkeypatch.setattr(TemplateVersion, "open_of", found_twice)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(click, range(2)))
    with tenant_scope(world.bakery.id):
        assert db.session.query(TemplateVersion).count() == 1


def test_one_file_stored_twice_at_once_is_one_sample(
    world: World, meanwhile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[uuid.UUID] = []

    def store() -> None:
        TemplateSample.store("IMAGE", io.BytesIO(PNG), "shop.png")

    def overtaken(tenant_id: uuid.UUID) -> str:
        keys.append(tenant_id)
        if len(keys) == 1:
            meanwhile(store)
        return new_key(tenant_id)

    monkeypatch.setattr(samples, "new_key", overtaken)
    with tenant_scope(world.bakery.id):
        store()
        assert db.session.query(TemplateSample).count() == 1
    assert len(keys) == 2


def waiting(world: World, number: PhoneNumber, ada: Browser) -> tuple[MessageTemplate, str]:
    """A draft that waits for Ann's approval, and the revision that she has read."""
    template = drafted(number, world.ann)
    with tenant_scope(world.bakery.id):
        revision = str(db.session.query(TemplateVersion).one().revision)
    ada.post(f"~/templates/{template.id}/submission", {"revision": revision})
    return template, revision


@pytest.mark.parametrize("changed", [{"name": "something_else"}, {"language": "fr"}])
def test_another_name_is_not_approved_unread(
    world: World, number: PhoneNumber, ann: Browser, ada: Browser, changed: dict[str, str]
) -> None:
    template, revision = waiting(world, number, ada)
    ada.post(f"~/templates/{template.id}/draft", FORM | {"revision": revision} | changed)
    ann.post(f"~/templates/{template.id}/approval", {"revision": revision})
    with tenant_scope(world.bakery.id):
        assert db.session.query(TemplateVersion).one().state == "draft"


def test_a_template_on_its_way_is_not_renamed(world: World, number: PhoneNumber, ann: Browser) -> None:
    template = drafted(number, world.ann)
    with tenant_scope(world.bakery.id):
        revision = submit(template, world).revision
    renamed = FORM | {"revision": str(revision), "name": "something_else"}
    assert ann.post(f"~/templates/{template.id}/draft", renamed).status_code == 422
    with tenant_scope(world.bakery.id):
        assert MessageTemplate.get_or_404(template.id).name == "order_update"


def test_a_name_changed_by_a_colleague_is_seen_first(world: World, number: PhoneNumber, ann: Browser) -> None:
    template = drafted(number, world.ann)
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
        assert version
        read, version.revision = version.revision, version.revision + 1
    renamed = FORM | {"revision": str(read), "name": "something_else"}
    assert ann.post(f"~/templates/{template.id}/draft", renamed).status_code == 409
    with tenant_scope(world.bakery.id):
        assert MessageTemplate.get_or_404(template.id).name == "order_update"


def test_a_taken_name_saves_nothing(world: World, number: PhoneNumber, ann: Browser) -> None:
    template = drafted(number, world.ann)
    approved(number, "taken")
    typed = FORM | {"revision": "1", "name": "taken", "body": "Other words for this order, as it was shipped."}
    assert ann.post(f"~/templates/{template.id}/draft", typed).status_code == 422
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
        assert version and version.content == CONTENT and version.revision == 1
