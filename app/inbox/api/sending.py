"""The messages that a program may send, by type: what it writes, and what goes to WhatsApp."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, BinaryIO, Literal, cast

from pydantic import ConfigDict, Field, RootModel, model_validator

from app.api import Fault, Problem, Shape
from app.api.declaring import GivenTime
from app.inbox.conversations import Conversation
from app.inbox.files.media import Media
from app.inbox.files.uploaded_files import UploadedFile
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.meta import outgoing
from app.meta.outgoing import Outgoing, Refused, Row
from app.meta.template_schema import keys_of
from app.sniffing import readable_name
from app.storage import NotStored
from app.words import N_

from . import reach

NO_TEMPLATE = N_("The account of this number has no such template, or Meta does not allow it to be sent.")
NO_PLACE_FOR_FILE = N_("This template has no place for a file. Leave the file out.")
OTHER_COUNT = N_("Give a file, or null, for each card of this template ({count}).")
NOT_ON_A_CARD = N_("“{name}” can't be on a card. Upload a JPEG or PNG picture or an MP4 video.")
OTHER_KIND = N_("“{name}” can't be sent as this type of message. Send it with the type {kind}.")
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


class Addressed(Shape):
    """To whom, from which number, and when."""

    to: To
    from_: uuid.UUID | None = Field(None, alias="from", description="The id of your number.")
    send_at: GivenTime | None = Field(None, description="When to send it; at once where it is left out.")


class Sending(Addressed):
    """What all types have. `from` may be left out where there is one number, or with a `conversation_id`."""

    reply_to: uuid.UUID | None = Field(None, description="The id of a message in the same conversation, to quote it.")

    @property
    def file(self) -> Chosen | None:
        """The uploaded file that it carries. Raises a `Problem` where there is none with this id."""
        return None

    def prepare(self) -> None:
        """What is to be stored before the message is. Raises `Refused`, `StorageUnavailable`, and a `Problem`."""

    def build_for(self, conversation: Conversation) -> Outgoing:  # noqa: ARG002  some types look things up there
        """The message for this conversation. Raises `Refused`."""
        return self.build()

    def build(self) -> Outgoing:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Chosen:
    """An uploaded file as a message carries it. `pointer` is where the body names it."""

    file: UploadedFile
    pointer: str
    name: str
    is_voice: bool = False

    @classmethod
    def find(cls, id: uuid.UUID, pointer: str, name: str = "", *, is_voice: bool = False) -> Chosen:
        if file := reach.find_file(id):
            return cls(file, pointer, readable_name(name) or file.filename, is_voice)
        raise gone(pointer)

    def row(self) -> Media:
        """Its row for a message, without a copy of the bytes."""
        file = self.file
        return Media(kind=file.kind, is_voice=self.is_voice, mime=file.mime, filename=self.name, sha256=file.sha256)

    def as_sample(self) -> str:
        """The id of a copy beside the files of templates. Raises `Refused`, `StorageUnavailable`, and a `Problem`."""
        format = self.file.kind.upper()
        if format not in ("IMAGE", "VIDEO"):
            raise Refused(NOT_ON_A_CARD, name=self.name)
        try:
            attachment = self.file.copy()
        except NotStored:
            raise gone(self.pointer) from None
        with attachment.file as file:
            return str(TemplateSample.store(format, cast("BinaryIO", file), self.name).id)

    def copied_row(self) -> Media:
        """Its row, with a copy of the bytes. Raises `StorageUnavailable`, and a `Problem` where they are gone."""
        try:
            attachment = self.file.copy()
        except NotStored:
            raise gone(self.pointer) from None
        with attachment.file:
            media = attachment.row(is_stored=False)
        media.is_voice, media.filename = self.is_voice, self.name
        return media


def gone(pointer: str) -> Problem:
    fault = Fault("not_found", "There is no uploaded file with this id, or it has expired.", pointer=pointer)
    return Problem("invalid_request", errors=[fault])


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


class FlowPart(Shape):
    """A form (a WhatsApp Flow). `flow_id` is Meta's id of a published one, as `GET /flows` lists it.

    A form without a data endpoint may begin on another `screen`, with `data` for it.
    """

    flow_id: Annotated[str, Field(min_length=1, max_length=64)]
    body: Annotated[str, Field(min_length=1, max_length=1024)]
    button: Annotated[str, Field(min_length=1, max_length=30)]
    screen: Annotated[str, Field(max_length=200)] = ""
    data: dict[Annotated[str, Field(max_length=200)], Any] | None = Field(None, max_length=200)
    exchange: bool = Field(False, description="Whether its first screen comes from the data endpoint.")
    header: Annotated[str, Field(max_length=60)] = ""
    footer: Annotated[str, Field(max_length=60)] = ""


class FlowMessage(Sending):
    type: Literal["flow"]
    flow: FlowPart

    def build(self) -> Outgoing:
        part = self.flow
        return outgoing.flow(
            part.body,
            part.button,
            part.flow_id,
            screen=part.screen,
            data=part.data,
            exchanges=part.exchange,
            header=part.header,
            footer=part.footer,
        )


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


Caption = Annotated[str, Field(max_length=1024)]
MEDIA_ID = Field(description="Of an uploaded file (`POST /media`).")


class FilePart(Shape):
    media_id: uuid.UUID = MEDIA_ID


class CaptionedPart(FilePart):
    caption: Caption = ""


class DocumentPart(CaptionedPart):
    filename: Annotated[str, Field(max_length=255)] = Field("", description="Instead of the name it was uploaded with.")


class AudioPart(FilePart):
    voice: bool = Field(False, description="As a voice note: only OGG with Opus sound in one channel.")


class FileMessage(Sending):
    """A message that is a file. Its part has the name of its type."""

    @property
    def part(self) -> FilePart:
        part: FilePart = getattr(self, self.kind)
        return part

    @property
    def kind(self) -> str:
        return str(getattr(self, "type"))  # noqa: B009  each type has its own

    @cached_property
    def file(self) -> Chosen:
        part = self.part
        is_voice, name = getattr(part, "voice", False), getattr(part, "filename", "")
        return Chosen.find(part.media_id, f"/{self.kind}/media_id", name, is_voice=is_voice)

    def build_for(self, conversation: Conversation) -> Outgoing:  # noqa: ARG002  the same for all
        chosen = self.file
        if chosen.file.kind != self.kind:
            raise Refused(OTHER_KIND, name=chosen.name, kind=chosen.file.kind)
        if chosen.is_voice:
            chosen.file.check_voice()
        return outgoing.file(self.kind, getattr(self.part, "caption", ""), chosen.name, voice=chosen.is_voice)


class ImageMessage(FileMessage):
    type: Literal["image"]
    image: CaptionedPart


class VideoMessage(FileMessage):
    type: Literal["video"]
    video: CaptionedPart


class AudioMessage(FileMessage):
    type: Literal["audio"]
    audio: AudioPart


class DocumentMessage(FileMessage):
    type: Literal["document"]
    document: DocumentPart


class StickerMessage(FileMessage):
    type: Literal["sticker"]
    sticker: FilePart


Value = Annotated[str, Field(max_length=4096)]


class TemplatePart(Shape):
    """A template by its id, or by name and language.

    `variables` are by name: of the body as they are written in it, the others as the template's schema names them.
    """

    id: uuid.UUID | None = None
    name: Annotated[str, Field(max_length=512)] = ""
    language: Annotated[str, Field(max_length=20)] = ""
    variables: dict[Annotated[str, Field(max_length=100)], Value] = Field(default_factory=dict, max_length=100)
    file: uuid.UUID | None = Field(
        None,
        description="The uploaded file that the template begins with, if it does. A picture or video may be left out: "
        "then the one goes out that Meta's reviewers saw, if it was uploaded here.",
    )
    card_files: list[uuid.UUID | None] = Field(
        default_factory=list,
        max_length=10,
        description="For each card of a carousel an uploaded JPEG, PNG or MP4 file, instead of the one that Meta's "
        "reviewers saw.",
    )
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

    @cached_property
    def file(self) -> Chosen | None:
        id = self.template.file
        return Chosen.find(id, "/template/file") if id else None

    @cached_property
    def card_files(self) -> list[str]:
        """Our ids of the files of cards, which are stored beside the template's own. Commits before it stores one."""
        return [self.stored(id, f"/template/card_files/{n}") for n, id in enumerate(self.template.card_files)]

    @staticmethod
    def stored(id: uuid.UUID | None, pointer: str) -> str:
        return Chosen.find(id, pointer).as_sample() if id else ""

    def prepare(self) -> None:
        self.card_files  # noqa: B018  stored once, before the message is

    def build_for(self, conversation: Conversation) -> Outgoing:
        part, waba_id = self.template, conversation.phone_number.waba_id
        chosen = MessageTemplate.find(part.id) if part.id else None
        if part.name:
            chosen = MessageTemplate.sent_as(waba_id, {"name": part.name, "language": {"code": part.language}})
        if chosen is None or chosen.waba_id != waba_id or not chosen.is_sendable:
            raise Refused(NO_TEMPLATE)
        if part.file and not chosen.definition.file_kind:
            raise Refused(NO_PLACE_FOR_FILE)
        if part.card_files and len(part.card_files) != len(chosen.definition.cards):
            raise Refused(OTHER_COUNT, count=len(chosen.definition.cards))
        values = keys_of(chosen.definition, part.variables)
        if part.file:
            return chosen.definition.filled(values, part.payloads)
        return chosen.filled(values, part.payloads, self.card_files)


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
    | ImageMessage
    | VideoMessage
    | AudioMessage
    | DocumentMessage
    | StickerMessage
    | LocationMessage
    | ContactMessage
    | ButtonsMessage
    | ListMessage
    | LinkMessage
    | LocationRequestMessage
    | FlowMessage
    | ReactionMessage
    | TemplateMessage
    | RawMessage,
    Field(discriminator="type"),
]


class NewMessage(RootModel[AnyMessage]):
    """A message to send; `type` says which other members it has."""

    model_config = ConfigDict(hide_input_in_errors=True)
