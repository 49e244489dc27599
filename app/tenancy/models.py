"""Who works here: tenants, their members, and the small tables by which a tenant is found before it is known."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, Select, UniqueConstraint, delete, false, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.exceptions import Forbidden, NotFound

from .database import GlobalModel, TenantModel, db, now, of_tenant, one_of, uuid7
from .live import end_streams
from .permissions import PERMISSIONS, Role


def sandbox_id(tenant_id: uuid.UUID) -> uuid.UUID:
    """The tenant in which the test keys of this one pretend."""
    return uuid.uuid5(tenant_id, "sandbox")


def is_sandbox(tenant_id: uuid.UUID) -> bool:
    """Only the ids of sandboxes are UUIDs of version 5, see the constraint of `tenants`."""
    return tenant_id.version == 5


class Tenant(GlobalModel):
    """A client business. Under row security a scope sees only its own tenant's row.

    A sandbox is one too: no one is a member of it, no address leads there, and nothing of it reaches Meta.
    """

    __tablename__ = "tenants"
    is_reference = True
    __table_args__ = (CheckConstraint("is_sandbox = (substr(id::text, 15, 1) = '5')", name="is_sandbox"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    is_sandbox: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # Members without two-step sign-in are led to set it up before anything else.
    requires_second_step: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Since when its members see only that it is closed (app/closing), and what they can still download.
    closed_at: Mapped[dt.datetime | None]
    DOWNLOAD_DAYS: ClassVar[int] = 90

    @property
    def downloads_until(self) -> dt.date:
        """Of a closed business: the last day on which its data can be downloaded."""
        assert self.closed_at
        return self.closed_at.astimezone(dt.UTC).date() + dt.timedelta(days=self.DOWNLOAD_DAYS)

    @property
    def has_downloads(self) -> bool:
        return now().astimezone(dt.UTC).date() <= self.downloads_until

    @classmethod
    def closed_ones(cls) -> Select[uuid.UUID]:
        """The ids of closed businesses, whose members are not mailed any more. Needs a platform scope."""
        return select(cls.id).where(cls.closed_at.is_not(None))

    @classmethod
    def sandboxes(cls) -> Select[uuid.UUID]:
        """The ids of all sandboxes, which lists and figures for people leave out. Needs a platform scope."""
        return select(cls.id).where(cls.is_sandbox)


class User(UserMixin, GlobalModel):
    """A person, who may belong to several tenants. Email addresses are stored normalised."""

    __tablename__ = "users"
    is_reference = True
    is_platform_admin = False

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    # Since when signing in asks for a code too (app/team/models/second_steps.py).
    second_step_at: Mapped[dt.datetime | None]
    # As their browser said last (app/zones.py): what is read without a browser is written in this zone.
    time_zone: Mapped[str | None]
    # The language they chose; null: their browser's, which it said when they last signed in (app/templating.py).
    language: Mapped[str | None]
    browser_language: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


class LastOwner(Exception):
    """A tenant would be left without anybody who may do everything."""


class Membership(TenantModel):
    """What a user may do in a tenant."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "user_id"), one_of("role", Role))

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # What came in before is no news to this member.
    news_since: Mapped[dt.datetime] = mapped_column(default=now, server_default=func.now())
    # Away, a member keeps what they have and is given nothing new.
    is_away: Mapped[bool] = mapped_column(default=False, server_default=false())
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    def may(self, permission: str) -> bool:
        return self.role in PERMISSIONS[permission]

    def may_change(self, other: Membership) -> bool:
        """Owners are changed by owners only."""
        return self.may("team.manage") and (other.role != Role.OWNER or self.may("team.owners"))

    def may_give(self, role: str) -> bool:
        return self.may("team.manage") and (role != Role.OWNER or self.may("team.owners"))

    def change_role(self, role: Role, *, by: Membership) -> None:
        self.lock_team(by)
        if not (by.may_change(self) and by.may_give(role)):
            raise Forbidden
        if role != Role.OWNER:
            self.refuse_last_owner()
        self.role = role
        end_streams(self.user_id)

    def remove(self, *, by: Membership) -> None:
        """Takes the seat away; the next request of this user finds nothing here."""
        self.lock_team(by)
        if not by.may_change(self):
            raise Forbidden
        self.refuse_last_owner()
        db.session.delete(self)
        end_streams(self.user_id)
        mine = UserTenant.user_id == self.user_id, UserTenant.tenant_id == self.tenant_id
        db.session.execute(delete(UserTenant).where(*mine))

    def lock_team(self, by: Membership) -> None:
        """One change of a team at a time: two owners may be demoting each other."""
        lock = func.hashtextextended(f"team {self.tenant_id}", 0)
        db.session.execute(select(func.pg_advisory_xact_lock(lock)))
        here = select(Membership).where(Membership.id.in_({self.id, by.id}))
        members = db.session.scalars(here.execution_options(populate_existing=True)).all()
        if len(members) < len({self.id, by.id}):
            raise NotFound

    def refuse_last_owner(self) -> None:
        owners = select(Membership.id).where(Membership.role == Role.OWNER)
        if db.session.scalars(owners).all() == [self.id]:
            raise LastOwner


class TenantSlug(GlobalModel):
    """Which tenant an address `/t/<slug>/…` means."""

    __tablename__ = "tenant_slugs"
    is_reference = True

    slug: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


class UserTenant(GlobalModel):
    """Which tenants a person may enter; their role in each is in `memberships`."""

    __tablename__ = "user_tenants"
    is_reference = True

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)


class WabaRoute(GlobalModel):
    """Which tenant owns a WABA. The primary key allows one owner only."""

    __tablename__ = "waba_routes"
    is_reference = True

    meta_id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


class PhoneNumberRoute(GlobalModel):
    """Which tenant owns a business phone number. The primary key allows one owner only."""

    __tablename__ = "phone_number_routes"
    is_reference = True

    meta_id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    phone_number_id: Mapped[uuid.UUID]


class InvitationRoute(GlobalModel):
    """Which tenant an invitation's link leads to."""

    __tablename__ = "invitation_routes"
    is_reference = True

    invitation_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


def create_tenant(tenant: Tenant, owner: User) -> Membership:
    """Inserts a tenant and its first owner. Called in the new tenant's scope."""
    register(tenant)
    return admit(owner, Role.OWNER)


def register(tenant: Tenant) -> None:
    """Inserts a tenant and its slug. The first owner may be invited later."""
    db.session.add(tenant)
    db.session.flush()
    db.session.add(TenantSlug(slug=tenant.slug, tenant_id=tenant.id))


def admit(user: User, role: Role) -> Membership:
    """Makes a user a member of the current tenant."""
    membership = Membership(user=user, role=role)
    db.session.add(user)
    db.session.flush()
    membership.user_id = user.id
    db.session.add(membership)
    db.session.flush()
    db.session.add(UserTenant(user_id=user.id, tenant_id=membership.tenant_id))
    return membership
