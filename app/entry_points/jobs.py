"""Clicks that were counted in Redis go to Postgres; old references go."""

from __future__ import annotations

import json
import uuid

import redis as redis_client
import structlog
from sqlalchemy import text

from app.extensions import redis
from app.tenancy import database_now, db, platform_scope, sweep, uuid7s

from .links import UNCOUNTED
from .models import RETENTION

log = structlog.get_logger()

AT_ONCE = 5_000


@sweep(every=30)
def count_clicks() -> None:
    """Adds what was counted since the last time. What a worker that dies here had taken is lost: a few clicks."""
    try:
        with redis.pipeline() as pipe:
            counted, _gone = pipe.hgetall(UNCOUNTED).delete(UNCOUNTED).execute()
    except redis_client.RedisError:
        return
    rows = [row_of(key.decode(), int(count)) for key, count in counted.items()]
    if rows:
        with platform_scope("clicks of short links"):
            values = [{"row": id} | row for id, row in zip(uuid7s(len(rows)), rows, strict=True)]
            db.session.execute(ADD, {"rows": json.dumps(values)})


def row_of(key: str, count: int) -> dict[str, object]:
    tenant, entry_point, quarter = key.split()
    return {"tenant": str(uuid.UUID(tenant)), "entry": str(uuid.UUID(entry_point)), "at": int(quarter), "count": count}


# An entry point that was deleted meanwhile is passed over.
ADD = text("""
    insert into entry_clicks (tenant_id, id, entry_point_id, at, count)
    select e.tenant_id, r.row, e.id, to_timestamp(r.at), r.count
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(row uuid, tenant uuid, entry uuid, at bigint, count bigint)
    join entry_points e on e.tenant_id = r.tenant and e.id = r.entry
    on conflict (tenant_id, entry_point_id, at) do update set count = entry_clicks.count + excluded.count
""")


@sweep(every=3600)
def delete_old_references() -> None:
    """What the report no longer shows; touches stay."""
    with platform_scope("old references of short links"):
        before = database_now() - RETENTION
        for statement in (OLD_REFERENCES, OLD_CLICKS):
            db.session.execute(statement, {"before": before, "most": AT_ONCE})


OLD_REFERENCES = text("""
    delete from entry_references r using (
        select tenant_id, id from entry_references where created_at < :before order by created_at limit :most
    ) old where r.tenant_id = old.tenant_id and r.id = old.id
""")
OLD_CLICKS = text("""
    delete from entry_clicks c using (select tenant_id, id from entry_clicks where at < :before limit :most) old
    where c.tenant_id = old.tenant_id and c.id = old.id
""")
