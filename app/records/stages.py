"""The stages that records of a type go through: in order, and which of them end it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from sqlalchemy import Select, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app.folding import fold
from app.tenancy import TenantModel, db, of_tenant, one_of, uuid7
from app.words import N_, pN_

TYPES = {
    "deal": N_("Deals"),
    "lead": N_("Leads"),
    "property": N_("Properties"),
    "order": N_("Orders"),
    "appointment": N_("Appointments"),
    "contact": N_("Contacts"),
    "other": N_("Other"),
}
# Of one record.
TYPE_NAMES = {
    "deal": N_("Deal"),
    "lead": N_("Lead"),
    "property": N_("Property"),
    "order": N_("Order"),
    "appointment": N_("Appointment"),
    "contact": N_("Contact"),
    "other": N_("Other"),
}
OUTCOMES = {"open": pN_("of a record", "Open"), "won": N_("Won"), "lost": N_("Lost")}
MOST_STAGES, LONGEST_STAGE = 30, 100


def key_of(stage: str) -> str:
    """What stages are compared by: “In  negotiation” and “in Negotiation” are one."""
    return fold(stage)[:LONGEST_STAGE]


class RecordStage(TenantModel):
    """A stage of one type, as an admin defined it. Records may be in others: those have no place and no outcome."""

    __table_args__ = (
        of_tenant(),
        one_of("type", ("lead", "deal", "property", "order", "appointment", "contact", "other")),
        one_of("outcome", OUTCOMES),
        UniqueConstraint("tenant_id", "type", "key", name="uq_record_stages_key"),
    )

    type: Mapped[str]
    name: Mapped[str]
    key: Mapped[str]
    outcome: Mapped[str] = mapped_column(default="open")
    position: Mapped[int]

    @classmethod
    def all_of(cls, type: str) -> Select[Self]:
        return select(cls).where(cls.type == type).order_by(cls.position, cls.id)

    @classmethod
    def of(cls, type: str) -> list[Self]:
        return list(db.session.scalars(cls.all_of(type)))

    @classmethod
    def outcome_of(cls, type: str, stage: str) -> str:
        """open, won or lost; "" for a stage that is not defined."""
        same = cls.type == type, cls.key == key_of(stage)
        return db.session.scalar(select(cls.outcome).where(*same)) or ""

    @classmethod
    def define(cls, type: str, stages: Sequence[tuple[str, str]]) -> None:
        """Replaces the stages of a type by these, each with its outcome. Of two that are the same the first counts."""
        db.session.execute(delete(cls).where(cls.type == type))
        named: dict[str, tuple[str, str]] = {}
        for name, outcome in stages[:MOST_STAGES]:
            named.setdefault(key_of(name), (name[:LONGEST_STAGE], outcome))
        for position, (key, (name, outcome)) in enumerate(named.items()):
            made = cls(id=uuid7(), type=type, name=name, key=key, outcome=outcome, position=position)
            db.session.add(made)
        db.session.flush()
