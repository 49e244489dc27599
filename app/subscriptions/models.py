"""Subscriptions that another system reports, and the reminders around their end."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, Self

from sqlalchemy import CheckConstraint, Index, Select, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import zones
from app.contacts.models import Contact
from app.hours.models import ServicePolicy
from app.inbox.conversations import Message
from app.notifications import money
from app.notifications.attempts import Attempt, Order, newest_conversation, newest_conversations
from app.notifications.models import Notification
from app.notifications.purposes import Purpose
from app.tenancy import (
    Actor,
    TenantModel,
    among,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    exists,
    happened,
    later,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.tenancy.happenings import happened_each
from app.tenancy.limits import one_at_a_time
from app.words import N_

STATUSES = ("active", "cancelled", "ended")
# Days from the end on which a reminder is due; a minus is before it.
DAYS = (-14, -3, 0, 3)
LONGEST_ID, LONGEST_TITLE = 200, 300
DEFAULT_HOUR = 9
# One whose day it is already goes out at once, but not at night.
LATEST_HOUR = 20
# One that could not be sent for so long, because nothing was running, would come out of nowhere.
PATIENCE = dt.timedelta(hours=12)
# For no longer a template waits in the outbox.
UNDER_WAY = dt.timedelta(days=2)
AT_ONCE = 100
REMINDER_STATES = ("waiting", "sent", "skipped", "cancelled")
PASSED = N_("Its day had passed when the end became known.")
EVENING = N_("It was already past 20:00 on its day when the end became known.")
ALREADY = N_("It was sent earlier that day.")
LATE = N_("It was due more than 12 hours ago.")
REMINDER = Actor.system("subscriptions")


@dataclass(frozen=True, slots=True)
class Given:
    """What another system says of a subscription. `ends_at` is when `ends_on` is over, unless a time was given."""

    contact_id: uuid.UUID | None
    title: str
    ends_on: dt.date
    ends_at: dt.datetime
    zone: str
    renews: bool
    price_micros: int | None
    currency: str
    status: str

    @property
    def is_over(self) -> bool:
        return not self.renews and self.ends_at <= now()


class Subscription(TenantModel):
    """One subscription, by the id that the other system has for it.

    `version` counts the plans of its reminders: what was planned by an earlier one is never sent.
    """

    __table_args__ = (
        belongs_to("contacts", "contact_id"),
        UniqueConstraint("tenant_id", "external_id"),
        one_of("status", STATUSES),
        CheckConstraint("price_micros >= 0", name="price_micros"),
        Index("ix_subscriptions_ending", "tenant_id", "status", "ends_on", "id"),
        Index("ix_subscriptions_contact", "tenant_id", "contact_id", "ends_on"),
        Index("ix_subscriptions_over", "ends_at", postgresql_where=text("status = 'active' and not renews")),
    )

    external_id: Mapped[str]
    contact_id: Mapped[uuid.UUID | None]
    # Which plan it is.
    title: Mapped[str] = mapped_column(default="")
    ends_on: Mapped[dt.date]
    ends_at: Mapped[dt.datetime]
    # By whose clock its days and its reminders are.
    zone: Mapped[str]
    # Whether it goes on by itself: then no one is reminded of an end.
    renews: Mapped[bool]
    price_micros: Mapped[int | None]
    currency: Mapped[str] = mapped_column(default="")
    status: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact | None] = relationship(viewonly=True)

    @classmethod
    def called(cls, external_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.external_id == external_id))

    @classmethod
    def by_end(cls) -> Select[Self]:
        return select(cls).order_by(cls.ends_on, cls.id)

    @classmethod
    def claim(cls, external_id: str, given: Given) -> tuple[Self, bool]:
        """The one row of this id, locked, and whether it was made just now: of two that come at once, by one."""
        values = asdict(given) | {"tenant_id": current_tenant_id(), "id": uuid7(), "external_id": external_id}
        values |= {"version": 1, "created_at": now(), "updated_at": now()}
        made = db.session.scalar(insert(cls).values(values).on_conflict_do_nothing().returning(cls.id))
        row = select(cls).where(cls.external_id == external_id).with_for_update(of=cls, key_share=True)
        return db.session.scalars(row.execution_options(populate_existing=True)).one(), made is not None

    def change(self, given: Given, *, by: Actor) -> None:
        """Takes over what the other system says. Reminders of an end that no longer is are taken back."""
        before, ended_on = self.plan, self.ends_on
        if self.status == "ended" and given.status == "active" and given.is_over:
            # It says again what it said before the last day was over.
            given = replace(given, status="ended")
        for name, value in asdict(given).items():
            setattr(self, name, value)
        self.updated_at = now()
        if self.plan != before:
            self.replan()
        if self.ends_on > ended_on and self.status == "active":
            self.happen("subscription.renewed", by=by)

    @property
    def plan(self) -> tuple[Any, ...]:
        """What its reminders depend on."""
        return self.ends_on, self.zone, self.status == "cancelled", self.renews, self.contact_id

    def renew(self, ends_on: dt.date, *, by: Actor) -> None:
        """It goes on until that day, also after it had ended. Raises `ValueError` unless that is later."""
        if ends_on <= self.ends_on:
            raise ValueError("not later")
        given = {field: getattr(self, field) for field in Given.__dataclass_fields__}
        end = end_of(ends_on, zone_called(self.zone))
        self.change(Given(**given | {"ends_on": ends_on, "ends_at": end, "status": "active"}), by=by)

    def cancel(self) -> None:
        """No customer is reminded of it any more."""
        if self.status != "cancelled":
            self.status, self.updated_at = "cancelled", now()
            self.replan()

    def end(self) -> None:
        """Its last day is over. The reminder after that stays."""
        self.status, self.updated_at = "ended", now()
        self.happen("subscription.ended", by=REMINDER)

    def replan(self) -> None:
        """Takes back what was planned and is not sent yet, and plans anew, in this transaction."""
        self.version += 1
        self.take_back()
        self.schedule()

    def take_back(self) -> None:
        """Cancels the reminders that wait, and the messages of others that have not left."""
        mine = SubscriptionReminder.subscription_id == self.id
        lately = SubscriptionReminder.settled_at > now() - UNDER_WAY
        queued = select(SubscriptionReminder).where(mine, lately, SubscriptionReminder.state == "sent")
        for reminder in db.session.scalars(queued):
            message = Message.find(reminder.message_id)
            if message and message.cancel():
                reminder.state = "cancelled"
        waiting = update(SubscriptionReminder).where(mine, SubscriptionReminder.state == "waiting")
        db.session.execute(waiting.values(state="cancelled"), execution_options={"synchronize_session": False})

    def schedule(self) -> None:
        """Plans a reminder for each of the days that are still to come; today's at once, if its hour has passed."""
        if self.status == "cancelled" or self.renews:
            return
        hour, zone = SubscriptionSettings.current().hour, zone_called(self.zone)
        local = now().astimezone(zone)
        rows = [self.planned(days, due_at(self.ends_on, days, hour, zone), local) for days in DAYS]
        db.session.flush()
        db.session.execute(insert(SubscriptionReminder).values(rows).on_conflict_do_nothing())

    def planned(self, days: int, due: dt.datetime, local: dt.datetime) -> dict[str, Any]:
        words = self.too_late(days, local) if due < local else ""
        due = zones.in_utc(local) if due < local and not words else due
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "subscription_id": self.id, "version": self.version}
        values |= {"days": days, "due_at": due, "state": "skipped" if words else "waiting"}
        return values | {"problem": {"words": words} if words else None}

    def too_late(self, days: int, local: dt.datetime) -> str:
        """Why a reminder whose hour has passed is not sent at once, if it is not."""
        if local.date() != self.ends_on + dt.timedelta(days=days):
            return PASSED
        if local.hour >= LATEST_HOUR:
            return EVENING
        mine = SubscriptionReminder.subscription_id == self.id, SubscriptionReminder.days == days
        midnight = zones.in_utc(local.replace(hour=0, minute=0, second=0, microsecond=0))
        today = SubscriptionReminder.state == "sent", SubscriptionReminder.settled_at >= midnight
        return ALREADY if exists(select(SubscriptionReminder).where(*mine, *today)) else ""

    def happening(self, talks: Mapping[uuid.UUID, uuid.UUID], **facts: Any) -> dict[str, Any]:
        """The facts of something that happens to it; `talks` are the newest conversations of contacts."""
        talk = talks.get(self.contact_id) if self.contact_id else None
        about = {"contact_id": self.contact_id, "conversation_id": talk}
        return {name: str(id) if id else None for name, id in about.items()} | facts

    def happen(self, kind: str, *, by: Actor, **facts: Any) -> None:
        about = {"contact_id": self.contact_id, "conversation_id": newest_conversation(self.contact_id)}
        happened(kind, self.id, by=by, **about, **facts)

    @property
    def facts(self) -> dict[str, str]:
        """What its notifications may say, by the names of `FACTS`."""
        contact = Contact.find(self.contact_id)
        given = {
            "name": contact.name if contact else "",
            "title": " ".join(self.title.split()),
            "date": self.ends_on.isoformat(),
            "price": money.written(self.price_micros, self.currency) if self.price_micros is not None else "",
        }
        return {name: value for name, value in given.items() if value}

    @property
    def price(self) -> Decimal | None:
        return None if self.price_micros is None else money.amount_of(self.price_micros)

    @property
    def days_left(self) -> int:
        """By the clock of its zone; less than 0 after its last day."""
        return (self.ends_on - now().astimezone(zone_called(self.zone)).date()).days


FACTS = {
    "name": N_("The customer's name"),
    "title": N_("The plan"),
    "date": N_("The last day"),
    "price": N_("The price, such as 15000 XOF"),
}


class SubscriptionReminder(TenantModel):
    """One reminder of one plan. `problem` says why there is no message (`Attempt.problem`)."""

    __table_args__ = (
        belongs_to("subscriptions", "subscription_id", ondelete="CASCADE"),
        belongs_to("messages", "message_id", nulled=True),
        UniqueConstraint("tenant_id", "subscription_id", "version", "days"),
        one_of("state", REMINDER_STATES),
        Index("ix_subscription_reminders_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_subscription_reminders_tenant", "tenant_id", "due_at", postgresql_where=text("state = 'waiting'")),
        Index(
            "ix_subscription_reminders_message",
            "tenant_id",
            "message_id",
            postgresql_where=text("message_id is not null"),
        ),
    )

    subscription_id: Mapped[uuid.UUID]
    version: Mapped[int]
    days: Mapped[int]
    due_at: Mapped[dt.datetime]
    state: Mapped[str]
    problem: Mapped[dict[str, Any] | None]
    message_id: Mapped[uuid.UUID | None]
    settled_at: Mapped[dt.datetime | None]

    @classmethod
    def of(cls, subscription: Subscription) -> list[Self]:
        """Those of its present plan, the first to come first."""
        mine = cls.subscription_id == subscription.id, cls.version == subscription.version
        return list(db.session.scalars(select(cls).where(*mine).order_by(cls.due_at)))

    @property
    def client_id(self) -> uuid.UUID:
        """Of its message: however often it is settled, it is one."""
        return uuid.uuid5(self.id, "reminder")

    def settle(self, attempt: Attempt) -> None:
        self.settled_at, self.problem, self.message_id = now(), attempt.problem, attempt.message_id
        self.state = "sent" if attempt.message else "skipped"

    def skip(self, words: str) -> None:
        self.state, self.problem, self.settled_at = "skipped", {"words": words}, now()


def remind_due() -> bool:
    """Settles the reminders of the current tenant that are due, some at a time. Returns whether there may be more.

    A subscription is locked before its reminder is read, so its plan can't change between the check of the version and
    the message: both are in this transaction. Two that work at once take different ones.
    """
    given = {"tenant": current_tenant_id(), "now": database_now(), "most": AT_ONCE}
    ids = list(db.session.scalars(DUE, given))
    if not ids:
        return False
    settings = SubscriptionSettings.current()
    notifications = {days: Notification.find(settings.chosen(days)) for days in DAYS}
    subscriptions = {one.id: one for one in db.session.scalars(fresh(Subscription, Subscription.id, ids))}
    waiting = fresh(SubscriptionReminder, SubscriptionReminder.subscription_id, ids)
    waiting = waiting.where(SubscriptionReminder.state == "waiting", SubscriptionReminder.due_at <= given["now"])
    due = []
    for reminder in db.session.scalars(waiting.order_by(SubscriptionReminder.due_at, SubscriptionReminder.id)):
        subscription = subscriptions[reminder.subscription_id]
        if reminder.version != subscription.version:
            reminder.state = "cancelled"
        elif reminder.due_at < now() - PATIENCE:
            reminder.skip(LATE)
        else:
            due.append((reminder, subscription))
    settle_all(due, notifications)
    return True


def settle_all(
    due: Sequence[tuple[SubscriptionReminder, Subscription]], notifications: Mapping[int, Notification | None]
) -> None:
    """Their day has come: that happens, and the customers get the notification that the owner chose."""
    contacts = {one.contact_id for _, one in due if one.contact_id}
    people = {one.id: one for one in db.session.scalars(select(Contact).where(among(Contact.id, contacts)))}
    talks = newest_conversations(contacts)
    ending = [(one.id, one.happening(talks, days=-reminder.days)) for reminder, one in due if reminder.days <= 0]
    happened_each("subscription.ending", ending, actors=[REMINDER] * len(ending))
    orders = [
        Order(
            notifications[reminder.days],
            people.get(one.contact_id) if one.contact_id else None,
            one.facts,
            reminder.client_id,
        )
        for reminder, one in due
    ]
    attempts = Attempt.make_all(orders, by=REMINDER)
    for reminder, _ in due:
        reminder.settle(attempts[reminder.client_id])


def fresh(model: Any, column: Any, ids: list[uuid.UUID]) -> Select[Any]:
    return select(model).where(column.in_(ids)).execution_options(populate_existing=True)


# Which subscriptions have a reminder that is due now? Locks them; what another worker or a change has locked is left to
# it. By ix_subscription_reminders_tenant (tenant_id, due_at) of those that wait.
DUE = text("""
    select s.id from subscriptions s
    where s.tenant_id = :tenant and s.id in (
        select r.subscription_id from subscription_reminders r
        where r.tenant_id = :tenant and r.state = 'waiting' and r.due_at <= :now
        order by r.due_at limit :most)
    for no key update of s skip locked
""")


def end_due() -> bool:
    """Ends those of the current tenant that are over, some at a time. Returns whether there may be more."""
    over = Subscription.status == "active", Subscription.renews.is_(False), Subscription.ends_at <= database_now()
    query = select(Subscription).where(*over).order_by(Subscription.ends_at).limit(AT_ONCE)
    ended = list(db.session.scalars(query.with_for_update(skip_locked=True, key_share=True)))
    for one in ended:
        one.end()
    return len(ended) == AT_ONCE


def due_at(ends_on: dt.date, days: int, hour: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """When clocks in this zone show this hour. A time that clocks skip moves forward with them."""
    day = ends_on + dt.timedelta(days=days)
    return zones.in_utc(dt.datetime.combine(day, dt.time(hour), zone))


def end_of(date: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return zones.in_utc(dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), zone))


def zone_called(name: str) -> zoneinfo.ZoneInfo:
    return zones.find_zone(name) or zones.UTC


def business_zone() -> str:
    return ServicePolicy.current().time_zone


class SubscriptionSettings(TenantModel):
    """One per tenant: at which hour reminders go out, and which notification is sent on which day."""

    __tablename__ = "subscription_settings"
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id"),
        CheckConstraint("hour between 0 and 23", name="hour"),
        belongs_to("notifications", "before_14_id", nulled=True),
        belongs_to("notifications", "before_3_id", nulled=True),
        belongs_to("notifications", "on_day_id", nulled=True),
        belongs_to("notifications", "after_3_id", nulled=True),
    )

    hour: Mapped[int] = mapped_column(default=DEFAULT_HOUR)
    before_14_id: Mapped[uuid.UUID | None]
    before_3_id: Mapped[uuid.UUID | None]
    on_day_id: Mapped[uuid.UUID | None]
    after_3_id: Mapped[uuid.UUID | None]

    @classmethod
    def current(cls) -> Self:
        return db.session.scalar(select(cls)) or cls(hour=DEFAULT_HOUR)

    @classmethod
    def to_change(cls) -> Self:
        """The same, until the transaction ends for its caller alone: two may be the first to save it."""
        one_at_a_time(cls.__tablename__)
        return cls.current()

    def chosen(self, days: int) -> uuid.UUID | None:
        """The notification of the reminder so many days from the end."""
        return getattr(self, COLUMNS[days])  # type: ignore[no-any-return]

    def save(self, hour: int, chosen: dict[int, uuid.UUID | None]) -> None:
        """Reminders that wait move to the new hour."""
        has_moved, self.hour = self.hour != hour, hour
        for days, id in chosen.items():
            setattr(self, COLUMNS[days], id)
        db.session.add(self)
        if has_moved:
            later("subscriptions.move")


COLUMNS = {-14: "before_14_id", -3: "before_3_id", 0: "on_day_id", 3: "after_3_id"}
DAY_WORDS = {
    -14: N_("14 days before the end"),
    -3: N_("3 days before the end"),
    0: N_("On the last day"),
    3: N_("3 days after the end"),
}


def find_for(days: int) -> Notification | None:
    return Notification.find(SubscriptionSettings.current().chosen(days))


def choose_for(days: int, notification: Notification) -> None:
    settings = SubscriptionSettings.to_change()
    settings.save(settings.hour, {days: notification.id})


for days in DAYS:
    Purpose(
        key=f"subscriptions.{COLUMNS[days].removesuffix('_id')}",
        words=DAY_WORDS[days],
        starter="subscription_over" if days > 0 else "subscription_last_day",
        endpoint="subscriptions.settings",
        permission="subscriptions.edit",
        fills=tuple(FACTS),
        find=partial(find_for, days),
        choose=partial(choose_for, days),
        may_be_empty=("title",),
    ).register()


def move_waiting(after_id: uuid.UUID | None) -> uuid.UUID | None:
    """Moves the reminders that wait to the hour of the settings, some at a time. Returns the last one, if any."""
    mine = select(SubscriptionReminder, Subscription).join(Subscription, ITS_SUBSCRIPTION)
    mine = mine.where(SubscriptionReminder.state == "waiting", SubscriptionReminder.due_at > database_now())
    if after_id:
        mine = mine.where(SubscriptionReminder.id > after_id)
    rows = db.session.execute(mine.order_by(SubscriptionReminder.id).limit(AT_ONCE)).all()
    hour = SubscriptionSettings.current().hour
    for reminder, subscription in rows:
        moved = due_at(subscription.ends_on, reminder.days, hour, zone_called(subscription.zone))
        still = SubscriptionReminder.id == reminder.id, SubscriptionReminder.state == "waiting"
        db.session.execute(update(SubscriptionReminder).where(*still).values(due_at=moved))
    return rows[-1][0].id if rows else None


ITS_SUBSCRIPTION = (Subscription.tenant_id == SubscriptionReminder.tenant_id) & (
    Subscription.id == SubscriptionReminder.subscription_id
)


def erase(contact_ids: list[uuid.UUID]) -> None:
    """Of somebody who was erased, that there was a subscription stays, and nothing reminds them."""
    for one in db.session.scalars(select(Subscription).where(Subscription.contact_id.in_(contact_ids))):
        one.cancel()
        one.title = ""
