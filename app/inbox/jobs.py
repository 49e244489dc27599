"""Sending, and telling customers that somebody read what they wrote."""

from __future__ import annotations

from functools import partial

import structlog

from app.extensions import outside
from app.meta import messages as meta
from app.meta.errors import MetaError
from app.tenancy import after_commit, commit, job, platform_scope, sweep
from app.wabas.models import PhoneNumber

from . import outbox
from .models import Conversation

log = structlog.get_logger()


@job("outbound", seconds=180)
def deliver(phone_number_id: str) -> None:
    number = PhoneNumber.get_or_404(phone_number_id)
    if number.is_connected and outbox.Lane(number, outside().graph).run():
        deliver.later(number.id)


@job("default")
def mark_read(conversation_id: str) -> None:
    """Shows the customer blue ticks up to their last message. Best effort: nothing is lost without it."""
    conversation = Conversation.get_or_404(conversation_id)
    number, wamid = conversation.phone_number, conversation.last_inbound_wamid
    if not (wamid and number.is_connected):
        return
    token, meta_id = number.waba.token, number.meta_id
    commit()
    try:
        meta.mark_read(outside().graph, token, meta_id, wamid)
    except MetaError as error:
        log.info("not marked as read", conversation_id=conversation_id, meta_code=error.code)


@sweep
def ring_for_waiting_messages() -> None:
    with platform_scope("messages waiting, or left behind by a worker that died"):
        outbox.park_abandoned()
        outbox.expire_late()
        for tenant_id, number_id in outbox.lanes_waiting():
            after_commit(partial(deliver.ring, str(tenant_id), str(number_id)))
