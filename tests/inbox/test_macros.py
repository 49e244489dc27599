"""What macros do beside words: tags, canned replies, templates; and the same tags on many conversations at once."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from typing import Any

import pytest

from app.contacts.tags import ContactTag, Tag
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.macros import Macro
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.tenancy import db, now, tenant_scope
from tests import world as people
from tests.client import FRAGMENT, Browser
from tests.inbox.conftest import undo
from tests.world import World

TOO_LATE = "The 24-hour reply window has closed."


@pytest.fixture
def tags(world: World) -> dict[str, uuid.UUID]:
    with tenant_scope(world.bakery.id):
        return {name: Tag.get_or_make(name).id for name in ("regular", "complaint")}


def close_window(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).last_inbound_at = now() - dt.timedelta(days=2)


def approve(world: World, talk: Conversation, name: str = "come_back") -> None:
    with tenant_scope(world.bakery.id):
        waba_id = Conversation.get_or_404(talk.id).phone_number.waba_id
        template = MessageTemplate(waba_id=waba_id, meta_id=name, name=name, language="en", category="UTILITY")
        template.status, template.parameter_format = "APPROVED", "POSITIONAL"
        template.components = [{"type": "BODY", "text": "Your order waits."}]
        db.session.add(template)


def make(browser: Browser, world: World, **fields: Any) -> Macro:
    answer = browser.post("~/inbox/macros", {"name": "It", "shared": "1"} | fields)
    assert answer.status_code == 303, answer.text
    with tenant_scope(world.bakery.id):
        return db.session.scalars(db.select(Macro).order_by(Macro.id.desc())).first()  # type: ignore[return-value]


def run(browser: Browser, talk: Conversation, macro: Macro, run_id: str = "") -> Any:
    address = f"~/inbox/{talk.id}/macros/{macro.id}/runs"
    return browser.post(address, {"run_id": run_id or str(uuid.uuid4())}, headers=FRAGMENT)


def tagged(world: World, talk: Conversation) -> set[str]:
    with tenant_scope(world.bakery.id):
        return {tag.name for tag in Conversation.get_or_404(talk.id).contact.tags}


def put(world: World, talk: Conversation, *ids: uuid.UUID) -> None:
    with tenant_scope(world.bakery.id):
        for id in ids:
            Tag.get_or_404(id).put_on(talk.contact_id)


def sent(world: World) -> list[tuple[str, str]]:
    with tenant_scope(world.bakery.id):
        results = db.session.query(Message).filter_by(direction="outbound").order_by(Message.id)
        return [(message.type, message.body) for message in results]


def test_a_macro_adds_and_removes_tags(
    ann: Browser, ben: Browser, world: World, carla: Conversation, tags: dict[str, uuid.UUID]
) -> None:
    put(world, carla, tags["complaint"])
    macro = make(ann, world, add_tag=tags["regular"], remove_tag=tags["complaint"])
    assert run(ben, carla, macro).status_code == 200
    assert tagged(world, carla) == {"regular"}


def test_the_tags_of_a_macro_can_be_changed(
    ann: Browser, world: World, carla: Conversation, tags: dict[str, uuid.UUID]
) -> None:
    macro = make(ann, world, add_tag=[str(id) for id in tags.values()])
    answer = ann.post(f"~/inbox/macros/{macro.id}", {"name": "It", "remove_tag": str(tags["regular"])})
    assert answer.status_code == 303
    put(world, carla, *tags.values())
    run(ann, carla, macro)
    assert tagged(world, carla) == {"complaint"}


def test_a_removed_tag_is_removed_from_macros(ann: Browser, world: World, tags: dict[str, uuid.UUID]) -> None:
    macro = make(ann, world, note="Hm", add_tag=tags["regular"])
    with tenant_scope(world.bakery.id):
        Tag.get_or_404(tags["regular"]).remove()
    with tenant_scope(world.bakery.id):
        assert Macro.get_or_404(macro.id).tags == []


def test_a_macro_sends_a_canned_reply_with_its_file(
    ann: Browser, ben: Browser, world: World, carla: Conversation
) -> None:
    file = (io.BytesIO(b"%PDF-1.4 menu"), "menu.pdf")
    form = {"shortcut": "menu", "body": "Our menu, {{first_name}}", "shared": "1", "file": file}
    ann.post("~/inbox/canned-replies", form, content_type="multipart/form-data")
    with tenant_scope(world.bakery.id):
        canned = db.session.query(CannedReply).one()
    macro, run_id = make(ann, world, canned=canned.id, ending="pending"), str(uuid.uuid4())
    for _ in range(2):
        assert run(ben, carla, macro, run_id).status_code == 200
    assert sent(world) == [("document", "Our menu, Carla")]
    with tenant_scope(world.bakery.id):
        assert Conversation.get_or_404(carla.id).state == "pending"


def test_a_macro_without_its_canned_reply_does_nothing_and_says_why(
    ann: Browser, world: World, carla: Conversation
) -> None:
    ann.post("~/inbox/canned-replies", {"shortcut": "menu", "body": "Our menu", "shared": "1"})
    with tenant_scope(world.bakery.id):
        canned = db.session.query(CannedReply).one()
    macro = make(ann, world, canned=canned.id, ending="resolved")
    ann.post(f"~/inbox/canned-replies/{canned.id}/removal")
    answer = run(ann, carla, macro)
    assert answer.status_code == 409 and "The macro wasn&#39;t run. The canned reply /menu was removed." in answer.text
    assert sent(world) == [] and "/menu was removed. This macro can't run" in ann.get(f"~/inbox/macros/{macro.id}").text


def test_a_macro_does_nothing_in_a_closed_reply_window_and_says_why(
    ann: Browser, world: World, carla: Conversation, tags: dict[str, uuid.UUID]
) -> None:
    close_window(world, carla)
    macro = make(ann, world, reply="Hello?", add_tag=tags["regular"])
    answer = run(ann, carla, macro)
    assert answer.status_code == 409 and TOO_LATE in answer.text
    assert sent(world) == [] and tagged(world, carla) == set()


@pytest.mark.parametrize(
    ("reply", "is_open", "expected"),
    [
        ("Hello", True, ("text", "Hello")),
        ("Hello", False, ("template", "Your order waits.")),
        ("", True, ("template", "Your order waits.")),
    ],
)
def test_a_macro_sends_its_template_where_the_reply_cannot_go(
    ann: Browser, world: World, carla: Conversation, reply: str, is_open: bool, expected: tuple[str, str]
) -> None:
    approve(world, carla)
    if not is_open:
        close_window(world, carla)
    run(ann, carla, make(ann, world, reply=reply, template="come_back|en"))
    assert sent(world) == [expected]


def test_a_macro_without_its_template_does_nothing_and_says_why(
    ann: Browser, world: World, carla: Conversation
) -> None:
    approve(world, carla)
    macro = make(ann, world, template="come_back|en", ending="resolved")
    with tenant_scope(world.bakery.id):
        db.session.query(MessageTemplate).one().status = "PAUSED"
    answer = run(ann, carla, macro)
    assert answer.status_code == 409 and "“come_back” is not approved for this number" in answer.text
    assert sent(world) == [] and "come_back: no longer approved" in ann.get(f"~/inbox/macros/{macro.id}").text


def test_a_macro_for_everybody_sends_nothing_of_ones_own(ann: Browser, world: World) -> None:
    ann.post("~/inbox/canned-replies", {"shortcut": "mine", "body": "Secret"})
    with tenant_scope(world.bakery.id):
        mine = db.session.query(CannedReply).one()
    answer = ann.post("~/inbox/macros", {"name": "It", "shared": "1", "canned": str(mine.id)})
    assert answer.status_code == 422 and "/mine is yours alone" in answer.text


def bulk(browser: Browser, *talks: Conversation, **action: Any) -> Any:
    return browser.post("~/inbox/bulk", {"id": [str(talk.id) for talk in talks], **action}, headers=FRAGMENT)


@pytest.fixture
def dora(world: World, carla: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(carla.id).phone_number
    return people.conversation(number, wa_id="16505550199", name="Dora")


def test_undoing_a_bulk_tag_affects_only_what_it_changed(
    ben: Browser, world: World, carla: Conversation, dora: Conversation, tags: dict[str, uuid.UUID]
) -> None:
    put(world, dora, tags["regular"])
    answer = bulk(ben, carla, dora, add_tag=tags["regular"])
    assert "Added “regular” to 1 conversation" in answer.text
    assert [tagged(world, talk) for talk in (carla, dora)] == [{"regular"}, {"regular"}]
    undo(ben, answer.text)
    assert [tagged(world, talk) for talk in (carla, dora)] == [set(), {"regular"}]


def test_removing_a_tag_in_bulk_is_undone(
    ben: Browser, world: World, carla: Conversation, dora: Conversation, tags: dict[str, uuid.UUID]
) -> None:
    put(world, dora, tags["complaint"])
    answer = bulk(ben, carla, dora, remove_tag=tags["complaint"])
    assert "Removed “complaint” from 1 conversation" in answer.text and tagged(world, dora) == set()
    undo(ben, answer.text)
    assert [tagged(world, talk) for talk in (carla, dora)] == [set(), {"complaint"}]


def test_a_bulk_tag_records_who_added_it(
    ben: Browser, world: World, carla: Conversation, tags: dict[str, uuid.UUID]
) -> None:
    bulk(ben, carla, add_tag=tags["regular"])
    with tenant_scope(world.bakery.id):
        assert db.session.query(ContactTag).one().added_by_id == world.ben.id


def test_a_tag_of_another_tenant_does_not_exist(ben: Browser, world: World, carla: Conversation) -> None:
    with tenant_scope(world.shoes.id):
        theirs = Tag.get_or_make("sneakers").id
    assert bulk(ben, carla, add_tag=theirs).status_code == 404


def test_the_tag_menu_lists_the_tags(ben: Browser, sue: Browser, tags: dict[str, uuid.UUID]) -> None:
    offered = ben.get("~/inbox/bulk/tags", headers=FRAGMENT).text
    assert offered.count("regular") == 2 and "Remove tag" in offered
    assert sue.get("~/inbox/bulk/tags").status_code == 404
