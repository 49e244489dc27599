from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar, Self

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Select, delete, func, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app import tokens
from app.extensions import mailer
from app.templating import in_language_of
from app.tenancy import GlobalModel, User, commit, db, later, now, one_of, uuid7
from app.words import N_

from .people import PlatformAdmin, scope_of

# What happened, as the mail says it and as the person's page lists it.
KINDS = {
    "on": N_("Two-step sign-in was turned on"),
    "off": N_("Two-step sign-in was turned off"),
    "reset": N_("Someone else turned your two-step sign-in off"),
    "recovery_code": N_("A recovery code was used"),
    "recovery_codes": N_("New recovery codes were made"),
    "wrong_codes": N_("Someone entered your password and then wrong codes"),
}


class SecondStepChange(GlobalModel):
    """What happened to a person's two-step sign-in. They are mailed each, and see the newest on their page."""

    __tablename__ = "second_step_changes"
    __table_args__ = (one_of("kind", KINDS),)
    LASTS: ClassVar[dt.timedelta] = dt.timedelta(days=365)
    # Wrong codes are mailed about once in this time.
    QUIET: ClassVar[dt.timedelta] = dt.timedelta(hours=1)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    platform_admin_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("platform_admins.id", ondelete="CASCADE"))
    kind: Mapped[str]
    mailed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    user: Mapped[User | None] = relationship()
    platform_admin: Mapped[PlatformAdmin | None] = relationship()

    @classmethod
    def record(cls, who: User | PlatformAdmin, kind: str) -> None:
        """Stores it, and enqueues the mail. Needs the scope of such people (`scope_of`)."""
        change = cls(id=uuid7(), kind=kind)
        if who.is_platform_admin:
            change.platform_admin_id = who.id
        else:
            change.user_id = who.id
        db.session.add(change)
        later("team.mail_second_step_change", change.id)

    @classmethod
    def warn_of_wrong_codes(cls, who: User | PlatformAdmin) -> None:
        """Whoever enters codes knows the password: its owner should hear of it, but not each time."""
        with scope_of(type(who)):
            recent = cls.of(who).where(cls.kind == "wrong_codes", cls.created_at > now() - cls.QUIET)
            if not db.session.scalar(select(func.count()).select_from(recent.subquery())):
                cls.record(who, "wrong_codes")

    @classmethod
    def of(cls, who: User | PlatformAdmin) -> Select[Self]:
        """Those of a person, the newest first."""
        mine = (cls.platform_admin_id if who.is_platform_admin else cls.user_id) == who.id
        return select(cls).where(mine).order_by(cls.id.desc())

    @property
    def title(self) -> str:
        return KINDS[self.kind]

    @classmethod
    def unmailed(cls) -> Select[Self]:
        people = joinedload(cls.user), joinedload(cls.platform_admin)
        return select(cls).where(cls.mailed_at.is_(None)).options(*people)

    def mail(self) -> None:
        """Whoever is killed before it is noted has it sent again. Needs a platform scope."""
        who = self.platform_admin if self.platform_admin_id else self.user
        assert who
        reset = None if who.is_platform_admin else tokens.link("team.forgotten_password")
        with in_language_of(who):
            title = _(self.title)
            subject = _("%(what)s: Switchboard", what=title)
            body = render_template("team/mail/second_step.txt", who=who, kind=self.kind, title=title, reset=reset)
        address = who.email
        commit()
        mailer.send(address, subject, body)
        mine = SecondStepChange.id == self.id
        db.session.execute(update(SecondStepChange).where(mine).values(mailed_at=now()))

    @classmethod
    def forget_old(cls) -> None:
        db.session.execute(delete(cls).where(cls.created_at < now() - cls.LASTS))
