from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import TypeVar

import email_validator
from flask_login import UserMixin
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import GlobalModel, User, db, now, platform_scope, uuid7
from app.tenancy.scope import NO_SCOPE, current_scope


class PlatformAdmin(UserMixin, GlobalModel):
    """Someone of the company that runs Switchboard. Not a user, so no tenant's page opens for them."""

    __tablename__ = "platform_admins"
    is_platform_admin = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    second_step_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


Person = TypeVar("Person", User, PlatformAdmin)


def scope_of(kind: type[User | PlatformAdmin]) -> contextlib.AbstractContextManager[object]:
    """Where rows about such people are read: the app's role knows nothing of platform admins."""
    scope = current_scope()
    if kind is not PlatformAdmin or (scope is not NO_SCOPE and scope.is_platform):
        return contextlib.nullcontext()
    return platform_scope("a platform admin's own rows")


def with_email(kind: type[Person], email: str) -> Person | None:
    with scope_of(kind):
        return db.session.scalar(select(kind).where(kind.email == email))


def in_this_scope(user: User) -> User:
    """A user found in another scope, as this one's own; a new user as they are."""
    return db.session.get(User, user.id) or user


def normal_email(text: str) -> str:
    """The one spelling under which an address is stored. Raises ValueError if it is none."""
    return email_validator.validate_email(text.strip(), check_deliverability=False).normalized.lower()
