"""The happenings that notifications subscribe to."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import news


@subscriber("notifications", *news.KINDS)
def notify(happenings: list[Happened]) -> None:
    news.notify(happenings)
