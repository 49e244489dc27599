"""Asking Meta for the templates of a WABA."""

from __future__ import annotations

import structlog

from app.extensions import outside
from app.meta import message_templates as meta
from app.meta.errors import MetaError
from app.tenancy import commit, job
from app.wabas.models import Waba

from .models import TemplateList

log = structlog.get_logger()


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
