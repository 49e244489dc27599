"""What notifications hear of."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import news, template_news


@subscriber("notifications", *news.KINDS)
def notify(found: list[Happened]) -> None:
    news.notify(found)


@subscriber("notifications of templates", *template_news.KINDS)
def notify_of_templates(found: list[Happened]) -> None:
    template_news.notify(found)
