"""What a page shows of a message."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from app.meta.contents import Content, Referral, read, read_referral
from app.meta.payload import mapping, sequence
from app.tenancy import now

from .changes import MessageChange
from .cursors import Cursor

# The types that have a bubble of their own (templates/message/). Any other says honestly what it is.
SHAPES = {
    "audio": "audio",
    "button": "choice",
    "contacts": "contacts",
    "document": "document",
    "edit": "text",
    "image": "image",
    "interactive": "interactive",
    "location": "location",
    "media_placeholder": "placeholder",
    "order": "order",
    "sticker": "sticker",
    "system": "system",
    "template": "template",
    "text": "text",
    "unsupported": "unsupported",
    "video": "video",
}


class Bubble:
    """What stands in and around a message's bubble, and its line in the list."""

    direction: Mapped[str]
    type: Mapped[str] = mapped_column(default="text")
    body: Mapped[str] = mapped_column(default="")
    content: Mapped[dict[str, Any] | None]
    wamid: Mapped[str | None]
    reply_to_wamid: Mapped[str | None]
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    reactions: Any
    changes: Any
    id: Any

    @property
    def preview(self) -> str:
        """One line for the list."""
        return str((self.content or {}).get("preview") or " ".join(self.body.split())[:160])

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.occurred_at, self.id)

    @property
    def entry(self) -> str:
        return "message"

    @property
    def is_outbound(self) -> bool:
        return self.direction == "outbound"

    @property
    def description(self) -> str:
        """What a message without words of its own is, in words. Never blank."""
        return str((self.content or {}).get("preview") or self.type)

    @property
    def shape(self) -> str:
        """Which partial of templates/message/ shows it."""
        if (self.content or {}).get("erased"):
            return "erased"
        return "deleted" if self.is_deleted else SHAPES.get(self.type or "text", "other")

    @property
    def words(self) -> str:
        """What it says now: after the last edit, where there is one."""
        return self.edits[-1].body if self.edits else self.body

    @property
    def edits(self) -> list[MessageChange]:
        return [change for change in self.changes if change.kind == "edit"]

    @property
    def versions(self) -> list[tuple[dt.datetime, str]]:
        """What it said before, and since when; oldest first."""
        return [(self.occurred_at, self.body), *((edit.occurred_at, edit.body) for edit in self.edits)][:-1]

    @property
    def is_deleted(self) -> bool:
        return any(change.kind == "revoke" for change in self.changes)

    @property
    def holds(self) -> Content:
        """What it carries beside its words: a place, cards, a choice, answers, an order."""
        content = self.content or {}
        return read(self.type, content.get("shown") or content.get("raw"))

    @property
    def referral(self) -> Referral | None:
        return read_referral((self.content or {}).get("referral"))

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """What WhatsApp said was wrong with it."""
        return [mapping(error) for error in sequence((self.content or {}).get("errors"))]

    @property
    def is_forwarded(self) -> bool:
        return bool((self.content or {}).get("forwarded"))

    @property
    def is_from_phone(self) -> bool:
        """Whether somebody of the business wrote it in the WhatsApp Business app."""
        return bool((self.content or {}).get("from_phone"))

    @property
    def chips(self) -> list[Any]:
        """The reaction of each side, if its last one was not taken away."""
        last = {reaction.direction: reaction for reaction in self.reactions}
        return [reaction for reaction in last.values() if reaction.emoji or reaction.is_lost]

    @property
    def our_emoji(self) -> str:
        """Which emoji the customer sees as ours, once everything has gone out."""
        ours = [one.emoji for one in self.reactions if one.direction == "outbound" and not one.is_lost]
        return ours[-1] if ours else ""

    @property
    def takes_answers(self) -> bool:
        """Whether WhatsApp knows it, so that it can be quoted and reacted to."""
        return bool(self.wamid) and not self.is_deleted and self.shape != "system"
