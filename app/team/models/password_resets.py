from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Select, delete, func, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app import tokens
from app.extensions import mailer
from app.team import passwords
from app.templating import in_language_of
from app.tenancy import GlobalModel, User, commit, db, later, now

from .pending_sign_ins import PendingSignIn
from .people import PlatformAdmin, with_email
from .user_sessions import UserSession

LASTS = dt.timedelta(hours=1)
PER_HOUR = 3
PURPOSE = "password reset"


class PasswordReset(GlobalModel):
    """A link by which a person without a session sets a new password: once, within the hour."""

    __tablename__ = "password_resets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    mailed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    user: Mapped[User] = relationship()

    @classmethod
    def request(cls, email: str) -> None:
        """Enqueues a mail with a link to the user with this address; says nothing if there is none."""
        reset_id, user = uuid.uuid4(), with_email(User, email)
        if user and cls.count_recent(user.id) < PER_HOUR:
            db.session.add(cls(id=reset_id, user_id=user.id, expires_at=now() + LASTS))
        later("team.mail_password_reset", reset_id)

    @classmethod
    def count_recent(cls, user_id: uuid.UUID) -> int:
        recent = select(func.count()).where(cls.user_id == user_id, cls.created_at > now() - LASTS)
        return db.session.scalars(recent).one()

    @classmethod
    def find(cls, token: str) -> Self | None:
        """The reset of a link, while it can be used."""
        usable = cls.used_at.is_(None), cls.expires_at > now()
        query = select(cls).where(cls.id == tokens.read_id(PURPOSE, token), *usable)
        return db.session.scalar(query.options(joinedload(cls.user)))

    def use(self, password: str) -> bool:
        """Sets the password and ends every session and link. False if another link was used first."""
        commit()
        password_hash = passwords.hash_password(password)
        db.session.refresh(self.user, with_for_update=True)
        db.session.refresh(self)
        if self.used_at is not None:
            return False
        set_password(self.user, password_hash)
        return True

    @classmethod
    def unmailed(cls) -> Select[Self]:
        return select(cls).where(cls.mailed_at.is_(None), cls.used_at.is_(None), cls.expires_at > now())

    def mail(self) -> None:
        """Whoever is killed before it is noted has it sent again."""
        link = tokens.link("team.new_password", token=tokens.sign(PURPOSE, self.id))
        with in_language_of(self.user):
            subject = _("Set a new password for Switchboard")
            body = render_template("team/mail/password_reset.txt", user=self.user, link=link)
        address = self.user.email
        commit()
        mailer.send(address, subject, body)
        db.session.execute(update(PasswordReset).where(PasswordReset.id == self.id).values(mailed_at=now()))

    @classmethod
    def forget_expired(cls) -> None:
        db.session.execute(delete(cls).where(cls.expires_at < now() - LASTS))


def set_password(who: User | PlatformAdmin, password_hash: str, *, but: object = None) -> None:
    """Sets a password's hash. Revokes open reset links and ends every session but that of the token `but`.

    Whoever has given the old password and not yet a code starts again.
    """
    kind = type(who)
    db.session.execute(update(kind).where(kind.id == who.id).values(password_hash=password_hash))
    if not who.is_platform_admin:
        links = update(PasswordReset).where(PasswordReset.user_id == who.id)
        db.session.execute(links.where(PasswordReset.used_at.is_(None)).values(used_at=now()))
    UserSession.end_all(who, but=but)
    PendingSignIn.end_all(who)
