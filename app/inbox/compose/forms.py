from __future__ import annotations

import uuid
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, MultipleFileField
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField, TextAreaField, ValidationError

from app.inbox.conversations import Conversation, Message
from app.inbox.files.attachments import Attachment
from app.meta.outgoing import Refused, text
from app.tenancy import Membership

from .canned_files import CannedFile
from .writing import Writing


def tidy(value: str | None) -> str:
    """Line ends as WhatsApp has them; NUL, which no database stores, is left out."""
    return (value or "").replace("\r\n", "\n").replace("\x00", "").strip()


class WritingForm(FlaskForm):
    """What every message has: an id that makes a second click the same message, and what it answers."""

    client_id = HiddenField()
    reply_to = HiddenField()

    def validate_client_id(self, field: HiddenField) -> None:
        try:
            uuid.UUID(field.data)
        except (TypeError, ValueError):
            # An old page or a script: it loses only the protection against a double click.
            field.data = str(uuid.uuid4())

    @property
    def id(self) -> uuid.UUID:
        return uuid.UUID(self.client_id.data)

    def answered_in(self, conversation: Conversation) -> Message | None:
        message = Message.find(self.reply_to.data)
        return message if message and message.conversation_id == conversation.id and message.takes_answers else None


class ReplyForm(WritingForm):
    body = TextAreaField(_("Message"), filters=[tidy])
    files = MultipleFileField(_("Photos, videos and files"))
    voice = FileField(_("Voice note"))
    # The file of a canned reply, by its id.
    canned = HiddenField()

    @property
    def uploads(self) -> list[FileStorage]:
        return [file for file in self.files.data or [] if isinstance(file, FileStorage) and file.filename]

    def validate_body(self, field: TextAreaField) -> None:
        """A text of its own; as the words below a file it has another limit."""
        if self.uploads or self.voice.data or self.canned.data:
            return
        try:
            text(field.data)
        except Refused as refused:
            raise ValidationError(refused.told(gettext)) from None

    def writing(self, conversation: Conversation, member: Membership) -> Writing:
        """Raises `Refused` where WhatsApp takes no such file, or it is none of theirs."""
        attachments = [Attachment.of(upload.stream, upload.filename or "") for upload in self.uploads]
        if self.canned.data:
            attachments.append(CannedFile.copy_for(member, self.canned.data))
        if self.voice.data:
            attachments.append(Attachment.of_recording(self.voice.data.stream))
        return Writing(self.body.data, self.id, attachments, self.answered_in(conversation))

    @classmethod
    def blank(cls, **data: Any) -> ReplyForm:
        return cls(formdata=None, data={"client_id": str(uuid.uuid4()), **data})
