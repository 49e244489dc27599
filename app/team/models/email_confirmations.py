from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from flask import render_template
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Index, Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app import tokens
from app.extensions import mailer
from app.templating import in_language_of
from app.tenancy import GlobalModel, Tenant, User, commit, db, global_scope, later, now, tenant_scope, uuid7

from .businesses import create_business, establish
from .people import with_email
from .sign_in_attempts import TooManyTries, network

LASTS = dt.timedelta(days=1)
PER_EMAIL, PER_NETWORK, WINDOW = 5, 10, dt.timedelta(hours=1)
PURPOSE = "email confirmation"


class TooManySignUps(TooManyTries):
    """Too many sign-ups of this address, or from this network."""

    minutes = 60


class EmailConfirmation(GlobalModel):
    """An address to be confirmed by a link, once, within a day. Nothing else is saved before that."""

    __tablename__ = "email_confirmations"
    __table_args__ = (
        Index("ix_email_confirmations_email", "email", "created_at"),
        Index("ix_email_confirmations_network", "network", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str]
    network: Mapped[str]
    # What the browser speaks in which it was entered.
    language: Mapped[str | None]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    mailed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def request(cls, email: str, *, ip: str) -> None:
        """Enqueues a mail to this address. Raises `TooManySignUps`, for every address alike."""
        with global_scope():
            later("team.mail_email_confirmation", cls.claim(email, ip).id)

    @classmethod
    def claim(cls, email: str, ip: str) -> Self:
        """Takes one of the confirmations that an address, and a network, have in an hour."""
        made = cls(id=uuid.uuid4(), email=email, network=network(ip), expires_at=now() + LASTS)
        made.language = str(get_locale() or "en")
        for counted in (f"sign-up {made.email}", f"sign-up {made.network}"):
            db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(counted, 0))))
        if cls.count(cls.email == email) >= PER_EMAIL or cls.count(cls.network == made.network) >= PER_NETWORK:
            raise TooManySignUps
        db.session.add(made)
        db.session.flush()
        return made

    @classmethod
    def count(cls, matching: ColumnElement[bool]) -> int:
        return db.session.scalars(select(func.count()).where(matching, cls.created_at > now() - WINDOW)).one()

    @classmethod
    def behind(cls, token: str) -> Self | None:
        """The confirmation of a link, used or not, until the link expires."""
        return db.session.scalar(select(cls).where(cls.id == tokens.read_id(PURPOSE, token), cls.expires_at > now()))

    @classmethod
    def create_another(cls, business: str, owner: User, *, ip: str) -> Tenant:
        """One more business of somebody who is signed in; their address is confirmed already."""
        with global_scope():
            confirmation = cls.claim(owner.email, ip)
            confirmation.mailed_at = confirmation.used_at = now()
        return create_business(business, owner)

    def redeem(self, business: str, owner: User) -> Tenant | None:
        """Creates the business. None if the link was used already, or the address has an account by now."""
        tenant = Tenant(id=uuid7(), name=business)
        mine = (
            update(EmailConfirmation)
            .where(EmailConfirmation.id == self.id, EmailConfirmation.used_at.is_(None))
            .values(used_at=now())
        )
        try:
            with tenant_scope(tenant.id):
                if db.session.scalar(mine.returning(EmailConfirmation.id)) is None:
                    return None
                establish(tenant, owner)
        except IntegrityError:
            return None
        return tenant

    @classmethod
    def unmailed(cls) -> Select[Self]:
        return select(cls).where(cls.mailed_at.is_(None), cls.used_at.is_(None), cls.expires_at > now())

    def mail(self) -> None:
        """Mails the link; somebody with an account reads that they have one. Killed meanwhile, it mails again."""
        user = with_email(User, self.email)
        with in_language_of(user or self):
            if user:
                links = {"sign_in": tokens.link("team.sign_in"), "reset": tokens.link("team.forgotten_password")}
                subject, body = _("You already have a Switchboard account"), "team/mail/existing_account.txt"
                words = render_template(body, user=user, **links)
            else:
                link = tokens.link("team.begin_business", token=tokens.sign(PURPOSE, self.id))
                subject = _("Confirm your email address for Switchboard")
                words = render_template("team/mail/email_confirmation.txt", link=link)
        commit()
        mailer.send(self.email, subject, words)
        mine = EmailConfirmation.id == self.id
        db.session.execute(update(EmailConfirmation).where(mine).values(mailed_at=now()))

    @classmethod
    def forget_expired(cls) -> None:
        db.session.execute(delete(cls).where(cls.expires_at < now()))
