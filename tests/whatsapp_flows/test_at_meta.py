"""A form's life at Meta, through the simulator: saved, published, deprecated, found; and its health."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.meta.events import OtherChange
from app.tenancy import Actor, db, now, tenant_scope
from app.whatsapp_flows.endpoint_address import endpoint_of
from app.whatsapp_flows.jobs import fetch, recover_errands, run
from app.whatsapp_flows.keys import FlowKey
from app.whatsapp_flows.models import FlowNotice, FlowVersion, WhatsappFlow
from app.whatsapp_flows.news import apply_flow_news
from app.whatsapp_flows.slots import FlowBooking, FlowSlot
from app.whatsapp_flows.views.sending import sendable_by
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.simulated import Road, Served

from .forms import SCREENS, begin, hear, part, responses, rows_of, screen


class Life:
    """One form of Bakery's, here and at Meta."""

    def __init__(self, road: Road, screens: Any = None) -> None:
        self.road, self.world = road, road.world
        self.tenant = road.world.bakery.id
        self.flow = begin(road.world, road.number, screens, published=False)

    @property
    def version(self) -> FlowVersion:
        with tenant_scope(self.tenant):
            flow = WhatsappFlow.get_or_404(self.flow.id)
            return flow.newest

    def do(self, task: str) -> FlowVersion:
        with tenant_scope(self.tenant):
            FlowVersion.get_or_404(self.version.id).begin_task(task)
        run(str(self.tenant), str(self.version.id))
        return self.version

    def send(self, conversation: Conversation) -> Message:
        with tenant_scope(self.tenant):
            version = FlowVersion.get_or_404(self.version.id)
            again = Conversation.get_or_404(conversation.id)
            sent = again.send(
                version.message("Please order", "Open"), by=Actor.agent(self.world.ann), client_id=uuid.uuid4()
            )
        self.road.deliver()
        return sent

    def phone(self, sent: Message) -> str:
        """The form on the customer's phone."""
        wamid = self.road.reload(sent).wamid
        opened = self.road.meta.client.post("/phone", data={"code": "1", "number": "6505551234"})
        return f"{opened.headers['Location']}/{self.road.number.meta_id}/flows/{wamid}/0"

    def fill(self, address: str, *screens: dict[str, str]) -> Any:
        page = self.road.meta.client.get(address)
        for typed in screens:
            match = re.search(r'name="state" value="([^"]*)"', page.text)
            assert match, page.text
            state = match[1].replace("&#34;", '"').replace("&amp;", "&")
            fields = {f"field-{name}": value for name, value in typed.items()}
            page = self.road.meta.client.post(address, data={"state": state} | fields)
        return page

    def wait_for_response(self) -> None:
        def has_come() -> bool:
            hear(self.world)
            return bool(responses(self.world))

        self.road.until(has_come)


@pytest.fixture
def life(road: Road) -> Life:
    return Life(road)


def test_a_form_is_saved_at_meta_as_a_draft_with_a_preview(life: Life) -> None:
    version = life.do("upload")
    assert (version.status, version.task, version.error) == ("DRAFT", "", None)
    assert version.meta_id and version.preview_url.startswith("http")


def test_a_form_is_published(life: Life) -> None:
    version = life.do("publish")
    assert version.status == "PUBLISHED" and version.published_at
    with tenant_scope(life.tenant):
        assert [one.id for one in sendable_by(life.road.number)] == [version.id]


def test_a_form_goes_to_the_customer_and_comes_back(life: Life) -> None:
    conversation = life.road.customer_writes()
    life.do("publish")
    sent = life.send(conversation)
    life.fill(life.phone(sent), {"full_name": "Carla", "guests": "2"}, {"bread": "1", "news": "1"})
    life.wait_for_response()
    (response,) = responses(life.world)
    assert rows_of(response) == [("Full name", "Carla"), ("Guests", "2"), ("Bread", "Wheat"), ("News please", "✓")]
    assert response.sent_message_id == sent.id and response.token.startswith("f1.")


@pytest.mark.parametrize("knob", ["flow_without_token", "flow_twice", "duplicates"])
def test_a_bad_line_changes_nothing(life: Life, knob: str) -> None:
    life.road.meta.post("knobs", **{knob: 1})
    conversation = life.road.customer_writes()
    life.do("publish")
    sent = life.send(conversation)
    life.fill(life.phone(sent), {"full_name": "Carla"}, {"bread": "1"})
    life.wait_for_response()
    (response,) = responses(life.world)
    assert response.sent_message_id == sent.id and response.token.startswith("f1.")


def test_the_token_that_goes_out_is_signed_for_this_message(life: Life) -> None:
    conversation = life.road.customer_writes()
    life.do("publish")
    sent = life.send(conversation)
    (accepted,) = [one for one in life.road.meta.accepted() if one["type"] == "interactive"]
    token = json.loads(accepted["body"])["action"]["parameters"]["flow_token"]
    assert sent.id.hex in token and conversation.contact_id.hex in token
    assert "flow_token" not in str(sent.content)


def test_a_new_text_of_a_published_form_is_another_version(life: Life) -> None:
    first = life.do("publish")
    with tenant_scope(life.tenant):
        WhatsappFlow.get_or_404(life.flow.id).edit([screen(part("short", "City", "city"))], by=Actor.system("test"))
    second = life.do("publish")
    assert (first.number, second.number) == (1, 2) and second.meta_id != first.meta_id
    with tenant_scope(life.tenant):
        assert FlowVersion.get_or_404(first.id).screens == SCREENS
        assert [one.number for one in sendable_by(life.road.number)] == [2]


def test_a_deprecated_form_is_not_offered(life: Life) -> None:
    life.do("publish")
    assert life.do("deprecate").status == "DEPRECATED"
    with tenant_scope(life.tenant):
        assert sendable_by(life.road.number) == []


def test_a_draft_is_deleted_at_meta(life: Life) -> None:
    life.do("upload")
    assert life.do("delete").status == "DELETED"


def test_what_meta_finds_wrong_is_shown_at_its_part(life: Life, ann: Browser) -> None:
    with tenant_scope(life.tenant):
        version = FlowVersion.get_or_404(life.version.id)
        # Ours takes it; Meta's page of this day does not.
        version.flow_json = version.flow_json | {"version": "7.3", "screens": version.flow_json["screens"]}
        bad = {"type": "TextInput", "name": "full_name", "label": "x" * 21, "required": True}
        form = version.flow_json["screens"][0]["layout"]["children"][0]["children"]
        form[0] = bad
        version.flow_json = dict(version.flow_json)
        db.session.execute(db.update(FlowVersion).values(flow_json=version.flow_json))
    version = life.do("publish")
    assert version.status == "DRAFT" and version.problems[0]["pointer"]
    page = ann.get(f"/t/bakery/whatsapp-flows/{life.flow.id}").get_data(as_text=True)
    assert 'aria-describedby="screens-0-parts-0-label-problem-1"' in page
    assert "label can have 20 characters." in page


def test_a_publication_that_was_cut_off_goes_on(life: Life, enqueued: Enqueued) -> None:
    """The draft was made at Meta, and its id was lost."""
    life.do("upload")
    with tenant_scope(life.tenant):
        version = FlowVersion.get_or_404(life.version.id)
        lost, version.meta_id, version.status = version.meta_id, "", "LOCAL"
        version.task, version.task_attempts = "publish", 1
        version.task_at = now() - dt.timedelta(seconds=1)
    recover_errands()
    assert "flows.run" in enqueued.names
    run(str(life.tenant), str(life.version.id))
    assert (life.version.meta_id, life.version.status) == (lost, "PUBLISHED")


def test_two_jobs_at_once_publish_once(life: Life) -> None:
    with tenant_scope(life.tenant):
        version = FlowVersion.get_or_404(life.version.id)
        version.begin_task("publish")
        version.task_attempts, version.task_at = 1, now() + dt.timedelta(seconds=60)
    run(str(life.tenant), str(life.version.id))
    assert life.version.status == "LOCAL"


def test_a_passing_failure_is_tried_again_and_says_so(life: Life) -> None:
    life.road.meta.post("faults", edge="flows", kind="error", code=2, times=1)
    version = life.do("publish")
    assert version.task == "publish" and version.error and version.task_at and version.task_at > now()


def test_a_refusal_ends_the_task_with_metas_words(life: Life, ann: Browser) -> None:
    """The account has a form of this name, which was made elsewhere."""
    made = {"name": "Order", "categories": ["OTHER"]}
    outside().graph.post(f"{life.road.ids['waba_id']}/flows", token=life.road.ids["token"], json=made)
    version = life.do("publish")
    assert (version.task, version.status) == ("", "LOCAL") and version.error
    page = ann.get(f"/t/bakery/whatsapp-flows/{life.flow.id}").get_data(as_text=True)
    assert "Flow name is not unique" in page


def test_forms_made_elsewhere_are_listed_with_their_fields(life: Life) -> None:
    graph, token, waba = outside().graph, life.road.ids["token"], life.road.ids["waba_id"]
    form = '{"version":"7.3","screens":[{"id":"A","title":"T","terminal":true,"layout":{"type":"SingleColumnLayout",'
    form += '"children":[{"type":"TextInput","name":"city","label":"City"},{"type":"Footer","label":"Go",'
    form += '"on-click-action":{"name":"complete","payload":{"town":"${form.city}"}}}]}}]}'
    made = {"name": "Elsewhere", "categories": ["OTHER"], "flow_json": form, "publish": True}
    meta_id = graph.post(f"{waba}/flows", token=token, json=made)["id"]
    for _ in range(2):
        fetch(str(life.tenant), str(life.road.number.waba_id))
    with tenant_scope(life.tenant):
        results = [one for one in db.session.query(WhatsappFlow) if one.source == "meta"]
        assert [(one.name, one.newest.meta_id, one.newest.status) for one in results] == [
            ("Elsewhere", meta_id, "PUBLISHED")
        ]
        assert [(one.name, one.label) for one in results[0].newest.questions] == [("town", "City")]


def test_a_form_that_is_gone_at_meta_is_no_longer_offered(life: Life) -> None:
    version = life.do("upload")
    outside().graph.delete(version.meta_id, token=life.road.ids["token"])
    fetch(str(life.tenant), str(life.road.number.waba_id))
    assert life.version.status == "DELETED"


def test_status_webhooks_change_the_status_and_health_is_shown_in_words(life: Life, ann: Browser) -> None:
    version = life.do("publish")
    waba = life.road.ids["waba_id"]
    value = {"event": "CLIENT_ERROR_RATE", "flow_id": version.meta_id, "error_rate": 14.3, "alert_state": "ACTIVATED"}
    value["errors"] = [{"error_type": "INVALID_SCREEN_TRANSITION", "error_count": 3}]
    blocked = {"event": "FLOW_STATUS_CHANGE", "flow_id": version.meta_id, "new_status": "BLOCKED"}
    for one in (value, blocked):
        life.road.meta.post("webhooks", field="flows", value=one, waba_id=waba)
    life.road.until(lambda: life.version.status == "BLOCKED")
    page = ann.get(f"/t/bakery/whatsapp-flows/{life.flow.id}").get_data(as_text=True)
    assert "14.3% of the times it was opened on phones ended in an error." in page
    assert "INVALID_SCREEN_TRANSITION" in page and "Blocked by Meta" in page


def test_an_old_status_does_not_undo_a_newer_one(life: Life) -> None:
    version = life.do("publish")

    def changed(status: str, at: dt.datetime) -> OtherChange:
        value = {"event": "FLOW_STATUS_CHANGE", "flow_id": version.meta_id, "new_status": status}
        return OtherChange("flows", life.road.ids["waba_id"], None, at, value)

    with tenant_scope(life.tenant):
        later = now() + dt.timedelta(minutes=1)
        apply_flow_news([changed("THROTTLED", later)])
        apply_flow_news([changed("PUBLISHED", now() - dt.timedelta(minutes=5)), changed("THROTTLED", later)])
        notices = db.session.query(FlowNotice).filter_by(event="FLOW_STATUS_CHANGE", at=later).count()
    assert life.version.status == "THROTTLED" and notices == 1


SLOTS = [
    screen(part("slot", "Time", "time", required=True)),
    screen(part("short", "Full name", "full_name", required=True)),
]


@pytest.fixture
def booking(road: Road) -> Iterator[Life]:
    """A form with appointment times, published, whose data endpoint is this app."""
    life = Life(road, SLOTS)
    with tenant_scope(life.tenant):
        week = {"starts_minute": 540, "ends_minute": 720, "minutes": 60, "capacity": 1}
        db.session.add_all(FlowSlot(weekday=weekday, **week) for weekday in range(7))
    version = life.do("publish")
    path = endpoint_of(version).partition("/whatsapp-flows/")[2]
    with Served(road.app) as product:
        address = {"endpoint_uri": f"{product.url}/whatsapp-flows/{path}"}
        outside().graph.post(version.meta_id, token=road.ids["token"], json=address)
        yield life


def test_a_form_with_a_data_endpoint_is_published_with_a_key_for_each_number(booking: Life) -> None:
    assert (booking.version.status, booking.version.error) == ("PUBLISHED", None)
    with tenant_scope(booking.tenant):
        key = db.session.query(FlowKey).one()
    assert key.id == booking.road.number.id and key.registered_at
    path = f"{booking.road.number.meta_id}/whatsapp_business_encryption"
    shown = outside().graph.get(path, token=booking.road.ids["token"])
    assert shown["data"][0]["business_public_key"] == key.public_key


def test_the_phone_books_a_free_time_through_the_data_endpoint(booking: Life) -> None:
    sent = booking.send(booking.road.customer_writes())
    address = booking.phone(sent)
    first = booking.road.meta.client.get(address)
    chosen = re.findall(r'<option value="(\d{8}T\d{4}Z)"', first.text)[0]
    booking.fill(address, {"time": chosen}, {"full_name": "Carla"})
    booking.wait_for_response()
    (response,) = responses(booking.world)
    assert dict(rows_of(response))["Full name"] == "Carla" and response.sent_message_id == sent.id
    with tenant_scope(booking.tenant):
        assert db.session.query(FlowBooking).one().contact_id == response.contact_id
    again = booking.road.meta.client.get(address)
    assert chosen not in again.text


def test_a_phone_that_gives_up_loses_nothing(booking: Life) -> None:
    sent = booking.send(booking.road.customer_writes())
    address = booking.phone(sent)
    booking.road.meta.post("knobs", flow_impatience=1)
    assert "Something went wrong" in booking.road.meta.client.get(address).text
    booking.road.meta.post("knobs", flow_impatience=0)
    assert re.findall(r'<option value="(\d{8}T\d{4}Z)"', booking.road.meta.client.get(address).text)
