from __future__ import annotations

import datetime as dt
import ipaddress

from sqlalchemy import ColumnElement, Identity, Index, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import TooManyRequests

from app.team import passwords
from app.team.hashing import seat
from app.tenancy import GlobalModel, commit, db, global_scope, now

from .people import Person, with_email

PER_EMAIL, EMAIL_WINDOW = 10, dt.timedelta(minutes=15)
PER_IP, IP_WINDOW = 100, dt.timedelta(hours=1)


class TooManyTries(TooManyRequests):
    """Too many failed sign-ins with this address, or from this network."""

    minutes = 15


class SignInAttempt(GlobalModel):
    """A failed sign-in. Stored in Postgres so that the throttle survives a flush of Redis."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_email", "email", "attempted_at"),
        Index("ix_sign_in_attempts_ip", "ip", "attempted_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str]
    ip: Mapped[str]
    attempted_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def check(cls, kind: type[Person], email: str, password: str, *, ip: str, device: str = "") -> Person | None:
        """The user with this address and password. Raises `TooManyTries` or `TooBusy` before checking the password.

        A device that this person has used before has tries of its own, so that no one can lock its owner out.
        """
        commit()
        with seat():
            attempt = cls.claim(" ".join(filter(None, (kind.__tablename__, email, device))), ip)
            who = with_email(kind, email)
            commit()
            if not passwords.matches(password, who.password_hash if who else passwords.NONE):
                return None
            attempt.withdraw()
            return who

    @classmethod
    def claim(cls, email: str, ip: str) -> SignInAttempt:
        """Takes one of the tries left, before the guess is looked at: guesses made at once count too."""
        with global_scope():
            attempt = cls(email=email, ip=network(ip))
            for counted in (attempt.email, attempt.ip):
                db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(counted, 0))))
            if (
                cls.count(cls.email == attempt.email, EMAIL_WINDOW) >= PER_EMAIL
                or cls.count(cls.ip == attempt.ip, IP_WINDOW) >= PER_IP
            ):
                raise TooManyTries
            db.session.add(attempt)
        return attempt

    @classmethod
    def count(cls, matching: ColumnElement[bool], window: dt.timedelta) -> int:
        recent = select(func.count()).where(matching, cls.attempted_at > now() - window)
        return db.session.scalars(recent).one()

    def withdraw(self) -> None:
        """Deletes it: the sign-in succeeded."""
        with global_scope():
            db.session.execute(delete(SignInAttempt).where(SignInAttempt.id == self.id))

    @classmethod
    def forget_old(cls) -> None:
        db.session.execute(delete(cls).where(cls.attempted_at < now() - IP_WINDOW))


def network(ip: str) -> str:
    """The network that is counted: one line of an internet provider holds 2^64 addresses of IPv6."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64]
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else ip
