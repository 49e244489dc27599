"""What goes out, signed, and what is done with each kind of answer."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import time
from typing import Any

import jsonschema
import pytest
import time_machine
from standardwebhooks.webhooks import WebhookVerificationError

from app.egress import Egress
from app.extensions import outside
from app.hooks.calls import ANSWER_BYTES
from app.hooks.claims import LONGEST_REST
from app.hooks.deliveries import RETRY_SECONDS
from app.hooks.events import schema_of
from app.tenancy import now, tenant_scope
from tests.arrivals import arrive
from tests.posts import message
from tests.world import World

from .conftest import Hooks
from .receivers import OK, Receiver, status_line


def test_a_message_comes_signed_with_what_is_around_it(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add(types=["message.received"])
    arrive(message("Is my bread ready?"))
    hooks.hear()
    hooks.send()
    [got] = receiver.got
    event = got.verified(hooks.secret(endpoint))
    assert event["type"] == "message.received" and event["id"] == got.id
    assert event["data"]["message"]["text"] == "Is my bread ready?"
    assert event["data"]["contact"]["phone"] == "+16505551234"
    assert event["data"]["conversation"]["id"] == event["data"]["conversation_id"]
    jsonschema.validate(event, schema_of("message.received"), format_checker=jsonschema.FormatChecker())
    assert hooks.states == ["delivered"]


def test_a_changed_body_is_noticed(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    hooks.happens()
    hooks.send()
    headers, body = receiver.got[0].headers, receiver.got[0].body.replace(b"resolved", b"reopened")
    from standardwebhooks.webhooks import Webhook

    with pytest.raises(WebhookVerificationError):
        Webhook(hooks.secret(endpoint)).verify(body, headers)


def test_while_a_secret_is_rotated_both_verify(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    old = hooks.secret(endpoint)
    with tenant_scope(hooks.tenant.id):
        new = hooks.endpoint(endpoint).rotate()
    with tenant_scope(hooks.tenant.id):
        from app.hooks.endpoints import WebhookEndpoint

        new = WebhookEndpoint.get_or_404(endpoint.id).rotate()
    hooks.happens()
    hooks.send()
    assert receiver.got[0].verified(new)["type"] == "conversation.resolved"
    assert len(receiver.got[0].headers["webhook-signature"].split()) == 2
    with pytest.raises(WebhookVerificationError):
        receiver.got[0].verified(old)
