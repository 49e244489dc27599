"""What an agent has written and attached: one message, or several in order."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.inbox.conversations import Conversation, Message
from app.inbox.desk.preferences import DeskPreference
from app.inbox.files.attachments import Attachment
from app.inbox.files.media import Media
from app.inbox.outbound.replies import hold_replies
from app.meta import outgoing
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, User, commit

from .drafts import Draft


@dataclass(slots=True)
class Writing:
    """Words and files for a conversation.

    `client_id` is the first message's; the others' derive from it, so that all may be sent again. `age` is how long ago
    it was typed.
    """

    conversation: Conversation
    words: str
    client_id: uuid.UUID
    attachments: list[Attachment] = field(default_factory=list)
    reply_to: Message | None = None
    age: dt.timedelta = dt.timedelta()

    def reply(self, *, by: User) -> list[Message]:
        """Sends it as a reply, which can be undone for a moment, and clears the draft it was written in.

        Raises what `queue` raises.
        """
        messages = self.queue(by=Actor.agent(by))
        undo, merging = DeskPreference.undo_of(by), DeskPreference.merging_of(by)
        hold_replies(self.conversation, messages, undo=undo, merging=merging)
        if self.words:
            Draft.clear(self.conversation, "reply", owner=by, age=self.age)
        return messages

    def queue(self, *, by: Actor, source: str = "") -> list[Message]:
        """Queues it, all or nothing. Raises what `Conversation.send` does, `Refused`, `StorageUnavailable`."""
        try:
            parts = list(self.parts())
            files = self.stored(parts, by) if self.attachments else [None]
            return [
                self.conversation.send(
                    message,
                    by=by,
                    client_id=self.id_of(place),
                    answering=None if place else self.reply_to,
                    media=media,
                    source=source,
                )
                for place, ((message, _), media) in enumerate(zip(parts, files, strict=True))
            ]
        finally:
            for attachment in self.attachments:
                attachment.file.close()

    def parts(self) -> Iterator[tuple[Outgoing, Attachment | None]]:
        """The words are the caption of the first file if its kind can have one, else a message before it."""
        caption = self.words
        if not self.attachments or (caption and self.attachments[0].kind not in outgoing.CAPTIONED):
            yield outgoing.text(caption), None
            caption = ""
        for attachment in self.attachments:
            yield attachment.message(caption), attachment
            caption = ""

    def stored(self, parts: list[tuple[Outgoing, Attachment | None]], by: Actor) -> list[Media | None]:
        """The rows of the files, in the order of their messages. Those of an earlier try aren't stored again.

        Nothing is stored for what the gate refuses.
        """
        sent = [self.conversation.message_with(self.id_of(place)) is not None for place in range(len(parts))]
        for (message, _), was in zip(parts, sent, strict=True):
            if not was:
                self.conversation.gate.check(message.type, message.raw, by=by)
        # Storing files takes a while: no transaction stays open meanwhile.
        commit()
        return [each.row(is_stored=was) if each else None for (_, each), was in zip(parts, sent, strict=True)]

    def id_of(self, place: int) -> uuid.UUID:
        """The `client_id` of the message at this place."""
        return uuid.uuid5(self.client_id, str(place)) if place else self.client_id
