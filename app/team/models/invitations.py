from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Self

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Select, UniqueConstraint, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import tokens
from app.extensions import mailer
from app.templating import in_language_of
from app.tenancy import (
    Membership,
    Role,
    Tenant,
    TenantModel,
    User,
    commit,
    db,
    later,
    now,
    of_tenant,
    one_of,
    tenant_scope,
)
from app.tenancy.limits import one_at_a_time, refuse_over
from app.tenancy.models import InvitationRoute, admit

from .people import in_this_scope
from .team_changes import TeamChange

LASTS = dt.timedelta(days=7)
PURPOSE = "invitation"


class Invitation(TenantModel):
    """An invitation by email, valid for a week. The first owner's has no inviter."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "email"), one_of("role", Role))

    email: Mapped[str]
    role: Mapped[str]
    invited_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    mailed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    invited_by: Mapped[User | None] = relationship(lazy="joined")

    @classmethod
    def offer(cls, email: str, role: Role, *, by: User | None) -> Self:
        """Invites an address. Replaces an earlier invitation of it, whose link no longer works. Raises `OverLimit`."""
        cls.refuse_over_limit([email])
        cls.withdraw(email)
        made = cls(id=uuid.uuid4(), email=email, role=role, expires_at=now() + LASTS)
        made.invited_by_id = by.id if by else None
        db.session.add(made)
        db.session.flush()
        db.session.add(InvitationRoute(invitation_id=made.id, tenant_id=made.tenant_id))
        return made

    @classmethod
    def refuse_over_limit(cls, emails: Collection[str]) -> None:
        """Raises `OverLimit` where there are too few seats for these too: open invitations take one each."""
        one_at_a_time("seats")
        is_open = cls.accepted_at.is_(None), cls.expires_at > now(), cls.email.not_in(emails)
        others = db.session.scalar(select(func.count()).select_from(cls).where(*is_open)) or 0
        members = db.session.scalar(select(func.count()).select_from(Membership)) or 0
        refuse_over("seats", members + others + len(emails))

    @classmethod
    def withdraw(cls, email: str) -> None:
        gone = delete(cls).where(cls.email == email).returning(cls.id)
        ids = db.session.scalars(gone).all()
        db.session.execute(delete(InvitationRoute).where(InvitationRoute.invitation_id.in_(ids)))

    @classmethod
    def open_ones(cls) -> Select[Self]:
        return select(cls).where(cls.accepted_at.is_(None)).order_by(cls.created_at.desc(), cls.email)

    @classmethod
    def unmailed(cls) -> Select[Self]:
        return cls.open_ones().where(cls.mailed_at.is_(None), cls.expires_at > now())

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= now()

    @property
    def link(self) -> str:
        return tokens.link("team.invitation", token=tokens.sign(PURPOSE, self.id))

    def mail_later(self) -> None:
        later("team.mail_invitation", self.id)

    def mail(self) -> None:
        """In the language of who invites. Whoever is killed before it is noted has it sent again."""
        tenant = db.session.get_one(Tenant, self.tenant_id)
        with in_language_of(self.invited_by):
            body = render_template("team/mail/invitation.txt", invitation=self, tenant=tenant)
            subject = _("Join %(name)s on Switchboard", name=tenant.name)
        commit()
        mailer.send(self.email, subject, body)
        db.session.execute(update(Invitation).where(Invitation.id == self.id).values(mailed_at=now()))

    @classmethod
    def behind(cls, token: str) -> tuple[Self, Tenant] | None:
        """The invitation of a link, while it can be accepted, and its tenant."""
        invitation_id = tokens.read_id(PURPOSE, token)
        route = db.session.get(InvitationRoute, invitation_id) if invitation_id else None
        if route is None:
            return None
        with tenant_scope(route.tenant_id):
            invitation = cls.find(invitation_id)
            if invitation is None or not invitation.is_open():
                return None
            return invitation, db.session.get_one(Tenant, route.tenant_id)

    def is_open(self) -> bool:
        """Whether it can be accepted: only while its author may give this role."""
        if self.accepted_at or self.is_expired:
            return False
        if self.invited_by_id is None:
            return True
        inviter = db.session.scalar(select(Membership).where(Membership.user_id == self.invited_by_id))
        return inviter is not None and inviter.may_give(self.role)

    def accept(self, user: User) -> bool:
        """Makes a user, maybe a new one, a member. False if it was used, or the user exists already.

        Raises `OverLimit` where the plan has fewer seats by now.
        """
        try:
            with tenant_scope(self.tenant_id):
                mine = select(Invitation).where(Invitation.id == self.id).with_for_update(of=Invitation)
                invitation = db.session.scalar(mine)
                if invitation is None or not invitation.is_open():
                    return False
                invitation.accepted_at = now()
                if not db.session.scalar(select(Membership.id).where(Membership.user_id == user.id)):
                    one_at_a_time("seats")
                    members = select(func.count()).select_from(Membership)
                    refuse_over("seats", (db.session.scalar(members) or 0) + 1)
                    member = admit(in_this_scope(user), Role(self.role))
                    TeamChange.record("joining", member.user.name, by=member.user, new=member.role)
        except IntegrityError:
            return False
        return True
