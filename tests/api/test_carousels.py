"""Templates whose cards and headers show pictures, sent by program."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.files.jobs import delete_files
from app.inbox.files.uploaded_files import UploadedFile
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.message_templates.versions import Content, TemplateVersion
from app.meta.outgoing import Outgoing
from app.people.jobs import erase_files, erase_remaining_files
from app.storage import NotStored
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller
from tests.api.test_media import MP4, PDF, file_id
from tests.enqueued import Enqueued
from tests.message_templates.templates import approved
from tests.world import World, conversation

Json = dict[str, Any]
VALUES = {"card-0-body-0-1": "Carla", "card-1-body-0-1": "you"}


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(file, "PNG")
    return file.getvalue()


def card(sample: str) -> Json:
    header = {"type": "HEADER", "format": "IMAGE", "example": {"sample": sample}}
    body = {"type": "BODY", "text": "A cake for {{1}} only.", "example": {"body_text": [["you"]]}}
    return {"components": [header, body, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "More"}]}]}


@pytest.fixture
def cakes(number: PhoneNumber) -> MessageTemplate:
    with tenant_scope(number.tenant_id):
        sample = str(TemplateSample.store("IMAGE", io.BytesIO(picture("gold")), "gold.png").id)
    parts: list[Json] = [
        {"type": "BODY", "text": "Two cakes are new."},
        {"type": "CAROUSEL", "cards": [card(sample), card(sample)]},
    ]
    made = approved(number, "cakes", category="MARKETING", parameter_format="POSITIONAL", components=parts)
    with tenant_scope(number.tenant_id):
        TemplateVersion.adopt(made.id, Content("MARKETING", False, parts), state="approved", at=now())
    return made


def send(shop: Caller, talk: Conversation, template: MessageTemplate, **part: Any) -> Any:
    body = {"type": "template", "to": {"conversation_id": str(talk.id)}}
    return shop.post("/messages", body | {"template": {"id": str(template.id), "variables": VALUES} | part})


def headers(world: World) -> list[str]:
    """Which file each card of the one message shows."""
    with tenant_scope(world.bakery.id):
        (message,) = db.session.query(Message).filter_by(direction="outbound")
        cards = message.raw["components"][-1]["cards"]
        ids = [one["components"][0]["parameters"][0]["image"]["sample"] for one in cards]
        return [db.session.query(TemplateSample).filter_by(id=uuid.UUID(id)).one().name for id in ids]


def test_cards_show_the_pictures_that_the_reviewers_saw(
    shop: Caller, carla: Conversation, world: World, cakes: MessageTemplate
) -> None:
    answer = send(shop, carla, cakes, payloads=["first", "second"])
    assert answer.status_code == 202, answer.json
    assert headers(world) == ["gold.png", "gold.png"]


def test_an_uploaded_file_takes_the_place_of_a_cards_own(
    shop: Caller, carla: Conversation, world: World, cakes: MessageTemplate
) -> None:
    answer = send(shop, carla, cakes, card_files=[None, file_id(shop, picture("red"), "red.png")])
    assert answer.status_code == 202, answer.json
    assert headers(world) == ["gold.png", "red.png"]


@pytest.mark.parametrize("wrong", ["a document", "one of two", "nothing", "a video for a picture"])
def test_what_a_card_cannot_show_is_refused(
    shop: Caller, carla: Conversation, world: World, cakes: MessageTemplate, wrong: str
) -> None:
    given: dict[str, list[str | None]] = {
        "a document": [file_id(shop, PDF, "menu.pdf"), None],
        "one of two": [file_id(shop, picture("red"), "red.png")],
        "nothing": [str(uuid.uuid4()), None],
        "a video for a picture": [file_id(shop, MP4, "film.mp4"), None],
    }
    answer = send(shop, carla, cakes, card_files=given[wrong])
    assert answer.status_code == 422 and answer.get_json(force=True)["errors"][0]["pointer"].startswith("/template")
    with tenant_scope(world.bakery.id):
        assert db.session.query(Message).filter_by(direction="outbound").count() == 0


def test_a_card_that_has_no_picture_here_needs_one(
    shop: Caller, carla: Conversation, world: World, cakes: MessageTemplate
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(db.delete(TemplateVersion))
    assert send(shop, carla, cakes).status_code == 422
    red = file_id(shop, picture("red"), "red.png")
    assert send(shop, carla, cakes, card_files=[red, red]).status_code == 202


def erase(shop: Caller, talk: Conversation) -> None:
    assert shop.post(f"/contacts/{talk.contact_id}/erasure").status_code == 204
    erase_files(str(talk.tenant_id))
    delete_files(str(talk.tenant_id))


def names(world: World) -> tuple[list[str], list[str]]:
    """Of the files that cards show, and of those that programs may send."""
    with tenant_scope(world.bakery.id):
        shown = db.session.scalars(db.select(TemplateSample.name).order_by(TemplateSample.name))
        return list(shown), [file.filename for file in db.session.scalars(UploadedFile.usable())]


@pytest.fixture
def sent(shop: Caller, carla: Conversation, cakes: MessageTemplate) -> str:
    """A file on a card of a message to Carla."""
    red = file_id(shop, picture("red"), "red.png")
    assert send(shop, carla, cakes, card_files=[None, red]).status_code == 202
    return red


def test_a_picture_that_only_an_erased_person_got_is_erased(
    shop: Caller, carla: Conversation, world: World, sent: str
) -> None:
    with tenant_scope(world.bakery.id):
        key = db.session.scalars(db.select(TemplateSample.storage_key).filter_by(name="red.png")).one()
    erase(shop, carla)
    assert names(world) == (["gold.png"], [])
    with pytest.raises(NotStored):
        next(outside().storage.stream(key))


def test_a_picture_that_others_got_too_stays(
    shop: Caller, carla: Conversation, number: PhoneNumber, world: World, cakes: MessageTemplate, sent: str
) -> None:
    other = conversation(number, "4915155555555", "Dora")
    assert send(shop, other, cakes, card_files=[None, sent]).status_code == 202
    erase(shop, carla)
    assert names(world) == (["gold.png", "red.png"], ["red.png"])
    erase(shop, other)
    assert names(world) == (["gold.png"], [])


def test_a_person_is_erased_whatever_a_program_wrote_in_metas_own_format(shop: Caller, carla: Conversation) -> None:
    parts = [{"type": "header", "parameters": [{"type": "image", "image": {"sample": "no id"}}]}]
    content = {"name": "cakes", "language": {"code": "en"}, "components": parts}
    with tenant_scope(carla.tenant_id):
        talk = Conversation.get_or_404(carla.id)
        message = Message.outbound(talk, Outgoing("text", ""), by=Actor.system("tests"), client_id=uuid.uuid4())
        message.type, message.content = "template", {"raw": content}
        db.session.add(message)
    erase(shop, carla)
    with tenant_scope(carla.tenant_id):
        assert Message.get_or_404(message.id).content == {"erased": True}


def test_a_file_that_only_an_erased_person_got_ends(shop: Caller, carla: Conversation, world: World) -> None:
    bill, menu = file_id(shop, PDF, "bill.pdf"), file_id(shop, PDF + b"%", "menu.pdf")
    body = {"type": "document", "to": {"conversation_id": str(carla.id)}, "document": {"media_id": bill}}
    assert shop.post("/messages", body).status_code == 202
    erase(shop, carla)
    assert names(world)[1] == ["menu.pdf"] and menu


def test_what_redis_lost_of_an_erasure_is_found(
    shop: Caller, carla: Conversation, world: World, sent: str, enqueued: Enqueued
) -> None:
    assert shop.post(f"/contacts/{carla.contact_id}/erasure").status_code == 204
    enqueued.clear()
    erase_remaining_files()
    assert enqueued.names == ["people.erase_files"]
