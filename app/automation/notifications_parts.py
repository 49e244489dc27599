"""What automations begin with of notifications: a customer taps a button of one, or replies to it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app.inbox.conversations import Message
from app.notifications.models import Notification, SentNotification
from app.tenancy import db
from app.words import N_

from .parts import Miss, Names, entry, ref
from .texts import matches
from .triggers import MessageReceived


@Names.source("notifications")
def notifications() -> dict[str, str]:
    return {str(one.id): one.title for one in db.session.scalars(Notification.in_order())}


class NotificationAnswered(MessageReceived):
    kind: Literal["notification_answered"] = "notification_answered"  # type: ignore[assignment]
    title: ClassVar[str] = N_("A customer answers a notification")
    notification: str = ref(N_("Notification"), "notifications", needed=False, none=N_("Any notification"))
    words: str = entry(
        N_("Button or words"), most=100, needed=False, hint=N_("Such as the label of a button. Leave empty for any.")
    )

    def matches(self, turn: Any) -> Miss | None:
        answered = notification_answered_by(turn.message)
        if answered is None:
            return Miss(_("No answer to a notification"))
        if self.notification and self.notification != answered:
            return Miss(turn.names.of("notifications", answered))
        if self.words and not matches("exact", [self.words], turn.body):
            return Miss(turn.body[:200])
        return None

    def sentence(self, names: Names) -> str:
        facts = {"name": names.of("notifications", self.notification) if self.notification else "", "text": self.words}
        if self.notification and self.words:
            return str(_("When a customer answers “%(text)s” to the notification “%(name)s”", **facts))
        if self.notification:
            return str(_("When a customer answers the notification “%(name)s”", **facts))
        if self.words:
            return str(_("When a customer answers “%(text)s” to a notification", **facts))
        return str(_("When a customer answers a notification"))


def notification_answered_by(message: Message | None) -> str | None:
    """The id of the notification that a message replies to: by a tap on its button, or quoting it."""
    if message is None or not message.reply_to_wamid:
        return None
    sent = select(SentNotification.notification_id).join(Message, Message.id == SentNotification.message_id)
    mine = Message.wamid == message.reply_to_wamid, Message.phone_number_id == message.phone_number_id
    sent_id = db.session.scalar(sent.where(*mine).limit(1))
    return str(sent_id) if sent_id else None
