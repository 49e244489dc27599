"""Webhooks are stored for a month after they were drained."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.tenancy import db, now, platform_scope
from app.webhook_events.models import WebhookEvent
from app.webhooks import jobs
from app.webhooks.jobs import forget_old_events

MONTH = dt.timedelta(days=31)


def store(*ages: tuple[dt.timedelta, bool]) -> None:
    """Webhooks that arrived so long ago, and whether they were drained then."""
    with platform_scope("tests"):
        for age, is_drained in ages:
            at = now() - age
            event = WebhookEvent(body=f"{age.days}".encode(), received_at=at, drained_at=at if is_drained else None)
            db.session.add(event)
            db.session.flush()


def left() -> list[int]:
    """How many days ago those arrived that are left."""
    with platform_scope("tests"):
        return [int(body) for body in db.session.scalars(select(WebhookEvent.body).order_by(WebhookEvent.id))]


def test_all_that_is_old_goes_in_one_run(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FORGOTTEN_AT_ONCE", 3)
    store(*[(MONTH, True)] * 8, (dt.timedelta(days=1), True))
    forget_old_events()
    assert left() == [1]


def test_what_still_waits_stays_and_delays_no_other(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FORGOTTEN_AT_ONCE", 2)
    store((MONTH, False), *[(MONTH, True)] * 4, (dt.timedelta(days=2), False), (dt.timedelta(days=1), True))
    forget_old_events()
    assert left() == [31, 2, 1]
