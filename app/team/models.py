"""How people get in: sessions, invitations, password resets, and the count of failed sign-ins."""

from __future__ import annotations

import datetime as dt
import uuid

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import GlobalModel, Role, TenantModel, User, now, of_tenant, one_of, uuid7


class PlatformAdmin(UserMixin, GlobalModel):
    """Somebody of the company that runs Switchboard. Not a user, so no tenant's page opens for them."""

    __tablename__ = "platform_admins"
    is_platform_admin = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


class UserSession(GlobalModel):
    """A sign-in. The cookie holds a random token, this row its hash; without the row the cookie opens nothing."""

    __tablename__ = "user_sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    platform_admin_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("platform_admins.id", ondelete="CASCADE")
    )
    user_agent: Mapped[str] = mapped_column(default="")
    ip: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=now)
    expires_at: Mapped[dt.datetime]
    user: Mapped[User | None] = relationship()
    platform_admin: Mapped[PlatformAdmin | None] = relationship()


class PasswordReset(GlobalModel):
    """A link by which a person without a session sets a new password: once, within the hour."""

    __tablename__ = "password_resets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    mailed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    user: Mapped[User] = relationship()


class SignInAttempt(GlobalModel):
    """A failed sign-in. Kept in Postgres so that the throttle survives a flush of Redis."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_email", "email", "attempted_at"),
        Index("ix_sign_in_attempts_ip", "ip", "attempted_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str]
    ip: Mapped[str]
    attempted_at: Mapped[dt.datetime] = mapped_column(default=now)


class Invitation(TenantModel):
    """A seat offered by e-mail, for a week."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "email"), one_of("role", Role))

    email: Mapped[str]
    role: Mapped[str]
    invited_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    mailed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
