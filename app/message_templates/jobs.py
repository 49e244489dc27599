"""Asking Meta for the templates of a WABA."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from app.extensions import outside
from app.meta import message_templates as meta
from app.meta.errors import MetaError
from app.tenancy import commit, db, job, later
from app.wabas.models import Waba

from .models import TemplateList

log = structlog.get_logger()


def keep_fresh() -> None:
    """Has Meta asked for the templates of every WABA whose list is old."""
    for waba_id in db.session.scalars(select(Waba.id)):
        known = TemplateList.of(waba_id)
        if known.is_due:
            known.ask()
            later("message_templates.fetch", waba_id)


@job("message_templates.fetch")
def fetch_templates(waba_id: str) -> None:
    waba = Waba.get_or_404(waba_id)
    token, meta_id = waba.token, waba.meta_id
    commit()
    try:
        templates = meta.templates_of(outside().graph, token, meta_id)
    except MetaError as error:
        log.info("templates not fetched", waba_id=waba_id, meta_code=error.code)
        TemplateList.of(waba.id).fail(error)
    else:
        TemplateList.of(waba.id).store(templates)
