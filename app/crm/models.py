"""Connections of a business to its CRMs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from sqlalchemy import Select, UniqueConstraint, delete, false, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.crypto import Undecryptable
from app.extensions import outside
from app.records.models import NAMES, Record
from app.records.stages import RecordStage
from app.tenancy import Actor, TenantModel, announce, current_tenant_id, db, later, now, of_tenant, one_of, uuid7
from app.tenancy.sealed import Sealed

from .adapters import Account, Adapter, Directory
from .calls import CrmFailure
from .hubspot import HubSpot
from .pipedrive import Pipedrive

ADAPTERS: dict[str, type[Adapter]] = {one.provider: one for one in (HubSpot, Pipedrive)}
LONGEST_TOKEN = 500
# Names of stages and owners are read again after so long.
DIRECTORY_AGE = dt.timedelta(hours=6)
# After failures in a row it is left alone for 30 s, then twice as long each time, up to a quarter of an hour.
FIRST_REST, LONGEST_REST = 30, 15 * 60
AT_ONCE = 1_000


class CrmConnection(TenantModel):
    """A token for one account of a CRM, what is done with it, and how it goes."""

    __table_args__ = (
        of_tenant(),
        one_of("provider", ("hubspot", "pipedrive")),
        one_of("state", ("connected", "needs_token")),
        UniqueConstraint("tenant_id", "provider"),
    )

    provider: Mapped[str]
    state: Mapped[str] = mapped_column(default="connected")
    token = Sealed()
    token_ciphertext: Mapped[bytes | None]
    account_id: Mapped[str] = mapped_column(default="")
    account_name: Mapped[str] = mapped_column(default="")
    link_base: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="")
    directory: Mapped[dict[str, Any]] = mapped_column(default=dict)
    directory_at: Mapped[dt.datetime | None]
    # Whether a note is written for each resolved conversation, and whether it quotes what was written there.
    writes_notes: Mapped[bool] = mapped_column(default=False, server_default=false())
    quotes_messages: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The kind of the last failure, how many came in a row, and until when the CRM is left alone.
    problem: Mapped[str] = mapped_column(default="", server_default="")
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    rests_until: Mapped[dt.datetime | None]
    is_mail_due: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When it worked last.
    checked_at: Mapped[dt.datetime | None]
    created_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def all(cls) -> list[Self]:
        return list(db.session.scalars(select(cls).order_by(cls.provider)))

    @classmethod
    def working(cls) -> Select[Self]:
        """Those that have a token which was not refused."""
        return select(cls).where(cls.state == "connected")

    @classmethod
    def of(cls, provider: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.provider == provider))

    @classmethod
    def save(cls, provider: str, token: str, account: Account, *, by: Actor) -> Self:
        """Stores a token that works. What was copied from another account is deleted: ids there mean something else."""
        made = cls.of(provider) or cls(
            id=uuid7(), tenant_id=current_tenant_id(), provider=provider, directory={}, created_by=by.as_json()
        )
        db.session.add(made)
        if made.account_id and made.account_id != account.id:
            forget_copies(provider)
        made.token, made.state, made.checked_at = token, "connected", now()
        made.account_id, made.account_name = account.id, account.name
        made.link_base, made.currency = account.link_base, account.currency
        made.directory_at, made.is_mail_due = None, False
        made.problem, made.failures, made.rests_until = "", 0, None
        db.session.flush()
        return made

    def disconnect(self) -> None:
        """The token, the copies of records and what waits are deleted."""
        forget_copies(self.provider)
        db.session.delete(self)

    @property
    def name(self) -> str:
        return NAMES[self.provider]

    @property
    def actor(self) -> Actor:
        return Actor.system(self.provider)

    @property
    def is_resting(self) -> bool:
        return self.rests_until is not None and self.rests_until > now()

    @property
    def account(self) -> Account:
        return Account(self.account_id, self.account_name, self.link_base, self.currency)

    def adapter(self) -> Adapter:
        """Raises `CrmFailure` where no key of ours opens the token."""
        try:
            token = self.token or ""
        except Undecryptable:
            raise CrmFailure("token") from None
        return adapter_for(self.provider, token, self.account, Directory.read(self.directory))

    @property
    def needs_directory(self) -> bool:
        return self.directory_at is None or self.directory_at < now() - DIRECTORY_AGE

    def take_directory(self, directory: Directory) -> None:
        """Keeps the names; the stages become those of deals here, where none are defined yet."""
        self.directory, self.directory_at = directory.as_json(), now()
        if directory.stages and not RecordStage.of("deal"):
            RecordStage.define("deal", [(name, outcome) for _id, name, outcome in directory.stages if name])

    def note_success(self) -> None:
        self.checked_at, self.problem, self.failures, self.rests_until = now(), "", 0, None

    def note_failure(self, failure: CrmFailure) -> None:
        """Leaves the CRM alone as long as it asked for, or longer each time; a refused token needs a new one."""
        match failure.kind:
            case "token" | "permission":
                if self.state == "connected":
                    self.state, self.is_mail_due = "needs_token", True
                    later("crm.mail", self.id)
            case "limited":
                # Pipedrive does not say when a limit is the day's: the second in a row is left alone for longer.
                self.rest(failure.seconds, 0 if not self.failures else self.failures - 1)
            case "unreachable" | "broken":
                self.rest(0, self.failures)
            case _:
                return
        self.problem = failure.kind
        announce("crm", self.id)

    def rest(self, wait_seconds: int, doublings: int) -> None:
        """Leaves it alone for as long as it asked, and for longer after each failure in a row."""
        grown = FIRST_REST * 2 ** min(doublings, 10) if self.failures or not wait_seconds else 0
        self.failures += 1
        self.rests_until = now() + dt.timedelta(seconds=max(wait_seconds, min(grown, LONGEST_REST)))


def adapter_for(provider: str, token: str, account: Account, directory: Directory) -> Adapter:
    kind, here = ADAPTERS[provider], outside()
    return kind(kind.client_for(here.egress, here.settings, token), account, directory)


def try_token(provider: str, token: str) -> Account:
    """Which account a token is for. Raises `CrmFailure`. No transaction may be open."""
    return adapter_for(provider, token, Account("", "", "", ""), Directory()).read_account()


def forget_copies(provider: str) -> None:
    """Deletes what was copied until now, some thousands at a time, in a job."""
    later("crm.forget", provider, uuid7())


def delete_copies(provider: str, before: object, most: int) -> bool:
    """Deletes some copies that are older than an id; whether there are more."""
    mine = select(Record.id).where(Record.source == provider, Record.is_mirrored.is_(True), Record.id < before)
    ids = list(db.session.scalars(mine.order_by(Record.id).limit(most)))
    db.session.execute(delete(Record).where(Record.id.in_(ids)), execution_options={"synchronize_session": False})
    return len(ids) == most


def usable_at(moment: dt.datetime) -> Any:
    """Whether a connection may be called."""
    return (CrmConnection.state == "connected") & or_(
        CrmConnection.rests_until.is_(None), CrmConnection.rests_until <= moment
    )
