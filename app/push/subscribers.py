"""The happenings that notifications subscribe to."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import news, template_news


@subscriber("push", *news.KINDS)
def notify(happenings: list[Happened]) -> None:
    news.notify(happenings)


@subscriber("push of templates", *template_news.KINDS)
def notify_of_templates(happenings: list[Happened]) -> None:
    template_news.notify(happenings)
