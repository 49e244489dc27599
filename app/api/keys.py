"""API keys. The secret is shown once; we keep its hash, in the table by which its tenant is found."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import secrets
import uuid
from collections.abc import Sequence
from typing import Self

from flask import g
from sqlalchemy import ColumnElement, ForeignKey, Index, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import (
    Actor,
    GlobalModel,
    Membership,
    TenantModel,
    belongs_to,
    current_tenant_id,
    db,
    later,
    now,
    of_tenant,
    one_of,
    uuid7,
)

from .versions import NEWEST

KINDS = ("live", "team", "test", "app")
# What a key of an app is for; the others are for everything.
AUDIENCES = ("mcp", "api")
# What a member may do whose app may call.
PERMISSION = "api.manage"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# 43 of 62 characters are 256 bits.
LENGTH = 43
SHOWN = len("sb_live_") + 4
NOTED_EVERY = dt.timedelta(minutes=1)
# Of those that people add, and as many again of apps.
MOST_KEYS = 100
# A sign-in with an app that isn't renewed for so long has ended, and some time later its key is deleted.
APP_LASTS, ENDED_APP_RETENTION = dt.timedelta(days=60), dt.timedelta(days=30)


class TooManyKeys(Exception):
    """The tenant has `MOST_KEYS` of this sort that are neither revoked nor expired."""


class KeyExists(Exception):
    """The form that adds this key was sent before."""


class ApiKeyRoute(GlobalModel):
    """Which tenant's key a secret is. While a key is renewed it has two, and the older one ends."""

    __tablename__ = "api_key_routes"
    is_reference = True
    __table_args__ = (Index("ix_api_key_routes_api_key_id", "api_key_id"),)

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    api_key_id: Mapped[uuid.UUID]
    ends_at: Mapped[dt.datetime | None]


class ApiKey(TenantModel):
    """What a program may do for a tenant. A `team` key reaches the numbers of its team, none once that is deleted.

    A `test` key only pretends: what it does is in the sandbox of the tenant. An `app` key is of an app that a member
    signed in with, and ends with their membership or their right to manage keys.
    """

    __table_args__ = (
        of_tenant(),
        belongs_to("teams", "team_id", nulled=True),
        belongs_to("memberships", "user_id", to="user_id", nulled=True),
        one_of("kind", KINDS),
        one_of("audience", AUDIENCES),
    )

    name: Mapped[str]
    kind: Mapped[str]
    team_id: Mapped[uuid.UUID | None]
    # Of an app: the member who signed in with it, and which of our addresses it is for.
    user_id: Mapped[uuid.UUID | None]
    audience: Mapped[str | None]
    scopes: Mapped[list[str]]
    # Addresses and networks it may be used from; empty: from everywhere.
    networks: Mapped[list[str]] = mapped_column(default=list)
    version: Mapped[str] = mapped_column(default=NEWEST)
    # The beginning of its secret, by which people recognise it.
    prefix: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    renewed_at: Mapped[dt.datetime | None]
    old_prefix: Mapped[str | None]
    old_ends_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    last_used_from: Mapped[str | None]

    @classmethod
    def create(
        cls,
        name: str,
        kind: str,
        scopes: Sequence[str],
        *,
        by: Actor,
        team_id: uuid.UUID | None = None,
        networks: Sequence[str] = (),
        expires_at: dt.datetime | None = None,
        id: uuid.UUID | None = None,
    ) -> tuple[Self, str]:
        """Adds a key. Returns it with its secret, which can't be read again.

        Raises `TooManyKeys`, and `KeyExists` for an id that was used before.
        """
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"keys {current_tenant_id()}", 0))))
        if cls.find(id):
            raise KeyExists
        is_same_sort = cls.kind == "app" if kind == "app" else cls.kind != "app"
        active = select(func.count()).select_from(cls).where(is_same_sort, *cls.active())
        if (db.session.scalar(active) or 0) >= MOST_KEYS:
            raise TooManyKeys
        secret, scopes = new_secret(kind), sorted(scopes)
        key = cls(id=id or uuid7(), name=name, kind=kind, scopes=scopes, prefix=secret[:SHOWN], created_by=by.name)
        key.team_id, key.networks, key.expires_at = team_id, list(networks), expires_at
        db.session.add(key)
        key.add_route(secret)
        if key.is_test:
            later("sandboxes.open")
        return key, secret

    @classmethod
    def active(cls) -> tuple[ColumnElement[bool], ...]:
        """Which work. Each app that was allowed and did not fetch its token leaves one that expired."""
        lasts = or_(cls.expires_at.is_(None), cls.expires_at > now())
        is_used = or_(cls.renewed_at.is_(None), cls.renewed_at > now() - APP_LASTS)
        return cls.revoked_at.is_(None), lasts, or_(cls.kind != "app", and_(cls.user_id.is_not(None), is_used))

    @classmethod
    def in_order(cls) -> Select[Self]:
        """Those that are not revoked first, then the newest."""
        return select(cls).order_by(cls.revoked_at.is_not(None), cls.created_at.desc(), cls.id.desc())

    def change(
        self, name: str, scopes: Sequence[str], networks: Sequence[str], expires_at: dt.datetime | None
    ) -> list[tuple[str, str, str]]:
        """Changes what differs. Returns that: each part with what it was and what it is, as text."""
        before = self.parts
        self.name, self.scopes, self.networks, self.expires_at = name, sorted(scopes), list(networks), expires_at
        after = self.parts
        return [(part, before[part], after[part]) for part in before if before[part] != after[part]]

    @property
    def parts(self) -> dict[str, str]:
        """What can be changed of it, as text."""
        expiry = self.expires_at.astimezone(dt.UTC).isoformat() if self.expires_at else ""
        lists = {"scopes": " ".join(self.scopes), "networks": " ".join(self.networks)}
        return {"name": self.name, **lists, "expiry": expiry}

    def add_route(self, secret: str, ends_at: dt.datetime | None = None) -> None:
        route = ApiKeyRoute(secret_hash=hash_of(secret), tenant_id=current_tenant_id(), api_key_id=self.id)
        route.ends_at = ends_at
        db.session.add(route)

    def renew(self, overlap: dt.timedelta, *, lasts: dt.timedelta | None = None) -> str:
        """Gives it a new secret and returns that; the old one works for the overlap, the new one while it `lasts`."""
        secret, ends_at = new_secret(self.kind), now() + overlap
        mine = ApiKeyRoute.api_key_id == self.id, ApiKeyRoute.tenant_id == self.tenant_id
        db.session.execute(delete(ApiKeyRoute).where(*mine, ApiKeyRoute.ends_at <= now()))
        still = or_(ApiKeyRoute.ends_at.is_(None), ApiKeyRoute.ends_at > ends_at)
        db.session.execute(update(ApiKeyRoute).where(*mine, still).values(ends_at=ends_at))
        self.old_prefix, self.old_ends_at = self.prefix, ends_at
        self.prefix, self.renewed_at = secret[:SHOWN], now()
        self.add_route(secret, now() + lasts if lasts else None)
        return secret

    def revoke(self) -> None:
        """Ends it at once, with all its secrets."""
        if self.revoked_at is None:
            self.revoked_at = now()

    @property
    def state(self) -> str:
        """active, expired or revoked."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.ends_at and self.ends_at <= now() else "active"

    @property
    def ends_at(self) -> dt.datetime | None:
        """When it expires; of an app, also when it will not have been renewed for too long."""
        unused = self.renewed_at + APP_LASTS if self.kind == "app" and self.renewed_at else None
        return min(filter(None, (self.expires_at, unused)), default=None)

    @property
    def has_lost_its_team(self) -> bool:
        """Its team was deleted: it reaches no number any more."""
        return self.kind == "team" and self.team_id is None

    @property
    def has_lost_its_member(self) -> bool:
        """Of an app: who signed in with it left the business, so it is refused."""
        return self.kind == "app" and self.user_id is None

    @property
    def has_its_member(self) -> bool:
        """Of an app: whether who signed in with it is still a member, and may manage keys."""
        if self.kind != "app":
            return True
        member = (
            db.session.scalar(select(Membership).where(Membership.user_id == self.user_id)) if self.user_id else None
        )
        return member is not None and member.may(PERMISSION)

    @property
    def is_overlapping(self) -> bool:
        """Whether the secret before its present one still works."""
        return self.state == "active" and self.old_ends_at is not None and self.old_ends_at > now()

    @property
    def is_test(self) -> bool:
        return self.kind == "test"

    @property
    def actor(self) -> Actor:
        return Actor("api", self.id, self.name)

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def may_come_from(self, address: str) -> bool:
        if not self.networks:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(caller in ipaddress.ip_network(network) for network in self.networks)

    @classmethod
    def forget_ended_apps(cls, most: int) -> bool:
        """Deletes keys of apps that ended long ago. Returns whether there may be more."""
        then = now() - ENDED_APP_RETENTION
        ended = or_(cls.revoked_at < then, cls.expires_at < then, cls.renewed_at < then - APP_LASTS)
        ids = list(db.session.scalars(select(cls.id).where(cls.kind == "app", ended).order_by(cls.id).limit(most)))
        if not ids:
            return False
        db.session.execute(delete(ApiKeyRoute).where(ApiKeyRoute.api_key_id.in_(ids)))
        db.session.execute(delete(cls).where(cls.id.in_(ids)), execution_options={"synchronize_session": False})
        return len(ids) == most

    def note_use(self, address: str) -> bool:
        """Records that it was used, once a minute. Returns whether it did."""
        if self.last_used_at and self.last_used_at > now() - NOTED_EVERY:
            return False
        used = {"last_used_at": now(), "last_used_from": address}
        stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now() - NOTED_EVERY)
        db.session.execute(update(ApiKey).where(ApiKey.id == self.id, stale).values(used))
        return True


def new_secret(kind: str) -> str:
    """The text `sb_<kind>_` and 256 random bits: easy to find in code that should not hold it."""
    return f"sb_{kind}_" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def kind_of(secret: str) -> str:
    """One of `KINDS`, by how a secret begins that is known to be one."""
    return secret.split("_", 2)[1]


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def current_key() -> ApiKey:
    """The key of this request."""
    key: ApiKey = g.api_key
    return key
