"""Runs the tasks of forms at Meta, and lists what Meta has."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from sqlalchemy import or_, select

from app.extensions import outside
from app.meta import flow_calls as calls
from app.meta.errors import MetaError
from app.tenancy import (
    Actor,
    Tenant,
    announce,
    commit,
    db,
    in_turn,
    is_sandbox,
    job,
    later,
    now,
    platform_scope,
    sweep,
    uuid7,
)
from app.wabas.models import PhoneNumber, Waba

from .errands import Errand, access_to
from .models import GONE, LOCAL, LONGEST_NAME, FlowList, FlowVersion, WhatsappFlow

log = structlog.get_logger()

COMPARE_EVERY = dt.timedelta(hours=1)
# So many forms of others are read for their fields in one go.
MOST_READ = 50


@job("flows.run", seconds=120)
def run(version_id: str) -> None:
    if errand := Errand.claim(uuid.UUID(version_id)):
        errand.run()


@sweep(every=10)
def recover_errands() -> None:
    """Those whose job died, or whose next try is due."""
    waiting = select(FlowVersion.tenant_id, FlowVersion.id).where(FlowVersion.task != "", FlowVersion.task_at < now())
    with platform_scope("forms on their way to Meta"):
        for tenant_id, version_id in db.session.execute(in_turn(waiting, FlowVersion.task_at, 100)).all():
            later("flows.run", version_id, tenant_id=tenant_id)


@sweep(every=60)
def compare_hourly() -> None:
    """What no webhook said is seen within an hour."""
    same = (FlowList.tenant_id == Waba.tenant_id) & (FlowList.id == Waba.id)
    due = or_(FlowList.fetched_at.is_(None), FlowList.fetched_at < now() - COMPARE_EVERY)
    connected = select(PhoneNumber.id).where(
        PhoneNumber.tenant_id == Waba.tenant_id, PhoneNumber.waba_id == Waba.id, PhoneNumber.state == "connected"
    )
    results = select(Waba.tenant_id, Waba.id).outerjoin(FlowList, same)
    results = results.where(due, connected.exists(), Waba.token_ciphertext.is_not(None))
    results = results.where(Waba.tenant_id.not_in(Tenant.sandboxes()))
    with platform_scope("compare forms with Meta"):
        for tenant_id, waba_id in db.session.execute(results.order_by(FlowList.fetched_at).limit(100)).all():
            later("flows.fetch", waba_id, tenant_id=tenant_id)


@job("flows.fetch", seconds=120)
def fetch(waba_id: str) -> None:
    """Compares an account's forms with Meta: takes statuses, and adds those that were made elsewhere."""
    waba = Waba.get_or_404(waba_id)
    if is_sandbox(waba.tenant_id):
        return
    id, token, meta_id, graph = waba.id, access_to(waba), waba.meta_id, outside().graph
    listing = FlowList.of(id)
    listing.fetched_at = now()
    commit()
    try:
        fetched = calls.flows_of(graph, token, meta_id) if token else []
        others = take_existing(id, fetched)
        commit()
        foreign = [(one, calls.json_of(graph, token, one.id)) for one in others[:MOST_READ]]
    except MetaError as error:
        log.info("flows not fetched", waba_id=waba_id, meta_code=error.code)
        FlowList.of(id).error = error.as_dict()
    else:
        FlowList.of(id).error = None
        for one, flow_json in foreign:
            add_foreign(id, one, flow_json)
    announce("flows", id)


def take_existing(waba_id: uuid.UUID, fetched: list[calls.Fetched]) -> list[calls.Fetched]:
    """Takes what Meta says of the versions that are here. Returns the forms that are not."""
    mine = select(FlowVersion).join(WhatsappFlow, WhatsappFlow.id == FlowVersion.flow_id)
    versions = list(db.session.scalars(mine.where(WhatsappFlow.waba_id == waba_id)))
    by_id = {version.meta_id: version for version in versions if version.meta_id}
    begun = {version.name_at_meta for version in versions if version.status == LOCAL}
    seen = {one.id: one for one in fetched}
    for id, version in by_id.items():
        if version.task:
            continue
        if one := seen.get(id):
            version.take(one)
        elif version.status != GONE:
            version.turn(GONE)
    # One that is just being created has no id here yet.
    return [one for one in fetched if one.id not in by_id and one.name not in begun]


def add_foreign(waba_id: uuid.UUID, one: calls.Fetched, flow_json: dict[str, object]) -> None:
    """Adds a form that was made elsewhere."""
    if FlowVersion.with_meta_id(one.id):
        return
    taken = set(db.session.scalars(select(WhatsappFlow.name).where(WhatsappFlow.waba_id == waba_id)))
    name = one.name[:LONGEST_NAME] or one.id
    flow = WhatsappFlow(
        id=uuid7(), waba_id=waba_id, name=name if name not in taken else f"{name[:150]} ({one.id})", source="meta"
    )
    flow.categories = list(one.categories)
    db.session.add(flow)
    db.session.flush()
    version = FlowVersion.begin(flow, [], by=Actor.system("meta"))
    version.meta_id, version.status, version.flow_json = one.id, one.status, flow_json
    version.take(one)
