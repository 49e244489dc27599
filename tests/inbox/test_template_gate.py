"""What Meta would refuse in a template never leaves: 132000, 132001, 132005, 132012, 132015 and 132018."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.extensions import outside
from app.inbox.compose.problems import explain
from app.inbox.conversations import Conversation, Message, WrongTemplate
from app.inbox.files.media import Media
from app.meta import messages
from app.meta.errors import MetaError
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, tenant_scope, uuid7
from app.wabas.models import PhoneNumber
from tests.message_templates.templates import approved
from tests.simulated import Road
from tests.world import World, conversation

BODY = {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is ready.", "example": {"body_text": [["Ann", "7"]]}}
PICTURE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}}
LINK = {"type": "URL", "text": "Track", "url": "https://x.example/{{1}}", "example": ["abc"]}


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


def values(*words: str, place: str = "body", **more: Any) -> dict[str, Any]:
    return {"type": place, "parameters": [{"type": "text", "text": word} for word in words]} | more


def payload(*components: dict[str, Any], name: str = "order_ready", language: str = "en_US") -> dict[str, Any]:
    return {"name": name, "language": {"code": language}, "components": list(components)}


def send(number: PhoneNumber, raw: dict[str, Any], media: Media | None = None) -> Message:
    talk = conversation(number)
    with tenant_scope(number.tenant_id):
        here = Conversation.get_or_404(talk.id)
        return here.send(
            Outgoing("template", "words", raw), by=Actor.system("api"), client_id=uuid.uuid4(), media=media
        )


def refused(number: PhoneNumber, raw: dict[str, Any], *components: dict[str, Any], **more: Any) -> str:
    approved(number, "order_ready", parameter_format="POSITIONAL", components=list(components or [BODY]), **more)
    with pytest.raises(WrongTemplate) as refusal:
        send(number, raw)
    with tenant_scope(number.tenant_id):
        assert db.session.query(Message).count() == 0
    return explain(refusal.value)


RIGHT = values("Ann", "7")
WRONG: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "132000 too few values": (payload(values("Ann")), [BODY]),
    "132000 too many values": (payload(values("Ann", "7", "8")), [BODY]),
    "132000 no values": (payload(), [BODY]),
    "131008 a link without its end": (payload(RIGHT), [BODY, {"type": "BUTTONS", "buttons": [LINK]}]),
    "132001 another name": (payload(RIGHT, name="order_reedy"), [BODY]),
    "132001 another language": (payload(RIGHT, language="en"), [BODY]),
    "132005 too long": (payload(values("A" * 1_000, "7")), [BODY]),
    "132012 a text for a picture": (payload(values("x", place="header"), RIGHT), [PICTURE, BODY]),
    "132012 no picture": (payload(RIGHT), [PICTURE, BODY]),
    "132012 an empty picture": (
        payload({"type": "header", "parameters": [{"type": "image", "image": {}}]}, RIGHT),
        [PICTURE, BODY],
    ),
    "132000 a picture where there is none": (
        payload({"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.example/a"}}]}, RIGHT),
        [BODY],
    ),
    "132018 a line break": (payload(values("Ann\nBob", "7")), [BODY]),
    "132018 a tab": (payload(values("Ann\tBob", "7")), [BODY]),
    "132018 five spaces": (payload(values("Ann     Bob", "7")), [BODY]),
    "132000 a button that is not there": (
        payload(RIGHT, values("x", place="button", sub_type="url", index="0")),
        [BODY],
    ),
    "131008 an empty value": (payload(values("", "7")), [BODY]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_meta_would_refuse_is_refused_with_words(number: PhoneNumber, case: str) -> None:
    raw, components = WRONG[case]
    assert refused(number, raw, *components)


@pytest.mark.parametrize("case", WRONG)
def test_without_the_gate_meta_would_have_answered_with_that_code(road: Road, case: str) -> None:
    raw, components = WRONG[case]
    road.customer_writes()
    listed = [one | {"buttons": [LINK]} if one["type"] == "BUTTONS" else one for one in components]
    road.meta.post("templates", waba_id=road.ids["waba_id"], name="order_ready", components=listed)
    content, number = {"type": "template", "template": raw}, road.number.meta_id
    with pytest.raises(MetaError) as refusal:
        messages.send(outside().graph, road.ids["token"], number, to="16505551234", content=content, callback_data=None)
    assert refusal.value.code == int(case[:6])


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "DELETED", "ARCHIVED"])
def test_what_is_not_approved_is_refused(number: PhoneNumber, status: str) -> None:
    assert refused(number, payload(RIGHT), status=status)


def test_a_file_of_another_kind_is_refused(number: PhoneNumber) -> None:
    header = {"type": "header", "parameters": [{"type": "image", "image": {}}]}
    approved(number, "order_ready", parameter_format="POSITIONAL", components=[PICTURE, BODY])
    with pytest.raises(WrongTemplate):
        send(number, payload(header, RIGHT), file("video"))
    with tenant_scope(number.tenant_id):
        assert db.session.query(Message).count() == 0


def file(kind: str) -> Media:
    return Media(id=uuid7(), kind=kind, mime="image/png", filename="a.png", sha256="0", state="stored")


def test_what_is_right_goes(number: PhoneNumber) -> None:
    approved(number, "order_ready", parameter_format="POSITIONAL", components=[BODY])
    assert send(number, payload(RIGHT)).state == "queued"


def test_a_template_that_changed_while_the_message_waited_is_not_sent_again(road: Road) -> None:
    """It failed, and a colleague retries it after Meta has got another text."""
    template = approved(road.number, "order_ready", parameter_format="POSITIONAL", components=[BODY])
    message = send(road.number, payload(RIGHT))
    with tenant_scope(road.world.bakery.id):
        row = Message.get_or_404(message.id)
        row.state, row.error = "failed", {"kind": "human"}
        db.session.merge(template).components = [{"type": "BODY", "text": "Nothing to fill in here."}]
        db.session.flush()
        row.retry()
        assert row.state == "failed" and row.error["refusal"] == "wrong_template"
