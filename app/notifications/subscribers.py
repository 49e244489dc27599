"""What notifications hear of."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import news


@subscriber("notifications", *news.KINDS)
def notify(found: list[Happened]) -> None:
    news.notify(found)
