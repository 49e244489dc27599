"""What a new business still has to do, derived from its data: no item is ticked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from sqlalchemy import func, select

from app.hours.models import ServicePolicy
from app.message_templates.models import MessageTemplate
from app.onboarding.models import Onboarding
from app.team.models import Invitation
from app.tenancy import Membership, db, exists
from app.wabas.models import PhoneNumber

# Meta puts this one into every new account.
METAS_OWN = "hello_world"


@dataclass(frozen=True)
class Checklist:
    """Facts of a tenant, each with what its link needs."""

    number: PhoneNumber | None
    onboarding: Onboarding | None
    hello_seen: bool
    has_team: bool
    has_hours: bool
    has_template: bool

    @classmethod
    def load(cls) -> Self:
        numbers = list(db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at)))
        connected = [number for number in numbers if number.state == "connected"]
        approved = MessageTemplate.status == "APPROVED", MessageTemplate.name != METAS_OWN
        members = db.session.scalars(select(func.count()).select_from(Membership)).one()
        return cls(
            number=next(iter(connected), None),
            onboarding=db.session.scalar(select(Onboarding).order_by(Onboarding.created_at.desc()).limit(1)),
            hello_seen=any(number.hello_seen_at for number in numbers),
            has_team=members > 1 or exists(select(Invitation.id)),
            has_hours=exists(select(ServicePolicy.id)),
            has_template=exists(select(MessageTemplate.id).where(*approved)),
        )

    @property
    def has_photo(self) -> bool:
        return bool(self.number and self.number.has_photo)

    @property
    def done(self) -> list[bool]:
        """In the order in which the page lists them."""
        return [
            self.number is not None,
            self.hello_seen,
            self.has_photo,
            self.has_team,
            self.has_hours,
            self.has_template,
        ]
