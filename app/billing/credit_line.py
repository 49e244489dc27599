"""How much of the platform's own credit line with Meta is used, read again and again, and the alarm before it is over.

At its limit every business that it pays for is refused with 131042.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

import structlog
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import mailer, outside
from app.mail import Mail
from app.meta import credit_lines
from app.meta.errors import MetaError
from app.team.models import PlatformAdmin
from app.tenancy import GlobalModel, db, now, platform_scope, uuid7

from .balances import Balance
from .money import Money, micros_from

log = structlog.get_logger()

# What is left, in percent of the line, at which admins are alarmed; and the hours until it is used up at the pace of a
# day.
LEVELS = (20, 5)
HOURS = 48
PACE_OVER, AGAIN_AFTER = dt.timedelta(hours=24), dt.timedelta(hours=24)


class CreditLineReading(GlobalModel):
    """What Meta said of the line at a time. `alarmed`: how many of LEVELS, or 1 for the pace, were mailed then."""

    __tablename__ = "credit_line_readings"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[dt.datetime] = mapped_column(default=now, index=True)
    currency: Mapped[str]
    used_micros: Mapped[int]
    most_micros: Mapped[int]
    # Held for messages under way, which Meta does not know of yet, in the same currency.
    held_micros: Mapped[int]
    alarmed: Mapped[int] = mapped_column(default=0)

    @classmethod
    def latest(cls) -> Self | None:
        return db.session.scalar(select(cls).order_by(cls.at.desc()).limit(1))

    @property
    def left_micros(self) -> int:
        return self.most_micros - self.used_micros - self.held_micros

    @property
    def left_percent(self) -> int:
        return max(0, 100 * self.left_micros // self.most_micros) if self.most_micros else 0

    def money(self, micros: int) -> Money:
        return Money(micros, self.currency)

    @property
    def hours_left(self) -> int | None:
        """At the pace of the last day; None where nothing was used, or it was paid off meanwhile."""
        earlier = select(CreditLineReading).where(
            CreditLineReading.at >= self.at - PACE_OVER,
            CreditLineReading.at < self.at,
            CreditLineReading.currency == self.currency,
        )
        first = db.session.scalar(earlier.order_by(CreditLineReading.at).limit(1))
        if first is None or self.used_micros <= first.used_micros:
            return None
        seconds = (self.at - first.at) // dt.timedelta(seconds=1)
        return max(0, self.left_micros * seconds // (self.used_micros - first.used_micros) // 3600)

    @property
    def level(self) -> int:
        """How serious it is: 0 where nothing is to be done."""
        level = sum(self.left_percent <= each for each in LEVELS)
        hours = self.hours_left
        return max(level, 1 if hours is not None and hours <= HOURS else 0)


class CreditLineCheck:
    """One reading of the line, and whom it alarms."""

    def run(self) -> None:
        """Reads the line at Meta, saves it, and mails admins where it comes to an end. Opens scopes of its own."""
        here = outside()
        settings = here.settings
        if not settings.meta_credit_line_id:
            return
        try:
            line = credit_lines.fetch(here.graph, settings.meta_system_user_token, settings.meta_credit_line_id)
        except MetaError as error:
            log.warning("credit line not read", meta_code=error.code)
            return
        if line.balance is None or line.max_balance is None:
            return
        with platform_scope("credit line"):
            reading = CreditLineReading(currency=line.currency, at=now())
            reading.used_micros, reading.most_micros = micros_from(line.balance), micros_from(line.max_balance)
            held = select(func.coalesce(func.sum(Balance.held_micros), 0)).where(Balance.currency == line.currency)
            reading.held_micros = int(db.session.scalar(held) or 0)
            addresses = self.alarm(reading)
            db.session.add(reading)
        if addresses:
            subject = _("The credit line with Meta is nearly used up")
            left = _(
                "%(money)s is left (%(percent)d%%).",
                money=reading.money(reading.left_micros),
                percent=reading.left_percent,
            )
            link = f"{settings.public_url}/platform/exposure"
            mailer.send_all(Mail(address, subject, f"{left}\n\n{link}\n") for address in addresses)

    def alarm(self, reading: CreditLineReading) -> list[str]:
        """Whom to mail: all admins, once a day for each level."""
        recent = select(func.coalesce(func.max(CreditLineReading.alarmed), 0))
        latest_reading = db.session.scalar(recent.where(CreditLineReading.at >= reading.at - AGAIN_AFTER)) or 0
        if reading.level <= latest_reading:
            return []
        reading.alarmed = reading.level
        return list(db.session.scalars(select(PlatformAdmin.email)))
