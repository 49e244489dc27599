"""Merge suggestions: two contacts that may be one person, with the reason. An agent decides."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Self

from flask_babel import gettext as _
from sqlalchemy import Index, Select, UniqueConstraint, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import Actor, TenantModel, belongs_to, current_tenant_id, database_now, db, now, one_of, uuid7

from .search import whole_name_term

# From the surest to the least sure.
REASONS = ("identity", "spelling", "username", "card", "name")
STATES = ("open", "accepted", "dismissed")


class MergeSuggestion(TenantModel):
    """A suggested merge of two contacts, the smaller id first. A dismissed pair is not suggested again."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("contacts", "other_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "contact_id", "other_id"),
        one_of("reason", REASONS),
        one_of("state", STATES),
        Index("ix_merge_suggestions_other", "tenant_id", "other_id"),
    )

    contact_id: Mapped[uuid.UUID]
    other_id: Mapped[uuid.UUID]
    reason: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="open")
    decided_by_id: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def open_ones(cls, contact_id: uuid.UUID) -> Select[Self]:
        mine = or_(cls.contact_id == contact_id, cls.other_id == contact_id)
        return select(cls).where(mine, cls.state == "open").order_by(cls.id)

    def partner_of(self, contact_id: uuid.UUID) -> uuid.UUID:
        return self.other_id if contact_id == self.contact_id else self.contact_id

    @property
    def words(self) -> str:
        """The reason, in words."""
        match self.reason:
            case "identity":
                return str(_("WhatsApp named both in one message: %(detail)s.", detail=self.detail))
            case "spelling":
                return str(_("Their numbers are two spellings of one number: %(detail)s.", detail=self.detail))
            case "username":
                return str(_("Both have used the name @%(detail)s.", detail=self.detail))
            case "card":
                words = _("One sent a card in their own name with the other’s number: %(detail)s.", detail=self.detail)
                return str(words)
        return str(_("Both are named “%(detail)s”, and one of them hides the number.", detail=self.detail))

    def decide(self, state: str, *, by: Actor) -> None:
        self.state, self.decided_by_id, self.decided_at = state, by.user_id, now()


def suggest(pairs: list[tuple[str, str, str, str]]) -> None:
    """Suggests (contact, other, reason, detail). Pairs that were suggested before stay as they were decided."""
    rows = [
        {"id": str(uuid7()), "contact": min(one, other), "other": max(one, other), "reason": reason, "detail": detail}
        for one, other, reason, detail in pairs
        if one != other
    ]
    if rows:
        db.session.execute(SUGGEST, {"rows": json.dumps(rows), "tenant": current_tenant_id(), "now": database_now()})


def suggest_namesakes(names: dict[str, str]) -> None:
    """Whoever has the whole name of one of these contacts, where one of the two has a number and the other hides it.

    Two words at least: half the world has somebody's first name.
    """
    rows = [{"id": id, "term": term} for id, name in names.items() if " " in (term := whole_name_term(name))]
    if rows:
        db.session.execute(NAMESAKES, {"rows": json.dumps(rows), "tenant": current_tenant_id(), "now": database_now()})


SUGGEST = text("""
    insert into merge_suggestions (tenant_id, id, contact_id, other_id, reason, detail, state, created_at)
    select :tenant, id, contact, other, reason, detail, 'open', :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, other uuid, reason text, detail text)
    on conflict (tenant_id, contact_id, other_id) do nothing
""")
# Who has the whole name of one of these contacts, of whom exactly one has a number? At most three for each. By
# ix_contact_terms_term, then ix_contact_identities_contact. A pair that was suggested before stays as it was decided.
NAMESAKES = text("""
    insert into merge_suggestions (tenant_id, id, contact_id, other_id, reason, detail, state, created_at)
    select :tenant, gen_random_uuid(), least(c.id, theirs.id), greatest(c.id, theirs.id), 'name', c.name,
           'open', :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, term text)
    join contacts c on c.tenant_id = :tenant and c.id = r.id
    cross join lateral (
        select o.id from contact_terms t join contacts o on o.tenant_id = :tenant and o.id = t.contact_id
        where t.tenant_id = :tenant and t.term = r.term and o.id <> c.id and lower(o.name) = lower(c.name)
          and o.merged_into_id is null
          and exists (select from contact_identities i where i.tenant_id = :tenant and i.contact_id = c.id
                      and i.kind = 'wa_id')
           <> exists (select from contact_identities i where i.tenant_id = :tenant and i.contact_id = o.id
                      and i.kind = 'wa_id')
        limit 3
    ) theirs
    on conflict (tenant_id, contact_id, other_id) do nothing
""")
