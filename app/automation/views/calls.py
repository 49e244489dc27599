"""The address by which another program begins an automation: `POST /automation-hooks/<token>` with a JSON object.

It names a customer by `phone` or `contact_id`; everything else becomes a value of the run. The token is shown once, and
only its hash is stored.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import select

from app.api.rates import take
from app.automation.blueprint import hooks
from app.automation.engine import decide, newest_of
from app.automation.models import Automation, AutomationRoute, hash_of
from app.automation.parts import Names
from app.automation.turns import MOST_VALUES, Turn
from app.contacts.models import Contact, lock_contacts
from app.extensions import csrf
from app.inbox.compose.first_messages import Recipient
from app.inbox.conversations import Conversation
from app.meta.written_numbers import NotRead
from app.tenancy import Tenant, as_uuid, db, global_scope, stateless, tenant_scope
from app.wabas.models import PhoneNumber

LARGEST = 64_000
LONGEST_TOKEN = 100
OWN = ("phone", "contact_id", "phone_number_id", "id")


class Unusable(Exception):
    """The call can't begin anything: a status, a code and a sentence for the program that made it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail


@hooks.post("/automation-hooks/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]
@stateless
def receive_call(token: str) -> tuple[Response, int]:
    """Begins the automation of this address. The same `id` again begins nothing."""
    try:
        return jsonify(begin(token)), 202
    except Unusable as problem:
        return jsonify(code=problem.code, detail=problem.detail), problem.status


def begin(token: str) -> dict[str, Any]:
    with global_scope():
        route = db.session.get(AutomationRoute, hash_of(token[:LONGEST_TOKEN]))
    if route is None:
        raise Unusable(404, "not_found", "No automation has this address.")
    if take(route.tenant_id, route.automation_id).wait:
        raise Unusable(429, "rate_limited", "Too many calls. Try again later.")
    called = body()
    with tenant_scope(route.tenant_id):
        automation = Automation.find(route.automation_id)
        if automation is None or db.session.get_one(Tenant, route.tenant_id).closed_at:
            raise Unusable(404, "not_found", "No automation has this address.")
        version = automation.version
        if version is None or not automation.is_on or automation.trigger_kind != "webhook":
            raise Unusable(409, "off", "This automation is switched off or does not begin with a call.")
        turn = Turn(conversation_of(called, automation), happening="webhook", names=Names(), values=values_of(called))
        key = f"webhook {automation.id} {str(called.get('id') or uuid.uuid4())[:200]}"
        trace = decide(turn, [(automation, version)], key)
        why = trace.decisions[0]["why"] if trace and trace.decisions else "once"
        return {"begun": why == "begun", "why": why}


def body() -> dict[str, Any]:
    """The JSON object of the request. Raises `Unusable`."""
    if (request.content_length or 0) > LARGEST:
        raise Unusable(413, "too_large", "Send at most 64 kB.")
    try:
        value = json.loads(request.get_data(cache=False)[: LARGEST + 1])
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Unusable(400, "not_json", "Send a JSON object.")
    return value


def conversation_of(called: dict[str, Any], automation: Automation) -> Conversation:
    """The customer's newest conversation, or a new one: from the number that is named, or the first one."""
    lock_contacts()
    recipient = recipient_of(called)
    wanted = as_uuid(called.get("phone_number_id"))
    if recipient.contact and not wanted and (newest := newest_of({recipient.contact.id})):
        return newest[recipient.contact.id]
    query = select(PhoneNumber).where(PhoneNumber.state == "connected").order_by(PhoneNumber.created_at)
    number = PhoneNumber.find(wanted) if wanted else db.session.scalars(query.limit(1)).first()
    if number is None:
        raise Unusable(422, "no_number", "There is no such connected number.")
    if recipient.obstacle_on(number):
        raise Unusable(422, "unreachable", "This person can't be written to from that number.")
    return recipient.open(number, by=automation.actor)


def recipient_of(called: dict[str, Any]) -> Recipient:
    if contact := Contact.find(called.get("contact_id")):
        return Recipient.of_contact(contact)
    phone = called.get("phone")
    if not isinstance(phone, str) or len(phone) > 40:
        raise Unusable(422, "no_contact", "Name a customer with `phone` or an existing `contact_id`.")
    try:
        return Recipient.of_number(phone)
    except NotRead:
        raise Unusable(422, "no_contact", "`phone` is no phone number with a country code.") from None


def values_of(called: dict[str, Any]) -> dict[str, str]:
    """Everything else, as text."""
    more = [(name, value) for name, value in called.items() if name not in OWN][:MOST_VALUES]
    return {name[:80]: (value if isinstance(value, str) else json.dumps(value))[:1_000] for name, value in more}
