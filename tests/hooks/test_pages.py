"""The pages of webhooks, for owners and admins."""

from __future__ import annotations

import datetime as dt
import re

import jsonschema
import pytest
from flask import Flask
from sqlalchemy import select

from app.hooks.endpoints import MOST_ENDPOINTS, WebhookEndpoint
from app.hooks.event_types import INTERNAL, TITLES, event_types
from app.hooks.events import schema_of
from app.hooks.jobs import purge_endpoint, replay
from app.hooks.samples import sample_of
from app.tenancy import db, now, tenant_scope
from app.tenancy.catalogue import KINDS
from tests.client import Browser
from tests.enqueued import Enqueued

from .conftest import Hooks
from .receivers import URL, Receiver


def form(**changed: str) -> dict[str, str]:
    return {"url": URL, "which": "all", "batch_seconds": "0"} | changed


def test_a_webhook_is_added_and_its_secret_shown_once(ann: Browser, hooks: Hooks, receiver: Receiver) -> None:
    page = ann.post("~/webhooks/", form(description="Shop"))
    results = re.search(r'value="(whsec_[^"]+)"', page.text)
    assert page.status_code == 201 and results
    [endpoint] = endpoints(hooks)
    assert results[1] == hooks.secret(endpoint)
    for path in ("", f"/{endpoint.id}", f"/{endpoint.id}/edit"):
        assert "whsec_" not in ann.get(f"~/webhooks{path or '/'}").text
    hooks.happens()
    hooks.send()
    assert receiver.got[0].verified(results[1])


def endpoints(hooks: Hooks) -> list[WebhookEndpoint]:
    with tenant_scope(hooks.tenant.id):
        return list(db.session.scalars(WebhookEndpoint.listed()))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://shop.example/hook",
        "https://shop.example:8443/hook",
        "https://user:pass@shop.example/",
        "https://127.0.0.1/hook",
        "https://10.1.2.3/hook",
        "https://[::1]/hook",
        "https://2130706433/hook",
        "https://0x7f.1/hook",
        "https://xn--a.example/hook",
        "https://localhost/hook",
        "https://shop.example/" + "x" * 2000,
    ],
)
def test_an_address_that_may_not_be_called_is_refused(ann: Browser, hooks: Hooks, url: str) -> None:
    page = ann.post("~/webhooks/", form(url=url))
    assert page.status_code == 422 and 'id="url-problem"' in page.text and endpoints(hooks) == []


@pytest.mark.parametrize("changed", [{"which": "some"}, {"batch_seconds": "61"}, {"batch_seconds": "-1"}])
def test_settings_that_make_no_sense_are_refused(ann: Browser, hooks: Hooks, changed: dict[str, str]) -> None:
    assert ann.post("~/webhooks/", form(**changed)).status_code == 422 and endpoints(hooks) == []


def test_it_is_changed(ann: Browser, hooks: Hooks) -> None:
    endpoint = hooks.add()
    changed = form(which="some", types="message.received", batch_seconds="5", is_ordered="y")
    assert ann.post(f"~/webhooks/{endpoint.id}", changed).status_code == 303
    results = hooks.endpoint(endpoint)
    assert (results.types, results.batch_seconds, results.is_ordered) == (["message.received"], 5, True)
    assert 'value="message.received" checked' in ann.get(f"~/webhooks/{endpoint.id}/edit").text


def test_a_business_has_a_limit(ann: Browser, hooks: Hooks) -> None:
    for _ in range(MOST_ENDPOINTS):
        hooks.add()
    page = ann.post("~/webhooks/", form())
    assert page.status_code == 303 and len(endpoints(hooks)) == MOST_ENDPOINTS
    assert "/webhooks/new" not in ann.get("~/webhooks/").text


def test_the_log_has_each_delivery_with_request_and_answer(ann: Browser, hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    receiver.answer_with(500, 200)
    hooks.happens()
    hooks.happens("conversation.reopened")
    hooks.send()
    page = ann.get(f"~/webhooks/{endpoint.id}?state=waiting").text
    assert "HTTP 500" in page and page.count("/deliveries/") == 1
    assert ann.get(f"~/webhooks/{endpoint.id}?type=conversation.reopened").text.count("/deliveries/") == 1
    delivery = hooks.deliveries()[0]
    one = ann.get(f"~/webhooks/{endpoint.id}/deliveries/{delivery.id}").text
    assert delivery.webhook_id in one and "Attempt 1" in one and "webhook-timestamp" in one
    assert "v1," not in one


def test_a_delivery_of_another_webhook_is_not_found_under_this_one(ann: Browser, hooks: Hooks) -> None:
    first, second = hooks.add(types=["contact.created"]), hooks.add()
    hooks.happens()
    [delivery] = hooks.deliveries()
    assert ann.get(f"~/webhooks/{second.id}/deliveries/{delivery.id}").status_code == 200
    assert ann.get(f"~/webhooks/{first.id}/deliveries/{delivery.id}").status_code == 404
    assert ann.post(f"~/webhooks/{first.id}/deliveries/{delivery.id}/replays").status_code == 404


def test_the_button_sends_a_test_event(ann: Browser, hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    answer = ann.post(f"~/webhooks/{endpoint.id}/test-events")
    hooks.send()
    assert receiver.types == ["webhook.test"]
    assert "Delivered" in ann.get(answer.headers["Location"]).text


def test_one_and_a_stretch_are_sent_again(ann: Browser, hooks: Hooks, receiver: Receiver, enqueued: Enqueued) -> None:
    endpoint = hooks.add()
    hooks.happens()
    hooks.send()
    ann.post(f"~/webhooks/{endpoint.id}/deliveries/{hooks.deliveries()[0].id}/replays")
    hooks.send()
    span = {
        "since": f"{now() - dt.timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "until": f"{now() + dt.timedelta(hours=1):%Y-%m-%dT%H:%M}",
    }
    enqueued.clear()
    ann.post(f"~/webhooks/{endpoint.id}/replays", span)
    [job] = [job for job in enqueued.jobs if job.func_name == "hooks.replay"]
    replay(*job.args)
    hooks.send()
    assert len(receiver.got) == 3 and len({got.id for got in receiver.got}) == 1


@pytest.mark.parametrize(
    "span", [("", ""), ("2026-01-02T10:00", "2026-01-02T09:00"), ("2020-01-01T00:00", "2020-01-02T00:00")]
)
def test_a_stretch_that_makes_no_sense_is_refused(ann: Browser, hooks: Hooks, span: tuple[str, str]) -> None:
    endpoint = hooks.add()
    answer = ann.post(f"~/webhooks/{endpoint.id}/replays", {"since": span[0], "until": span[1]})
    assert (answer.status_code == 422 and 'id="since-problem"' in answer.text) or 'id="until-problem"' in answer.text


def test_it_is_disabled_and_enabled(ann: Browser, hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    ann.post(f"~/webhooks/{endpoint.id}/disabling")
    hooks.happens()
    hooks.send()
    assert receiver.got == [] and "Disabled by a team member" in ann.get(f"~/webhooks/{endpoint.id}").text
    ann.post(f"~/webhooks/{endpoint.id}/enabling")
    hooks.happens()
    hooks.send()
    assert len(receiver.got) == 1


def test_a_new_secret_is_shown_with_how_long_the_old_one_signs(ann: Browser, hooks: Hooks) -> None:
    endpoint = hooks.add()
    page = ann.post(f"~/webhooks/{endpoint.id}/secret").text
    assert hooks.secret(endpoint) in page and "old secret" in page
    assert "Signs until" in ann.get(f"~/webhooks/{endpoint.id}").text


def test_old_secrets_are_stopped_on_the_page(ann: Browser, hooks: Hooks) -> None:
    endpoint = hooks.add()
    for _ in range(2):
        ann.post(f"~/webhooks/{endpoint.id}/secret")
    assert "2 sign until" in ann.get(f"~/webhooks/{endpoint.id}").text
    ann.post(f"~/webhooks/{endpoint.id}/old-secrets/removal")
    assert "sign until" not in ann.get(f"~/webhooks/{endpoint.id}").text


def test_a_deleted_webhook_is_gone_at_once_and_its_log_afterwards(
    ann: Browser, hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = hooks.add()
    hooks.happens()
    ann.post(f"~/webhooks/{endpoint.id}/removal")
    hooks.send()
    assert receiver.got == [] and ann.get(f"~/webhooks/{endpoint.id}").status_code == 404
    purge_endpoint(hooks.tenant.id, str(endpoint.id))
    with tenant_scope(hooks.tenant.id):
        assert db.session.scalars(select(WebhookEndpoint)).all() == []
    assert hooks.deliveries() == []


def test_agents_do_not_see_webhooks(ben: Browser, hooks: Hooks) -> None:
    endpoint = hooks.add()
    for path in ("/", "/new", f"/{endpoint.id}", "/events"):
        assert ben.get(f"~/webhooks{path}").status_code == 403


def test_every_kind_of_happening_is_an_event_or_stays_inside_for_a_reason() -> None:
    assert KINDS.keys() - TITLES.keys() == INTERNAL.keys() and all(INTERNAL.values())
    assert event_types().keys() == TITLES.keys()


@pytest.mark.parametrize("name", TITLES)
def test_each_type_has_a_schema_that_its_sample_follows(app: Flask, name: str) -> None:
    sample, schema = sample_of(name), schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(sample, schema, format_checker=jsonschema.FormatChecker())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(sample | {"surprise": 1}, schema)


def test_the_catalogue_is_there_to_read_and_for_programs(ann: Browser, hooks: Hooks) -> None:
    assert "message.received" in ann.get("~/webhooks/events").text
    assert "Example" in ann.get("~/webhooks/events/message.received").text
    assert ann.get("~/webhooks/events/nothing.happened").status_code == 404
    catalogue = ann.get("~/webhooks/events.json").get_json(force=True)
    assert {one["type"] for one in catalogue} == event_types().keys()
