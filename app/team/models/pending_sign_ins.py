from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import ClassVar, Self

from sqlalchemy import ColumnElement, ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.tenancy import GlobalModel, User, db, now, uuid7

from .people import PlatformAdmin, scope_of
from .user_sessions import digest


class PendingSignIn(GlobalModel):
    """Between the password and the code: it opens nothing, ends after five minutes, and allows five codes.

    The cookie holds a random token, this row its hash.
    """

    __tablename__ = "pending_sign_ins"
    LASTS: ClassVar[dt.timedelta] = dt.timedelta(minutes=5)
    MOST_TRIES: ClassVar[int] = 5

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    platform_admin_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("platform_admins.id", ondelete="CASCADE"))
    tries: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[dt.datetime]
    user: Mapped[User | None] = relationship()
    platform_admin: Mapped[PlatformAdmin | None] = relationship()

    @classmethod
    def begin(cls, who: User | PlatformAdmin) -> str:
        """Returns its token, which is stored nowhere else."""
        token = secrets.token_urlsafe(32)
        pending = cls(token_hash=digest(token), expires_at=now() + cls.LASTS)
        if who.is_platform_admin:
            pending.platform_admin_id = who.id
        else:
            pending.user_id = who.id
        with scope_of(type(who)):
            db.session.add(pending)
            db.session.flush()
        return token

    @classmethod
    def find(cls, token: object, kind: type[User | PlatformAdmin]) -> Self | None:
        """The one of this token, if it is a user's, or a platform admin's, and still allows a code."""
        owner, id = (cls.user, cls.user_id) if kind is User else (cls.platform_admin, cls.platform_admin_id)
        query = select(cls).where(cls.token_hash == digest(token), id.is_not(None), *cls.is_open())
        with scope_of(kind):
            return db.session.scalar(query.options(joinedload(owner)))

    @classmethod
    def is_open(cls) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return cls.expires_at > now(), cls.tries < cls.MOST_TRIES

    @property
    def who(self) -> User | PlatformAdmin:
        who = self.platform_admin if self.platform_admin_id else self.user
        assert who
        return who

    def take_try(self) -> int:
        """Takes one of the codes it allows, before the code is looked at. Returns which: 1 to 5; 0 if none is left."""
        mine = update(PendingSignIn).where(PendingSignIn.id == self.id, *self.is_open())
        taken = mine.values(tries=PendingSignIn.tries + 1).returning(PendingSignIn.tries)
        with scope_of(type(self.who)):
            return db.session.scalar(taken) or 0

    def finish(self) -> bool:
        """Ends it, and all others of this person, whose row is locked. False if something else has ended it meanwhile,
        such as a new password."""
        mine = delete(PendingSignIn).where(PendingSignIn.id == self.id, PendingSignIn.expires_at > now())
        with scope_of(type(self.who)):
            is_mine = db.session.scalar(mine.returning(PendingSignIn.id)) is not None
        PendingSignIn.end_all(self.who)
        return is_mine

    @classmethod
    def end_all(cls, who: User | PlatformAdmin) -> None:
        """Whoever is between password and code has to start again."""
        id = cls.platform_admin_id if who.is_platform_admin else cls.user_id
        with scope_of(type(who)):
            db.session.execute(delete(cls).where(id == who.id))

    @classmethod
    def forget_expired(cls) -> None:
        db.session.execute(delete(cls).where(cls.expires_at <= now()))
