"""Test mode: a customer who writes, made up by a program with a test key."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from flask import g, request
from pydantic import ConfigDict, Field, RootModel
from sqlalchemy import select

from app.api import Fault, Problem, Shape, current_key, endpoint, problem
from app.inbox.conversations import Message
from app.meta import written_numbers
from app.meta.pretend import new_wamid
from app.meta.pretended_webhooks import inbound_of, tapped
from app.meta.written_numbers import NotRead
from app.sandboxes.models import PretendedWebhook
from app.tenancy import db
from app.wabas.models import PhoneNumber
from app.words import N_

from .messages import WRITE
from .sending import TextPart

TEST_KEY_NEEDED = problem(
    "test_key_needed",
    403,
    "Only a test key may do this",
    N_("Use a key that begins with sb_test_. Test keys are made in Settings, API keys."),
)


class Inbound(Shape):
    """What all types have: the customer's number, however it is written, and their name in WhatsApp."""

    from_: Annotated[str, Field(max_length=40, examples=["+16505550100"])] = Field(alias="from")
    name: str = Field("", max_length=200)


class InboundText(Inbound):
    type: Literal["text"]
    text: TextPart
    reply_to: uuid.UUID | None = Field(None, description="The id of a message to them that they quote.")

    def content(self, _replied_to: Message | None) -> dict[str, Any]:
        return {"type": "text", "text": {"body": self.text.body}}


class TappedPart(Shape):
    title: Annotated[str, Field(min_length=1, max_length=25)]
    payload: Annotated[str, Field(max_length=256)] = Field("", description="The title where it is left out.")


class InboundButton(Inbound):
    type: Literal["button"]
    button: TappedPart
    reply_to: uuid.UUID = Field(description="The id of the message or template that has the button.")

    def content(self, replied_to: Message | None) -> dict[str, Any]:
        of_template = replied_to is not None and replied_to.type == "template"
        return tapped(self.button.title, self.button.payload or self.button.title, of_template=of_template)


class NewInbound(RootModel[Annotated[InboundText | InboundButton, Field(discriminator="type")]]):
    """A message that a customer writes; `type` says which other members it has."""

    model_config = ConfigDict(hide_input_in_errors=True)


class InboundShape(Shape):
    """It arrives as WhatsApp's messages do: find it by its `wamid` a moment later, or wait for the webhook."""

    wamid: str
    phone: str


@endpoint(
    "POST",
    "/test/inbound",
    scope=WRITE,
    body=NewInbound,
    gives=InboundShape,
    status=202,
    tag="Test mode",
    problems=(TEST_KEY_NEEDED,),
)
def receive_test_message(body: NewInbound) -> InboundShape:
    """Have a made-up customer write to you.

    Only with a test key. The message comes the way of WhatsApp's own: it opens the reply window and reaches your
    webhooks as message.received.
    """
    if not current_key().is_test:
        raise Problem(TEST_KEY_NEEDED)
    written = body.root
    try:
        sender = written_numbers.read(written.from_)
    except NotRead as error:
        fault = Fault("invalid_phone_number", error.explain(), pointer="/from")
        raise Problem("invalid_request", errors=[fault]) from None
    replied_to, wamid = find_replied_to(written.reply_to), new_wamid(client_id())
    context = replied_to.wamid if replied_to else None
    number = db.session.scalars(select(PhoneNumber)).one()
    PretendedWebhook.expect_of_number(
        number, [inbound_of(wamid, sender, written.name, written.content(replied_to), context)]
    )
    return InboundShape(wamid=wamid, phone=f"+{sender}")


def client_id() -> uuid.UUID | None:
    """The same for the same Idempotency-Key, also after its answer is forgotten."""
    key = request.headers.get("Idempotency-Key")
    return uuid.uuid5(g.api_key.id, f"inbound {key}") if key else None


def find_replied_to(id: uuid.UUID | None) -> Message | None:
    message = Message.find(id) if id else None
    if id and (message is None or not message.wamid):
        fault = Fault("not_found", "There is no such message, or it has not been sent yet.", pointer="/reply_to")
        raise Problem("invalid_request", errors=[fault])
    return message
