"""Accounts that clients have shared with the platform, by Meta's webhooks: before any tenant's browser, or without."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import outside
from app.meta import business_profiles, embedded_signup, phone_numbers, system_users, wabas
from app.meta.errors import GraphError, MetaError
from app.meta.events import AccountUpdate, Event
from app.tenancy import GlobalModel, commit, db, now
from app.tenancy.models import WabaRoute
from app.words import N_

SHARED, UNSHARED = ("PARTNER_ADDED", "PARTNER_APP_INSTALLED"), ("PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED")
# How long an unassigned account is checked, and how often at first.
LOOKED_FOR, LOOK_EVERY, SOON = dt.timedelta(days=7), dt.timedelta(minutes=1), dt.timedelta(seconds=15)
AT_ONCE, PROFILES = 20, 5
NOT_OPENED = N_("Meta gives us no token that opens this account.")


class NotOpened(Exception):
    """The token that Meta gives us does not open the account."""


@dataclass(frozen=True)
class Opened:
    """An account as its business's own token shows it: its texts' words, and its numbers' ids by their digits."""

    token: str
    waba: wabas.Waba
    listed: list[phone_numbers.PhoneNumber]
    words: frozenset[str]

    @classmethod
    def at_meta(cls, meta_id: str, business_id: str) -> Self:
        """Raises `NotOpened`, or MetaError."""
        graph, ours = outside().graph, outside().settings.meta_system_user_token
        token = system_users.fetch_business_token(graph, ours, business_id)
        info = embedded_signup.debug_token(graph, token, graph.app_token)
        waba = wabas.fetch(graph, token, meta_id) if info.is_valid and meta_id in (info.waba_ids or ()) else None
        if waba is None or waba.owner_business_id != business_id:
            raise NotOpened
        listed = phone_numbers.of_waba(graph, token, meta_id)
        written = [waba.name or ""]
        for number in listed[:PROFILES]:
            with suppress(GraphError):  # one that is not registered may have no profile yet
                profile = business_profiles.fetch(graph, token, number.id)
                written += [profile.about, profile.description]
        return cls(token, waba, listed, frozenset(re.findall(r"\w+", " ".join(written).upper())))

    @property
    def numbers(self) -> dict[str, str]:
        return {re.sub(r"\D", "", number.display_phone_number or ""): number.id for number in self.listed}


class PartnerWaba(GlobalModel):
    """An account shared with the platform; its names and numbers are as of `looked_at`."""

    __tablename__ = "partner_wabas"

    meta_id: Mapped[str] = mapped_column(primary_key=True)
    owner_business_id: Mapped[str]
    shared_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]
    name: Mapped[str] = mapped_column(default="", server_default="")
    owner_name: Mapped[str] = mapped_column(default="", server_default="")
    numbers: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    trouble: Mapped[str] = mapped_column(default="", server_default="")
    looked_at: Mapped[dt.datetime | None]
    next_look_at: Mapped[dt.datetime | None]

    @classmethod
    def note(cls, events: Iterable[Event]) -> None:
        """Stores what Meta says of sharing. Needs a platform scope; in order of ids, so that two drains never wait in
        a circle."""
        updates = [event for event in events if isinstance(event, AccountUpdate) and event.waba_id]
        for event in sorted(updates, key=lambda event: (str(event.waba_id), event.timestamp)):
            if event.event in SHARED and event.owner_business_id:
                cls.share(event)
            elif event.event in UNSHARED and "phone_number" not in event.value:
                db.session.execute(
                    cls.__table__.update()  # type: ignore[attr-defined]
                    .where(cls.meta_id == event.waba_id, cls.shared_at <= event.timestamp)
                    .values(removed_at=event.timestamp)
                )

    @classmethod
    def share(cls, event: AccountUpdate) -> None:
        row = {"meta_id": event.waba_id, "owner_business_id": event.owner_business_id, "shared_at": event.timestamp}
        new = insert(cls).values(row | {"next_look_at": now()})
        fresh = {"shared_at": func.greatest(cls.shared_at, event.timestamp), "removed_at": None}
        changed = fresh | {"owner_business_id": event.owner_business_id, "next_look_at": now()}
        db.session.execute(new.on_conflict_do_update(index_elements=["meta_id"], set_=changed))

    @classmethod
    def orphans(cls) -> Select[Self]:
        """Shared with us, and connected by no tenant. Needs a platform scope."""
        owned = select(WabaRoute.meta_id).where(WabaRoute.meta_id == cls.meta_id).exists()
        return select(cls).where(~owned, cls.removed_at.is_(None)).order_by(cls.shared_at.desc()).limit(50)

    @classmethod
    def due(cls) -> Select[str]:
        """Ids of those to be checked now, in case one names its owner. Needs a platform scope."""
        recent = cls.shared_at > now() - LOOKED_FOR
        due = select(cls.meta_id).where(cls.removed_at.is_(None), recent, cls.next_look_at <= now())
        return due.order_by(cls.next_look_at).limit(AT_ONCE)

    @classmethod
    def check_soon(cls) -> None:
        """Makes those shared lately due now. Needs a platform scope."""
        rested = or_(cls.looked_at.is_(None), cls.looked_at < now() - SOON)
        db.session.execute(update(cls).where(cls.shared_at > now() - LOOKED_FOR, rested).values(next_look_at=now()))

    @property
    def is_due(self) -> bool:
        return self.removed_at is None and self.next_look_at is not None and self.next_look_at <= now()

    def open(self) -> Opened | None:
        """Fetches its token and what Meta says of it; None where Meta refuses. Needs a platform scope."""
        meta_id, business_id = self.meta_id, self.owner_business_id
        self.looked_at, self.next_look_at = now(), now() + max(LOOK_EVERY, (now() - self.shared_at) / 4)
        commit()
        try:
            opened = Opened.at_meta(meta_id, business_id)
        except (NotOpened, MetaError) as error:
            self.trouble = error.title if isinstance(error, MetaError) else NOT_OPENED
            return None
        self.trouble, self.name, self.owner_name = "", opened.waba.name or "", opened.waba.owner_business_name or ""
        self.numbers = [{"id": number.id, "number": number.display_phone_number or ""} for number in opened.listed]
        return opened
