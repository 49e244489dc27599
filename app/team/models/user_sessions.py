from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Collection
from typing import Self

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ForeignKey, Select, delete, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.tenancy import GlobalModel, User, db, end_streams, now, uuid7

from .people import PlatformAdmin, scope_of

IDLE, LONGEST = dt.timedelta(days=14), dt.timedelta(days=90)
SEEN_EVERY = dt.timedelta(minutes=5)

# Most browsers also claim to be those further down.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox"} | {
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
} | {"Mac OS": "macOS", "Linux": "Linux"}


class UserSession(GlobalModel):
    """A sign-in. The cookie holds a random token, this row its hash; without the row it opens nothing."""

    __tablename__ = "user_sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    platform_admin_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("platform_admins.id", ondelete="CASCADE"))
    user_agent: Mapped[str] = mapped_column(default="")
    ip: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=now)
    expires_at: Mapped[dt.datetime]
    user: Mapped[User | None] = relationship()
    platform_admin: Mapped[PlatformAdmin | None] = relationship()

    @classmethod
    def begin(cls, who: User | PlatformAdmin, *, user_agent: str, ip: str) -> str:
        """Begins a session; returns its token, which is stored nowhere else."""
        token = secrets.token_urlsafe(32)
        user_session = cls(token_hash=digest(token), user_agent=user_agent[:300], ip=ip, expires_at=now() + IDLE)
        if who.is_platform_admin:
            user_session.platform_admin_id = who.id
        else:
            user_session.user_id = who.id
        with scope_of(type(who)):
            db.session.add(user_session)
            db.session.flush()
        return token

    @classmethod
    def find(cls, token: object, kind: type[User | PlatformAdmin] = User) -> Self | None:
        """The open session with this token, if it is a user's, or a platform admin's. That needs `scope_of`."""
        owner, id = (cls.user, cls.user_id) if kind is User else (cls.platform_admin, cls.platform_admin_id)
        query = select(cls).where(cls.token_hash == digest(token), cls.expires_at > now(), id.is_not(None))
        return db.session.scalar(query.options(joinedload(owner)))

    @property
    def who(self) -> User | PlatformAdmin | None:
        return self.user or self.platform_admin

    @property
    def device(self) -> str:
        """What the browser says it is, such as "Firefox on Linux"."""
        browser = first_named(BROWSERS, self.user_agent)
        system = first_named(SYSTEMS, self.user_agent)
        return _("%(browser)s on %(system)s", browser=browser, system=system) if browser and system else ""

    def touch(self) -> None:
        """Notes that it is in use, now and then: not every request should write."""
        if (seen := now()) - self.last_seen_at < SEEN_EVERY:
            return
        expires = min(seen + IDLE, self.created_at + LONGEST)
        mine = update(UserSession).where(UserSession.id == self.id)
        db.session.execute(mine.values(last_seen_at=seen, expires_at=expires))

    @classmethod
    def of(cls, who: User | PlatformAdmin) -> Select[Self]:
        """The sessions of a person, the one in use last first."""
        open_ones = select(cls).where(cls.owned_by(who), cls.expires_at > now())
        return open_ones.order_by(cls.last_seen_at.desc(), cls.id)

    @classmethod
    def open_among(cls, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these sessions that have not ended."""
        still_open = select(cls.id).where(cls.id.in_(ids), cls.expires_at > now())
        return set(db.session.scalars(still_open)) if ids else set()

    @classmethod
    def end(cls, token: object) -> None:
        ended = delete(cls).where(cls.token_hash == digest(token)).returning(cls.user_id)
        if user_id := db.session.scalar(ended):
            end_streams(user_id)
            return
        with scope_of(PlatformAdmin):
            db.session.execute(delete(cls).where(cls.token_hash == digest(token), cls.user_id.is_(None)))

    @classmethod
    def end_all(cls, who: User | PlatformAdmin, *, but: object = None) -> None:
        """Ends every session of a person, but for the one with this token."""
        with scope_of(type(who)):
            db.session.execute(delete(cls).where(cls.owned_by(who), cls.token_hash != digest(but)))
        end_streams(who.id)

    @classmethod
    def end_one(cls, who: User | PlatformAdmin, id: uuid.UUID) -> bool:
        """Ends one session of a person; False if this person has none with this id."""
        ended = delete(cls).where(cls.owned_by(who), cls.id == id).returning(cls.id)
        end_streams(who.id)
        return db.session.scalar(ended) is not None

    @classmethod
    def owned_by(cls, who: User | PlatformAdmin) -> ColumnElement[bool]:
        return (cls.platform_admin_id if who.is_platform_admin else cls.user_id) == who.id

    @classmethod
    def forget_expired(cls) -> None:
        db.session.execute(delete(cls).where(cls.expires_at <= now()))


def digest(token: object) -> str:
    return hashlib.sha256(str(token).encode("utf-8", "backslashreplace")).hexdigest()


def first_named(names: dict[str, str], text: str) -> str:
    return next((name for sign, name in names.items() if sign in text), "")
