"""The form of the composer, and what every form that sends a message has."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, MultipleFileField
from werkzeug.datastructures import FileStorage
from wtforms import Field, HiddenField, TextAreaField, ValidationError

from app.inbox.conversations import Conversation, Message
from app.inbox.desk.fields import ClientIdField, at_most, tidy
from app.inbox.files.attachments import Attachment
from app.meta.outgoing import Refused, text
from app.tenancy import Membership

from .canned_files import CannedFile
from .drafts import LIFETIME, LONGEST
from .writing import Writing


class AgeField(Field):
    """How long ago something was typed: milliseconds, as the page says; none or nonsense is now."""

    def process_formdata(self, values: list[str]) -> None:
        try:
            age = dt.timedelta(milliseconds=int(values[0] if values else 0))
        except (ValueError, OverflowError):
            age = dt.timedelta()
        self.data = min(max(age, dt.timedelta()), LIFETIME)


def as_typed(value: str | None) -> str:
    """As it was typed, since typing goes on; nothing where there is only white space."""
    typed = (value or "").replace("\r\n", "\n").replace("\x00", "")
    return typed if typed.strip() else ""


class DraftForm(FlaskForm):
    """What an agent has typed so far."""

    body = TextAreaField(filters=[as_typed], validators=[at_most(LONGEST)])
    age = AgeField(default=dt.timedelta())


class WritingForm(FlaskForm):
    """What every message has: an id that makes a second click the same message, and the message it replies to."""

    client_id = ClientIdField()
    reply_to = HiddenField()

    @property
    def id(self) -> uuid.UUID:
        return self.client_id.data

    def quoted_in(self, conversation: Conversation) -> Message | None:
        """The message that this replies to, if it is in the conversation and WhatsApp can quote it."""
        message = conversation.find_message(self.reply_to.data)
        return message if message and message.takes_answers else None


class ReplyForm(WritingForm):
    """Words, files, a voice note, the file of a canned reply (`canned`: its id)."""

    body = TextAreaField(_("Message"), filters=[tidy])
    files = MultipleFileField(_("Photos, videos and files"))
    voice = FileField(_("Voice note"))
    canned = HiddenField()
    age = AgeField(default=dt.timedelta())

    @property
    def uploads(self) -> list[FileStorage]:
        return [file for file in self.files.data or [] if isinstance(file, FileStorage) and file.filename]

    def validate_body(self, field: TextAreaField) -> None:
        """Checks a message of text alone; the caption of a file has another limit."""
        if self.uploads or self.voice.data or self.canned.data:
            return
        try:
            text(field.data)
        except Refused as refusal:
            raise ValidationError(refusal.explain(gettext)) from None

    def build_writing(self, conversation: Conversation, member: Membership) -> Writing:
        """Raises `Refused` where WhatsApp does not accept a file, or the canned reply is not the member's."""
        attachments = [Attachment.of(upload.stream, upload.filename or "") for upload in self.uploads]
        if self.canned.data:
            attachments.append(CannedFile.copy_for(member, self.canned.data))
        if self.voice.data:
            attachments.append(Attachment.of_recording(self.voice.data.stream))
        return Writing(conversation, self.body.data, self.id, attachments, self.quoted_in(conversation), self.age.data)

    @classmethod
    def blank(cls, **data: Any) -> ReplyForm:
        """An empty form with an id of its own."""
        return cls(formdata=None, data={"client_id": uuid.uuid4(), **data})
