"""Apps that members signed in with (OAuth 2.1): each has a key of its own, and tokens of one hour for it.

A code or a token for renewal begins with its tenant's id, so that it is found behind the tenant's walls; only hashes
are stored. RFC 6749, 7636 (PKCE), 7009 and 8707; draft-ietf-oauth-v2-1 on renewal: each token for it works once, and
for half a minute again with the same token as its answer, for apps that renew in parallel or lost the answer.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from sqlalchemy import Index, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import tokens
from app.api import ApiKey
from app.tenancy import Actor, Membership, TenantModel, as_uuid, belongs_to, current_tenant_id, database_now, db, now

from .clients import hash_of

PURPOSE, RENEWAL, FOLLOWING = "oauth request", "oauth renewal", "oauth following renewal"
# How long a person may think about it, an app may take to fetch its token, and a token works.
REQUEST_LASTS, CODE_LASTS = dt.timedelta(minutes=10), dt.timedelta(minutes=2)
# When the key of a code that was not used expires, by the clock of whoever asks.
UNFETCHED_LASTS = dt.timedelta(minutes=15)
ACCESS_LASTS = dt.timedelta(hours=1)
# Of one member with one app: an app that signs in again instead of renewing ends its oldest.
MOST_OF_AN_APP = 10
# For so long an app that lost the answer, or renews in parallel, may renew again with the token before.
LEEWAY = dt.timedelta(seconds=30)
LONGEST = 300


class BadGrant(Exception):
    """A code or token that doesn't work (any more)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an app asks a person for, from its request to their answer. `audience`: "mcp" or "api"."""

    id: str
    user_id: str
    name: str
    client_hash: str
    redirect_uri: str
    challenge: str
    state: str
    scopes: Sequence[str]
    audience: str
    ends_at: float
    home: str = ""

    def sign(self) -> str:
        return tokens.sign(PURPOSE, json.dumps(asdict(self)))

    @classmethod
    def read(cls, token: str, user_id: uuid.UUID) -> Self | None:
        """Of this person, and not too old."""
        value = tokens.read(PURPOSE, token)
        wanted = cls(**json.loads(value)) if value else None
        is_good = wanted and wanted.user_id == str(user_id) and wanted.ends_at > database_now().timestamp()
        return wanted if is_good else None


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens, in the one answer that has them."""

    access: str
    renewal: str
    scopes: Sequence[str]

    @property
    def body(self) -> dict[str, Any]:
        seconds = int(ACCESS_LASTS.total_seconds())
        body = {"access_token": self.access, "token_type": "Bearer", "expires_in": seconds}
        return body | {"refresh_token": self.renewal, "scope": " ".join(self.scopes)}


class AppSignIn(TenantModel):
    """An app's way to its key: a code that begins it once, then a token that renews it, another one each time."""

    __table_args__ = (
        belongs_to("api_keys", "api_key_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "api_key_id"),
        UniqueConstraint("tenant_id", "code_hash"),
        Index("ix_app_sign_ins_renewal_hash", "tenant_id", "renewal_hash"),
        Index("ix_app_sign_ins_old_renewal_hash", "tenant_id", "old_renewal_hash"),
    )

    api_key_id: Mapped[uuid.UUID]
    client_hash: Mapped[str]
    redirect_uri: Mapped[str]
    # BASE64URL(SHA256(code_verifier)), RFC 7636.
    challenge: Mapped[str]
    code_hash: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # Null until the code was used.
    renewal_hash: Mapped[str | None]
    old_renewal_hash: Mapped[str | None]
    renewed_at: Mapped[dt.datetime | None]
    key: Mapped[ApiKey] = relationship(viewonly=True)

    @classmethod
    def begin(cls, wanted: Wanted, scopes: Sequence[str], *, member: Membership) -> tuple[ApiKey, str]:
        """The key, which expires unless the app fetches its token, and the code for that. Raises as `ApiKey.create`."""
        cls.end_oldest(wanted.client_hash, member)
        more: dict[str, Any] = {"id": uuid.UUID(wanted.id), "expires_at": now() + UNFETCHED_LASTS}
        key, _secret = ApiKey.create(wanted.name, "app", scopes, by=Actor.agent(member.user), **more)
        key.user_id, key.audience = member.user_id, wanted.audience
        db.session.flush()
        code = token_of("code")
        about = {"client_hash": wanted.client_hash, "redirect_uri": wanted.redirect_uri, "challenge": wanted.challenge}
        db.session.add(cls(api_key_id=key.id, code_hash=hash_of(code), created_at=database_now(), **about))
        return key, code

    @classmethod
    def end_oldest(cls, client_hash: str, member: Membership) -> None:
        """Leaves room for one more of this app and member."""
        mine = select(ApiKey).join(cls, cls.api_key_id == ApiKey.id).where(cls.client_hash == client_hash)
        active = mine.where(ApiKey.user_id == member.user_id, *ApiKey.active())
        for key in db.session.scalars(active.order_by(ApiKey.created_at.desc()).offset(MOST_OF_AN_APP - 1)):
            key.revoke()

    @classmethod
    def exchange(cls, code: str, client_id: str, redirect_uri: str, verifier: str) -> Issued:
        """The first tokens. A code used twice ends what it began. Raises `BadGrant`."""
        mine = db.session.scalar(select(cls).where(cls.code_hash == hash_of(code)).with_for_update(key_share=True))
        if mine is None:
            raise BadGrant
        if mine.renewal_hash:
            mine.key.revoke()
            raise BadGrant
        is_same = mine.client_hash == hash_of(client_id) and mine.redirect_uri == redirect_uri
        # The key says so too, but somebody may have given that more time in the settings.
        is_old = mine.created_at <= database_now() - CODE_LASTS
        if is_old or not is_same or not hmac.compare_digest(mine.challenge, challenge_of(verifier)):
            raise BadGrant
        mine.refuse_ended()
        mine.key.expires_at, mine.renewed_at = None, database_now()
        return mine.issue(token_of("renewal", mine.id))

    @classmethod
    def renew(cls, token: str, client_id: str) -> Issued:
        """The next tokens. One that was used before ends the sign-in: somebody else may have it. Raises `BadGrant`.

        Within `LEEWAY` it is answered once more, and what the first answer had goes on working.
        """
        given, mine = hash_of(token), cls.renewed_by(token)
        if mine is None or mine.client_hash != hash_of(client_id):
            raise BadGrant
        mine.refuse_ended()
        following = token_of("renewal", mine.id, hash_of(tokens.sign(FOLLOWING, token)))
        if mine.renewal_hash == given:
            mine.old_renewal_hash, mine.renewed_at = given, database_now()
            return mine.issue(following)
        if mine.old_renewal_hash != given or not mine.was_just_renewed:
            mine.key.revoke()
            raise BadGrant
        return mine.issue(following, overlap=ACCESS_LASTS)

    @classmethod
    def revoke(cls, token: str) -> None:
        """Ends the sign-in that this token renews, or did, if there is one."""
        if mine := cls.renewed_by(token):
            mine.key.revoke()

    @classmethod
    def renewed_by(cls, token: str) -> Self | None:
        """The sign-in that this token is of, locked: by its newest, the one before, or any that was signed for it."""
        given = hash_of(token)
        any_of = or_(cls.renewal_hash == given, cls.old_renewal_hash == given, cls.id == sign_in_of(token))
        return db.session.scalar(select(cls).where(any_of).with_for_update(key_share=True))

    def issue(self, renewal: str, overlap: dt.timedelta = LEEWAY) -> Issued:
        """`overlap`: for how long access tokens from before work at most."""
        access = self.key.renew(overlap, lasts=ACCESS_LASTS)
        self.renewal_hash = hash_of(renewal)
        return Issued(access, renewal, self.key.scopes)

    def refuse_ended(self) -> None:
        if self.key.state != "active" or not self.key.has_its_member:
            raise BadGrant

    @property
    def was_just_renewed(self) -> bool:
        return self.renewed_at is not None and self.renewed_at > database_now() - LEEWAY


def token_of(kind: str, sign_in_id: uuid.UUID | None = None, secret: str = "") -> str:
    """`sign_in_id` is signed into one for renewal: also one from long ago shows what it was for.

    One that follows from the token before it has its `secret` from that and from our key.
    """
    secret = secret or secrets.token_urlsafe(32)
    written = tokens.sign(RENEWAL, f"{sign_in_id.hex}{secret}") if sign_in_id else secret
    return f"sb_{kind}_{current_tenant_id().hex}_{written}"


def sign_in_of(token: str) -> uuid.UUID | None:
    """Which sign-in a token for renewal was made for, however long ago."""
    return as_uuid((tokens.read(RENEWAL, token.split("_", 3)[-1]) or "")[:32])


def tenant_of(token: str) -> uuid.UUID | None:
    """The tenant that a code or a token for renewal names."""
    parts = token.split("_", 3)
    return as_uuid(parts[2]) if len(token) <= LONGEST and len(parts) == 4 and parts[0] == "sb" else None


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
