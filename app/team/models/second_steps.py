"""Two-step sign-in: after the password, a code of an authenticator app (RFC 6238) or a recovery code."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import time
import unicodedata
import uuid
from typing import ClassVar, Self

import structlog
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import ColumnElement, ForeignKey, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.crypto import Undecryptable
from app.tenancy import GlobalModel, User, db, now, uuid7
from app.tenancy.models import UserTenant
from app.tenancy.sealed import Sealed

from .pending_sign_ins import PendingSignIn
from .people import Person, PlatformAdmin, scope_of
from .second_step_changes import SecondStepChange
from .user_sessions import UserSession

log = structlog.get_logger()

ISSUER = "Switchboard"
# What every authenticator app takes for granted.
SECRET_BYTES, DIGITS, SECONDS = 20, 6, 30
# A phone's clock may be so many steps late or early.
SKEW = 1
RECOVERY_CODES = 10
# Without what looks alike. Sixteen of thirty letters are 78 bits: a code can't be guessed, not from its hash either.
LETTERS, RECOVERY_LENGTH, GROUP = "abcdefghjkmnpqrstvwxyz23456789", 16, 4
LONGEST_TYPED = 100


class SecondStep(GlobalModel):
    """A person's secret. It is asked for from `second_step_at` of the person on; before, it is being set up."""

    __tablename__ = "second_steps"
    UNFINISHED_LASTS: ClassVar[dt.timedelta] = dt.timedelta(days=1)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    platform_admin_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("platform_admins.id", ondelete="CASCADE"), unique=True
    )
    secret_ciphertext: Mapped[bytes | None]
    # The time step of the newest code that was used: no code works twice.
    last_step: Mapped[int] = mapped_column(default=0)
    recovery_hashes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    secret = Sealed()

    @classmethod
    def prepare(cls, who: User | PlatformAdmin) -> str:
        """Makes a new secret to be set up. Returns its id, which whoever sets it up has to know: "" where it is on
        already, and then nothing changes."""
        with scope_of(type(who)):
            if lock(who).second_step_at:
                return ""
            db.session.execute(delete(cls).where(cls.owned_by(who)))
            made = cls(id=uuid7())
            made.secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
            if who.is_platform_admin:
                made.platform_admin_id = who.id
            else:
                made.user_id = who.id
            db.session.add(made)
            db.session.flush()
            return str(made.id)

    @classmethod
    def of(cls, who: User | PlatformAdmin, *, locked: bool = False) -> Self | None:
        """Needs the scope of such people (`scope_of`). Whoever locks it locks the person first, so that no two wait for
        each other."""
        if locked:
            lock(who)
        query = select(cls).where(cls.owned_by(who)).execution_options(populate_existing=locked)
        return db.session.scalar(query.with_for_update() if locked else query)

    @classmethod
    def turn_on(cls, who: User | PlatformAdmin, id: object, typed: str, *, session: object) -> list[str]:
        """With a code of the new secret of this id. Returns the recovery codes, or none if the code is wrong.

        Ends every session but that of the token `session`.
        """
        with scope_of(type(who)):
            step = cls.of(who, locked=True)
            if step is None or str(step.id) != id or lock(who).second_step_at or not step.use_code(normalise(typed)):
                return []
            codes = step.renew_recovery_codes()
            set_since(who, now())
            SecondStepChange.record(who, "on")
        end_access(who, but=session)
        return codes

    @classmethod
    def accept(cls, who: User | PlatformAdmin, typed: str) -> bool:
        """Whether a code is right, of the app or a recovery code. It is used up then."""
        code = normalise(typed)
        with scope_of(type(who)):
            step = cls.of(who, locked=True)
            if step is None:
                return False
            if step.use_code(code):
                return True
            if not step.use_recovery_code(code):
                return False
            SecondStepChange.record(who, "recovery_code")
            return True

    @classmethod
    def make_recovery_codes(cls, who: User | PlatformAdmin) -> list[str]:
        """New ones; those from before no longer work."""
        with scope_of(type(who)):
            step = cls.of(who, locked=True)
            assert step
            SecondStepChange.record(who, "recovery_codes")
            return step.renew_recovery_codes()

    @classmethod
    def turn_off(cls, who: User | PlatformAdmin, *, session: object = None, kind: str = "off") -> None:
        """Ends every session but that of the token `session`. `kind` is what the person is mailed."""
        with scope_of(type(who)):
            db.session.execute(delete(cls).where(cls.owned_by(who)))
            set_since(who, None)
            SecondStepChange.record(who, kind)
        end_access(who, but=session)

    @classmethod
    def reset_by_owner(cls, user: User) -> bool:
        """An owner of this person's only business turns it off for them. False where they have another one too."""
        lock(user)
        businesses = select(func.count()).where(UserTenant.user_id == user.id)
        if db.session.scalar(businesses) != 1:
            return False
        cls.turn_off(user, kind="reset")
        return True

    def use_code(self, code: str) -> bool:
        """Whether it is the code of now, or of a step before or after, and newer than the last one that was used."""
        try:
            totp, current = totp_of(self.secret), int(time.time()) // SECONDS
        except Undecryptable:
            # A recovery code still signs in.
            log.error("second step unreadable", second_step_id=str(self.id))
            return False
        steps = [
            step
            for step in range(current - SKEW, current + SKEW + 1)
            if hmac.compare_digest(totp.generate(step * SECONDS), code.encode()) and step > self.last_step
        ]
        if steps:
            self.last_step = steps[0]
        return bool(steps)

    def use_recovery_code(self, code: str) -> bool:
        used = self.recovery_hash(code)
        left = [stored for stored in self.recovery_hashes if not hmac.compare_digest(stored, used)]
        is_right = len(left) < len(self.recovery_hashes)
        self.recovery_hashes = left
        return is_right

    def renew_recovery_codes(self) -> list[str]:
        codes = ["".join(secrets.choice(LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
        self.recovery_hashes = [self.recovery_hash(code) for code in codes]
        return ["-".join(code[at : at + GROUP] for at in range(0, RECOVERY_LENGTH, GROUP)) for code in codes]

    def recovery_hash(self, code: str) -> str:
        return hashlib.sha256(f"{self.id}:{code}".encode()).hexdigest()

    def address(self, email: str) -> str:
        """What the QR code holds, for an authenticator app."""
        return totp_of(self.secret).get_provisioning_uri(email, ISSUER)

    @property
    def spelt(self) -> str:
        """The secret, in groups that can be typed."""
        return " ".join(self.secret[at : at + GROUP] for at in range(0, len(self.secret), GROUP))

    @classmethod
    def owned_by(cls, who: User | PlatformAdmin) -> ColumnElement[bool]:
        return (cls.platform_admin_id if who.is_platform_admin else cls.user_id) == who.id

    @classmethod
    def forget_unfinished(cls) -> None:
        """Those that were not set up within a day. Needs a platform scope."""
        for kind, id in ((User, cls.user_id), (PlatformAdmin, cls.platform_admin_id)):
            unfinished = id.in_(select(kind.id).where(kind.second_step_at.is_(None)))
            db.session.execute(delete(cls).where(unfinished, cls.created_at < now() - cls.UNFINISHED_LASTS))


def totp_of(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), SECONDS)  # noqa: S303  what every app expects


def normalise(typed: str) -> str:
    """A code as typed, in any script's digits, with spaces and hyphens, as it is compared."""
    plain = unicodedata.normalize("NFKC", typed[:LONGEST_TYPED]).casefold()
    return "".join(str(unicodedata.digit(letter, letter)) for letter in plain if letter.isalnum())


def lock(who: Person) -> Person:
    """The person's row, read again and locked: what is decided here holds until the commit."""
    kind = type(who)
    query = select(kind).where(kind.id == who.id).with_for_update(of=kind)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def set_since(who: User | PlatformAdmin, since: dt.datetime | None) -> None:
    db.session.execute(update(type(who)).where(type(who).id == who.id).values(second_step_at=since))
    who.second_step_at = since


def end_access(who: User | PlatformAdmin, *, but: object) -> None:
    UserSession.end_all(who, but=but)
    PendingSignIn.end_all(who)
