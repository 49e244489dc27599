"""Deletes the log of webhooks: what is old, and what belonged to a webhook that was removed."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import delete, select, text

from app.tenancy import TenantModel, current_tenant_id, db

from .deliveries import RETENTION, DeliveryAttempt, WebhookDelivery
from .endpoints import WebhookEndpoint
from .events import OutgoingEvent


def forget_old(at: dt.datetime, most: int) -> bool:
    """Deletes at most so many old rows of each table. Returns whether there may be more.

    Ids begin with their time, so the old ones are the beginning of each primary key, and no index is needed for them.
    """
    first = uuid.UUID(int=int((at - RETENTION).timestamp() * 1000) << 80)
    models = (DeliveryAttempt, WebhookDelivery, OutgoingEvent)
    return max(delete_before(model, first, most) for model in models) == most


def delete_before(model: type[TenantModel], first: uuid.UUID, most: int) -> int:
    old = select(model.id).where(model.id < first).order_by(model.id).limit(most)
    gone = delete(model).where(model.id.in_(old.scalar_subquery()))
    return db.session.execute(gone, execution_options={"synchronize_session": False}).rowcount  # type: ignore[attr-defined,no-any-return]


def purge(endpoint_id: object, most: int) -> bool:
    """Deletes deliveries of a removed webhook, and then itself. Returns whether it is gone."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.state == "removed")
    endpoint = db.session.scalar(query)
    if endpoint is None:
        return True
    values = {"tenant": current_tenant_id(), "endpoint": endpoint.id, "most": most}
    if len(db.session.execute(PURGE, values).all()) == most:
        return False
    db.session.delete(endpoint)
    return True


# Index: ix_webhook_deliveries_log. Their attempts go with them.
PURGE = text("""
    with chosen as (
        select d.id from webhook_deliveries d
        where d.tenant_id = :tenant and d.endpoint_id = :endpoint order by d.id limit :most
    )
    delete from webhook_deliveries d using chosen where d.tenant_id = :tenant and d.id = chosen.id returning d.id
""")
