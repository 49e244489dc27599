"""The messages that a program may send, by type: what it writes, and what goes to WhatsApp."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, model_validator

from app.api import Shape
from app.api.declaring import GivenTime
from app.inbox.conversations import Conversation
from app.message_templates.models import MessageTemplate
from app.meta import outgoing
from app.meta.outgoing import Outgoing, Refused, Row
from app.meta.template_schema import keys_of
from app.words import N_

NO_TEMPLATE = N_("The account of this number has no such template, or Meta does not allow it to be sent.")
NOT_IN_CONVERSATION = N_("The message that you react to is not in this conversation.")
Text = Annotated[str, Field(min_length=1, max_length=4096)]
Line = Annotated[str, Field(max_length=300)]


class To(Shape):
    """Who gets it: exactly one of these. `name` is for a phone number that no contact has yet."""

    phone: Annotated[str, Field(max_length=40, examples=["+4915112345678"])] | None = Field(
        None, description="A phone number with its country code, however it is written."
    )
    contact_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None
    name: str = Field("", max_length=200)

    @model_validator(mode="after")
    def check_one(self) -> To:
        if sum(value is not None for value in (self.phone, self.contact_id, self.conversation_id)) != 1:
            raise ValueError("Give exactly one of phone, contact_id and conversation_id.")
        return self


class Sending(Shape):
    """What all types have. `from` may be left out where there is one number, or with a `conversation_id`."""

    to: To
    from_: uuid.UUID | None = Field(None, alias="from", description="The id of your number.")
    reply_to: uuid.UUID | None = Field(None, description="The id of a message in the same conversation, to quote it.")
    send_at: GivenTime | None = Field(None, description="When to send it; at once where it is left out.")

    def build_for(self, conversation: Conversation) -> Outgoing:  # noqa: ARG002  some types look things up there
        """The message for this conversation. Raises `Refused`."""
        return self.build()

    def build(self) -> Outgoing:
        raise NotImplementedError


class TextPart(Shape):
    body: Text


class TextMessage(Sending):
    type: Literal["text"]
    text: TextPart

    def build(self) -> Outgoing:
        return outgoing.text(self.text.body)


class LocationPart(Shape):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: Line = ""
    address: Line = ""


class LocationMessage(Sending):
    type: Literal["location"]
    location: LocationPart

    def build(self) -> Outgoing:
        part = self.location
        return outgoing.location(str(part.latitude), str(part.longitude), part.name, part.address)


class CardPart(Shape):
    name: Annotated[str, Field(min_length=1, max_length=300)]
    phone: Annotated[str, Field(max_length=40)] = ""
    email: Line = ""
    company: Line = ""


class ContactMessage(Sending):
    type: Literal["contact"]
    contact: CardPart

    def build(self) -> Outgoing:
        card = self.contact
        return outgoing.contact(card.name, card.phone, card.email, card.company)


class ButtonsPart(Shape):
    body: Annotated[str, Field(min_length=1, max_length=1024)]
    buttons: list[Annotated[str, Field(min_length=1, max_length=20)]] = Field(min_length=1, max_length=3)
    header: Annotated[str, Field(max_length=60)] = ""
    footer: Annotated[str, Field(max_length=60)] = ""


class ButtonsMessage(Sending):
    type: Literal["buttons"]
    buttons: ButtonsPart

    def build(self) -> Outgoing:
        part = self.buttons
        return outgoing.buttons(part.body, part.buttons, part.header, part.footer)


class ChoicePart(Shape):
    title: Annotated[str, Field(min_length=1, max_length=24)]
    description: Annotated[str, Field(max_length=72)] = ""


class ListPart(Shape):
    body: Text
    button: Annotated[str, Field(min_length=1, max_length=20)]
    choices: list[ChoicePart] = Field(min_length=1, max_length=10)
    header: Annotated[str, Field(max_length=60)] = ""
    footer: Annotated[str, Field(max_length=60)] = ""


class ListMessage(Sending):
    type: Literal["list"]
    list: ListPart

    def build(self) -> Outgoing:
        part = self.list
        rows = [Row(choice.title, choice.description) for choice in part.choices]
        return outgoing.menu(part.body, part.button, rows, part.header, part.footer)


class LinkPart(Shape):
    body: Annotated[str, Field(min_length=1, max_length=1024)]
    title: Annotated[str, Field(min_length=1, max_length=20)]
    url: Annotated[str, Field(min_length=1, max_length=2000)]
    header: Annotated[str, Field(max_length=60)] = ""
    footer: Annotated[str, Field(max_length=60)] = ""


class LinkMessage(Sending):
    type: Literal["link"]
    link: LinkPart

    def build(self) -> Outgoing:
        part = self.link
        return outgoing.link(part.body, part.title, part.url, part.header, part.footer)


class RequestPart(Shape):
    body: Annotated[str, Field(min_length=1, max_length=1024)]


class LocationRequestMessage(Sending):
    type: Literal["location_request"]
    location_request: RequestPart

    def build(self) -> Outgoing:
        return outgoing.location_request(self.location_request.body)


class ReactionPart(Shape):
    message_id: uuid.UUID
    emoji: Annotated[str, Field(max_length=20)] = Field(description="Empty to take the reaction back.")


class ReactionMessage(Sending):
    type: Literal["reaction"]
    reaction: ReactionPart

    def build_for(self, conversation: Conversation) -> Outgoing:
        target = conversation.find_message(self.reaction.message_id)
        if target is None or not target.wamid:
            raise Refused(NOT_IN_CONVERSATION)
        return outgoing.reaction(target.wamid, self.reaction.emoji)


Value = Annotated[str, Field(max_length=4096)]


class TemplatePart(Shape):
    """A template by its id, or by name and language.

    `variables` are by name: of the body as they are written in it, the others as the template's schema names them.
    """

    id: uuid.UUID | None = None
    name: Annotated[str, Field(max_length=512)] = ""
    language: Annotated[str, Field(max_length=20)] = ""
    variables: dict[Annotated[str, Field(max_length=100)], Value] = Field(default_factory=dict, max_length=100)
    payloads: list[Annotated[str, Field(max_length=128)]] = Field(
        default_factory=list, max_length=20, description="What comes back when each quick reply is tapped."
    )

    @model_validator(mode="after")
    def check_named(self) -> TemplatePart:
        if (self.id is None) == (not (self.name and self.language)):
            raise ValueError("Give the id of a template, or its name and language.")
        return self


class TemplateMessage(Sending):
    type: Literal["template"]
    template: TemplatePart

    def build_for(self, conversation: Conversation) -> Outgoing:
        part, waba_id = self.template, conversation.phone_number.waba_id
        chosen = MessageTemplate.find(part.id) if part.id else None
        if part.name:
            chosen = MessageTemplate.sent_as(waba_id, {"name": part.name, "language": {"code": part.language}})
        if chosen is None or chosen.waba_id != waba_id or not chosen.is_sendable:
            raise Refused(NO_TEMPLATE)
        return chosen.definition.filled(keys_of(chosen.definition, part.variables), part.payloads)


class RawPart(Shape):
    """Meta's own content of a message: `type`, and as `content` the member of that name."""

    type: Literal["interactive", "template", "location", "image", "video", "audio", "document", "sticker"]
    content: dict[str, Any] = Field(
        examples=[{"type": "location_request_message", "body": {"text": "Where?"}, "action": {"name": "send_location"}}]
    )
    text: Annotated[str, Field(max_length=4096)] = Field("", description="What the inbox shows of it.")


class RawMessage(Sending):
    type: Literal["raw"]
    raw: RawPart

    def build(self) -> Outgoing:
        return Outgoing(self.raw.type, self.raw.text, self.raw.content)


AnyMessage = Annotated[
    TextMessage
    | LocationMessage
    | ContactMessage
    | ButtonsMessage
    | ListMessage
    | LinkMessage
    | LocationRequestMessage
    | ReactionMessage
    | TemplateMessage
    | RawMessage,
    Field(discriminator="type"),
]


class NewMessage(RootModel[AnyMessage]):
    """A message to send; `type` says which other members it has."""
