"""Finding out whether a paused number works again, so that what waits goes out by itself."""

from __future__ import annotations

import datetime as dt
from functools import partial

from sqlalchemy import func, or_, select

from app.extensions import outside
from app.meta import health, phone_numbers
from app.meta.errors import Kind, MetaError
from app.tenancy import after_commit, commit, db, job, now, platform_scope, sweep

from .models import PhoneNumber

PROBE_EVERY = dt.timedelta(minutes=2)


@job()
def probe(phone_number_id: str) -> None:
    number = PhoneNumber.get_or_404(phone_number_id)
    if number.state != "paused":
        return
    number.probed_at = now()
    token, meta_id, graph = number.waba.token, number.meta_id, outside().graph
    commit()
    try:
        works = phone_numbers.fetch(graph, token, meta_id).is_registered
        works = works and not health.fetch(graph, token, meta_id).is_blocked
    except MetaError as error:
        if error.kind is Kind.PAUSE_NUMBER:
            number.pause(error.title, error.fix)
        return
    if works:
        number.resume()


@sweep
def ring_for_paused_numbers() -> None:
    due = or_(PhoneNumber.probed_at.is_(None), PhoneNumber.probed_at < func.now() - PROBE_EVERY)
    paused = select(PhoneNumber.tenant_id, PhoneNumber.id).where(PhoneNumber.state == "paused", due)
    with platform_scope("do paused numbers work again?"):
        for tenant_id, number_id in db.session.execute(paused):
            after_commit(partial(probe.ring, str(tenant_id), str(number_id)))
