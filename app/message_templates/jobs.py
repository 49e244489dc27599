"""Templates at Meta: listed, submitted, measured."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from sqlalchemy import or_, select

from app.extensions import outside
from app.meta import template_calls as calls
from app.meta.errors import MetaError
from app.tenancy import Tenant, commit, db, in_turn, is_sandbox, job, later, now, platform_scope, sweep
from app.wabas.models import PhoneNumber, Waba

from .figures import TemplateFigures
from .models import MessageTemplate, TemplateList
from .submission import Submission
from .versions import TemplateVersion

log = structlog.get_logger()

COMPARE_EVERY = dt.timedelta(hours=1)
# Meta counts reads and clicks for seven days, and takes ten templates at a time.
COUNTED_DAYS, AT_ONCE = 8, 10
# Meta's code where it doesn't count for an account.
NOT_COUNTED = 200007


@job("message_templates.fetch")
def fetch_templates(waba_id: str) -> None:
    """Reads a WABA's list. A sandbox's templates are copied from the business, and listed nowhere."""
    waba = Waba.get_or_404(waba_id)
    if is_sandbox(waba.tenant_id):
        return
    token, meta_id, since = waba.token, waba.meta_id, now()
    commit()
    try:
        templates = calls.templates_of(outside().graph, token, meta_id)
    except MetaError as error:
        log.info("templates not fetched", waba_id=waba_id, meta_code=error.code)
        TemplateList.of(waba.id).fail(error)
    else:
        TemplateList.of(waba.id).store(templates, since=since)


@sweep(every=60)
def compare_hourly() -> None:
    """What no webhook said is seen within an hour."""
    same = (TemplateList.tenant_id == Waba.tenant_id) & (TemplateList.waba_id == Waba.id)
    due = or_(TemplateList.asked_at.is_(None), TemplateList.asked_at < now() - COMPARE_EVERY)
    connected = select(PhoneNumber.id).where(
        PhoneNumber.tenant_id == Waba.tenant_id, PhoneNumber.waba_id == Waba.id, PhoneNumber.state == "connected"
    )
    results = select(Waba.tenant_id, Waba.id).outerjoin(TemplateList, same)
    results = results.where(due, connected.exists(), Waba.token_ciphertext.is_not(None))
    results = results.where(Waba.tenant_id.not_in(Tenant.sandboxes()))
    with platform_scope("compare templates with Meta"):
        for tenant_id, waba_id in db.session.execute(results.order_by(TemplateList.asked_at).limit(100)).all():
            later("message_templates.compare", waba_id, tenant_id=tenant_id)


@job("message_templates.compare")
def compare(waba_id: str) -> None:
    TemplateList.of(uuid.UUID(waba_id)).refresh()
    later("message_templates.measure", waba_id)


@job("message_templates.submit", seconds=180)
def submit(version_id: str) -> None:
    if submission := Submission.claim(uuid.UUID(version_id)):
        submission.run()


@sweep(every=10)
def recover_submissions() -> None:
    """Those whose job died, or whose answer was lost."""
    waiting = select(TemplateVersion.tenant_id, TemplateVersion.id).where(
        TemplateVersion.state == "submitting", TemplateVersion.lease_until < now()
    )
    with platform_scope("templates on their way to Meta"):
        for tenant_id, version_id in db.session.execute(in_turn(waiting, TemplateVersion.lease_until, 100)).all():
            later("message_templates.submit", version_id, tenant_id=tenant_id)


@job("message_templates.measure", seconds=180)
def measure(waba_id: str) -> None:
    """Fetches what Meta counted in the last days, for those that can be sent."""
    waba = Waba.get_or_404(waba_id)
    token, waba_meta_id, graph = waba.token, waba.meta_id, outside().graph
    named = select(MessageTemplate.meta_id, MessageTemplate.id).where(
        MessageTemplate.waba_id == waba.id, MessageTemplate.meta_id.is_not(None), MessageTemplate.used_at.is_not(None)
    )
    ids = {str(meta_id): id for meta_id, id in db.session.execute(named)}
    commit()
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = midnight - dt.timedelta(days=COUNTED_DAYS), midnight + dt.timedelta(days=1)
    listed = list(ids)
    for place in range(0, len(listed), AT_ONCE):
        try:
            points = calls.analytics(graph, token, waba_meta_id, listed[place : place + AT_ONCE], start, end)
        except MetaError as error:
            log.info("templates not measured", waba_id=waba_id, meta_code=error.code)
            if error.code == NOT_COUNTED:
                TemplateList.of(waba.id).note_counting(False)
            return
        TemplateList.of(waba.id).note_counting(True)
        TemplateFigures.store(row_of(point, ids[point.template_id]) for point in points if point.template_id in ids)
        commit()


def row_of(point: calls.DataPoint, template_id: uuid.UUID) -> dict[str, object]:
    clicked = [{"type": one.type, "label": one.button, "count": one.count} for one in point.clicked]
    figures = {"sent": point.sent or 0, "delivered": point.delivered or 0, "read": point.read or 0}
    return {"template_id": template_id, "day": point.start.date(), "clicked": clicked, **figures}
