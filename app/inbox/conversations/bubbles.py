"""What a page shows of a message. A new type is added in `app/meta/message_types.py`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from app.meta.contents import Content, Product, Referral, longest_list, read_product, read_referral
from app.meta.message_types import read, shape_of, summary_of
from app.meta.payload import mapping, sequence, text
from app.meta.previews import line
from app.shortening import FEW, is_long
from app.templating import READER
from app.tenancy import now

from .changes import MessageChange
from .cursors import Cursor

# Texts of one sender that come within this are shown as one group.
GROUPED = dt.timedelta(minutes=1)


class Bubble:
    """What a message's bubble and its line in the list show."""

    direction: Mapped[str]
    type: Mapped[str] = mapped_column(default="text")
    body: Mapped[str] = mapped_column(default="")
    content: Mapped[dict[str, Any] | None]
    wamid: Mapped[str | None]
    reply_to_wamid: Mapped[str | None]
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    reactions: Any
    changes: Any
    sent_by: Any
    id: Any

    @property
    def summary(self) -> dict[str, Any] | None:
        """The kind and facts of its line. None where its words are the line."""
        content = self.content or {}
        if content.get("erased"):
            return {"kind": "erased"}
        if self.is_deleted:
            return {"kind": "revoke"}
        summary = summary_of(self.type or "text", self.words, mapping(content.get("raw")))
        return summary.as_dict() if summary else None

    @property
    def preview(self) -> str:
        """One line in the reader's language, never blank."""
        return line(self.summary, "" if self.is_deleted else self.words, READER)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.occurred_at, self.id)

    def follows(self, other: Any) -> bool:
        """Whether it goes on with what the same sender wrote within GROUPED: both are texts, and it quotes nothing."""
        if other is None or other.entry != "message" or self.direction != other.direction:
            return False
        are_texts = self.shape == other.shape == "text" and not self.reply_to_wamid
        is_same = (self.sent_by, self.participant) == (other.sent_by, other.participant)
        return are_texts and is_same and self.occurred_at - other.occurred_at < GROUPED

    @property
    def entry(self) -> str:
        return "message"

    @property
    def is_outbound(self) -> bool:
        return self.direction == "outbound"

    @property
    def shape(self) -> str:
        """Which partial of templates/message/ shows it."""
        if (self.content or {}).get("erased"):
            return "erased"
        return "deleted" if self.is_deleted else shape_of(self.type or "text")

    @property
    def words(self) -> str:
        """What it says now: after the last edit, where there is one."""
        return self.edits[-1].body if self.edits else self.body

    @property
    def edits(self) -> list[MessageChange]:
        return [change for change in self.changes if change.kind == "edit"]

    @property
    def versions(self) -> list[tuple[dt.datetime, str]]:
        """Its earlier texts with their times, oldest first."""
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
    def is_cut(self) -> bool:
        """Whether a bubble shows the beginning of it only."""
        return is_long(self.words) or longest_list(self.holds) > FEW

    @property
    def referral(self) -> Referral | None:
        return read_referral((self.content or {}).get("referral"))

    @property
    def product(self) -> Product | None:
        """What of a catalogue it asks about."""
        return read_product((self.content or {}).get("product"))

    @property
    def participant(self) -> str:
        """Who of a group wrote it."""
        person = mapping((self.content or {}).get("participant"))
        wa_id = text(person.get("wa_id"), 40)
        return text(person.get("name"), 300) or (f"+{wa_id}" if wa_id else "")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors that WhatsApp reported for it."""
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
        """The current reaction of each side."""
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
