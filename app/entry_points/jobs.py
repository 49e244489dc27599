"""Clicks that were counted in Redis go to Postgres; old references go."""

from __future__ import annotations

import json
from collections import defaultdict

import redis as redis_client
from sqlalchemy import text

from app.extensions import redis
from app.tenancy import current_tenant_id, database_now, db, platform_scope, sweep, tenant_scope, uuid7s

from .links import UNCOUNTED
from .models import RETENTION


@sweep(every=30)
def count_clicks() -> None:
    """Adds what was counted since the last time. What a worker that dies here had taken is lost: a few clicks."""
    try:
        with redis.pipeline() as pipe:
            pipe.hgetall(UNCOUNTED)
            pipe.delete(UNCOUNTED)
            counted, _gone = pipe.execute()
    except redis_client.RedisError:
        return
    by_tenant: dict[str, list[dict[str, object]]] = defaultdict(list)
    for key, count in counted.items():
        tenant, entry_point, quarter = key.decode().split()
        by_tenant[tenant].append({"entry": entry_point, "at": int(quarter), "count": int(count)})
    for tenant, rows in by_tenant.items():
        with tenant_scope(tenant):
            for id, row in zip(uuid7s(len(rows)), rows, strict=True):
                row["row"] = id
            db.session.execute(ADD, {"rows": json.dumps(rows), "tenant": current_tenant_id()})


# An entry point that was deleted meanwhile is passed over.
ADD = text("""
    insert into entry_clicks (tenant_id, id, entry_point_id, at, count)
    select e.tenant_id, r.row, e.id, to_timestamp(r.at), r.count
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(row uuid, entry uuid, at bigint, count bigint)
    join entry_points e on e.tenant_id = :tenant and e.id = r.entry
    on conflict (tenant_id, entry_point_id, at) do update set count = entry_clicks.count + excluded.count
""")


@sweep(every=3600)
def delete_old_references() -> None:
    """What the report no longer shows; touches stay."""
    with platform_scope("old references of short links"):
        before = database_now() - RETENTION
        db.session.execute(OLD_REFERENCES, {"before": before})
        db.session.execute(OLD_CLICKS, {"before": before})


OLD_REFERENCES = text("delete from entry_references where created_at < :before")
OLD_CLICKS = text("delete from entry_clicks where at < :before")
