"""What an agent has written and attached, on its way into the outbox: one message, or several in order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.inbox.conversations import Conversation, Message
from app.inbox.files.attachments import Attachment
from app.meta import outgoing
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, commit


@dataclass(slots=True)
class Writing:
    """`client_id` is the first message's; the others' come from it, so that the whole may be posted again."""

    words: str
    client_id: uuid.UUID
    attachments: list[Attachment] = field(default_factory=list)
    answering: Message | None = None

    def send(self, conversation: Conversation, *, by: Actor, source: str = "") -> list[Message]:
        """Raises what `Conversation.send` does, `Refused`, and `StorageAway`."""
        try:
            return self.sent(conversation, by, source)
        finally:
            for attachment in self.attachments:
                attachment.file.close()

    def sent(self, conversation: Conversation, by: Actor, source: str) -> list[Message]:
        parts = list(self.parts())
        for message, _ in parts:
            conversation.gate.check(message.type, message.raw, by=by)
        if self.attachments:
            commit()
        sent = []
        for place, (message, attachment) in enumerate(parts):
            client_id = uuid.uuid5(self.client_id, str(place)) if place else self.client_id
            answering = None if place else self.answering
            is_known = conversation.said_before(client_id) is not None
            media = attachment.row(is_known=is_known) if attachment else None
            sent.append(
                conversation.send(message, by=by, client_id=client_id, answering=answering, media=media, source=source)
            )
        return sent

    def parts(self) -> Iterator[tuple[Outgoing, Attachment | None]]:
        """The words are the caption of the first file if that can have one, else a message before it."""
        caption = self.words
        if not self.attachments or (caption and self.attachments[0].kind not in outgoing.CAPTIONED):
            yield outgoing.text(caption), None
            caption = ""
        for attachment in self.attachments:
            yield attachment.message(caption), attachment
            caption = ""
