"""Every route × method × caller: another tenant's ids are indistinguishable from ids that do not exist.

Run with both walls, with the models' wall down (row security must hold), and as a role that passes row security (the
models' wall must hold).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.routing import Rule

from app.api import ApiKey
from app.appointments.models import Appointment
from app.assistant.actions import AssistantAction
from app.assistant.assistant import Assistant, Setup
from app.assistant.golden import GoldenCase, GoldenRun
from app.assistant.knowledge import KnowledgeSource
from app.assistant.proposals import KnowledgeProposal
from app.assistant.turns import AssistantTurn
from app.assistant.unanswered import UnansweredQuestion
from app.automation.definitions import Definition
from app.automation.models import Automation, AutomationRun
from app.billing.invoices import Invoice, InvoiceLine
from app.billing.posting import post_usages
from app.billing.top_ups import TopUp
from app.billing.usage import Usage
from app.config import Settings
from app.contacts.consents import Consent
from app.contacts.fields import ContactField
from app.contacts.imports import ContactImport
from app.contacts.models import Contact
from app.contacts.records import ContactLink, ContactNote
from app.contacts.suggestions import MergeSuggestion
from app.contacts.taggings import ContactTagging
from app.contacts.tags import Tag
from app.crm.adapters import Account
from app.crm.models import CrmConnection
from app.entry_points.models import EntryPoint
from app.hooks.endpoints import WebhookEndpoint
from app.inbox.compose.canned_files import CannedFile
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.macros import Macro
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.bulk_changes import BulkChange
from app.inbox.desk.saved_views import SavedView
from app.inbox.files.link_previews import LinkPreview
from app.inbox.files.media import Media
from app.listings.alerts import ListingAlert
from app.listings.criteria import Criteria
from app.listings.imports import ListingImport
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.message_templates.versions import Content, TemplateVersion
from app.notifications.models import Notification
from app.onboarding.models import Onboarding
from app.onboarding.setup_links import SetupLink
from app.payments.models import Given as PaymentGiven
from app.payments.models import Payment
from app.people.merges import ContactMerge
from app.push.models import PushSubscription
from app.push.web_push import Target
from app.records.models import Record, Values
from app.subscriptions.models import Given as SubscriptionGiven
from app.subscriptions.models import Subscription
from app.team.models import Invitation, Team, UserSession
from app.tenancy import Actor, Membership, Role, db, global_scope, now, tenant_scope
from app.tenancy.database import ScopedSession
from app.tenancy.permissions import PERMISSIONS
from app.tenancy.transactions import stay_inside, write_inside
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.models import WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse
from app.whatsapp_flows.slots import FlowBooking, FlowSlot
from tests.apps import running
from tests.census import Census
from tests.client import Browser, isolated
from tests.world import World, conversation

CANARY = "CANARY-OF-SHOES"
# Routes whose last part is a word, not an id.
WORDS = {
    "name": "webhooks_subscribed",
    "kind": "location",
    "answer": "pin",
    "code": "ABCDEFGHIJ2345",
    "person": "16505551234",
    "what": "reply",
    "drawn": "png",
    "part": "notes",
    "sample": "delivery",
    "type": "message.received",
    "task": "publish",
    "purpose": "payments.confirmation",
    "provider": "hubspot",
    "wanted": "a-request-that-was-never-signed",
}
VERBS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@dataclass
class Foreign:
    """Shoes' real ids, by the names that routes give them."""

    ids: dict[str, str]

    @classmethod
    def create(cls, world: World) -> Foreign:
        _, shoes = world.connect_numbers()
        talk = conversation(shoes, wa_id="4479999", name=CANARY)
        with tenant_scope(world.shoes.id):
            incoming = Message(conversation_id=talk.id, phone_number_id=shoes.id, direction="inbound", state="received")
            incoming.body, incoming.wamid = CANARY, "wamid.shoes"
            started = Onboarding(started_by_id=world.sue.id)
            offer = Invitation(email="canary@example.com", role="agent", invited_by_id=world.sue.id)
            link = SetupLink(created_by_id=world.sue.id, expires_at=now().replace(year=2099))
            offer.expires_at = now().replace(year=2099)
            db.session.add_all([incoming, started, offer])
            db.session.flush()
            form = MessageTemplate(waba_id=shoes.waba_id, meta_id="1", name=CANARY, language="en", category="UTILITY")
            form.status, form.parameter_format, form.components = "APPROVED", "POSITIONAL", []
            db.session.add(form)
            db.session.flush()
            version = TemplateVersion.begin(form.id, Content("UTILITY", True, []), by=None)
            sample = TemplateSample(format="IMAGE", name=CANARY, mime="image/png", size=1, sha256=CANARY)
            sample.storage_key = f"{world.shoes.id}/{'0' * 32}"
            db.session.add(sample)
            link.onboarding_id = started.id
            db.session.add(link)
            file = Media(message_id=incoming.id, kind="document", filename=CANARY, state="failed", meta_id="1")
            db.session.add(file)
            db.session.flush()
            usage = Usage(phone_number_id=shoes.id, wamid=incoming.wamid, category="utility", market=CANARY, unknown="")
            usage.arrived_at, usage.currency, usage.micros = now(), "USD", 55_000
            db.session.add(usage)
            db.session.flush()
            post_usages()
            bill = Invoice(number=CANARY, kind="invoice", month=now().date(), until=now().date(), to_position=1)
            bill.before_until, bill.before_position, bill.currency, bill.issued_at = now().date(), 0, "USD", now()
            bill.net_micros = bill.tax_rate = bill.tax_micros = 0
            bill.tax_note, bill.seller, bill.buyer = "", {}, {"name": CANARY}
            db.session.add(bill)
            db.session.flush()
            billed = InvoiceLine(invoice_id=bill.id, position=1, kind="messages", note=CANARY, micros=0)
            billed.phone_number_id, billed.category = shoes.id, "utility"
            db.session.add(billed)
            db.session.flush()
            paid = TopUp.begin("checkout", 1_000_000, "USD", by_id=None, by_name=CANARY)
            desk = [
                Team(name=CANARY),
                CannedReply(shortcut="canary", body=CANARY),
                Macro(name=CANARY, note=CANARY),
                SavedView(name=CANARY, owner_id=world.sue.id, is_shared=True, arguments={}),
                BulkChange(by_id=world.sue.id, field="state", rows=[]),
            ]
            db.session.add_all(desk)
            db.session.flush()
            picture = CannedFile(canned_reply_id=desk[1].id, kind="image", filename=CANARY, content_type="image/png")
            picture.size, picture.sha256, picture.storage_key = 1, "", f"{world.shoes.id}/{'0' * 32}"
            db.session.add(picture)
            db.session.flush()
            membership = db.session.query(Membership).filter_by(user_id=world.sue.id).one()
        with global_scope():
            UserSession.begin(world.sue, user_agent="sue", ip="127.0.0.1")
            session = db.session.query(UserSession).filter_by(user_id=world.sue.id).first()
        assert session
        with tenant_scope(world.shoes.id):
            target = Target("https://push.example/sue", "", "")
            preview = LinkPreview(url_hash=CANARY, url=CANARY, state="shown", title=CANARY)
            preview.image_key = f"{world.shoes.id}/{'0' * 32}"
            db.session.add(preview)
            key, _secret = ApiKey.create(CANARY, "live", ["messages:read"], by=Actor.agent(world.sue))
            db.session.flush()
            browser = PushSubscription.save(membership, target, session_id=session.id, device=CANARY)
        return cls(
            {
                "conversation_id": str(talk.id),
                "message_id": str(incoming.id),
                "link_preview_id": str(preview.id),
                "media_id": str(file.id),
                "canned_file_id": str(picture.id),
                "template_id": str(form.id),
                "version_id": str(version.id),
                "waba_id": str(shoes.waba_id),
                "sample_id": str(sample.id),
                "onboarding_id": str(started.id),
                "membership_id": str(membership.id),
                "invitation_id": str(offer.id),
                "session_id": str(session.id),
                "browser_id": str(browser.id),
                "phone_number_id": str(shoes.id),
                "contact_id": str(talk.contact_id),
                "invoice_id": str(bill.id),
                "top_up_id": str(paid.id),
                "invoice_line_id": str(billed.id),
                "setup_link_id": str(link.id),
            }
            | webhook(world)
            | automation(world, talk)
            | assistant(world, talk.id)
            | belongings(world, talk.contact_id)
            | {"api_key_id": str(key.id)}
            | reported(world, shoes, talk.contact_id)
            | entry_point(world, shoes)
            | offered(world, talk)
            | filled_form(world, shoes.waba_id, incoming)
            | record(world, talk.contact_id)
            | dict(
                zip(
                    ("team_id", "canned_reply_id", "macro_id", "saved_view_id", "bulk_change_id"),
                    (str(it.id) for it in desk),
                    strict=True,
                )
            )
        )


def entry_point(world: World, number: PhoneNumber) -> dict[str, str]:
    """A link of Shoes."""
    with tenant_scope(world.shoes.id):
        made = EntryPoint.create(CANARY, number, kind="link", texts=[{"language": "en", "text": CANARY}])
    return {"entry_point_id": str(made.id)}


def automation(world: World, talk: Conversation) -> dict[str, str]:
    """An automation of Shoes with one run."""
    definition = Definition.read({"trigger": {"kind": "message"}, "steps": [{"kind": "reply", "text": CANARY}]})
    with tenant_scope(world.shoes.id):
        made = Automation.create(CANARY, definition)
        version = made.publish(by=Actor.agent(world.sue))
        run = AutomationRun.begin(
            made, version, conversation_id=talk.id, contact_id=talk.contact_id, key="canary", message_id=None
        )
        assert run
        run.finish("done")
        run.record(definition.steps[0], "sent", words=CANARY)
    return {"automation_id": str(made.id), "run_id": str(run.id), "step_id": str(definition.steps[0].id)}


def webhook(world: World) -> dict[str, str]:
    """A webhook of Shoes with one delivery."""
    with tenant_scope(world.shoes.id):
        by = Actor.agent(world.sue)
        endpoint = WebhookEndpoint.create("https://canary.example/hook", by=by, description=CANARY)
        delivery = endpoint.send_test(by=by)
        db.session.flush()
    return {"endpoint_id": str(endpoint.id), "webhook_id": str(endpoint.id), "delivery_id": str(delivery.id)}


def assistant(world: World, conversation_id: uuid.UUID) -> dict[str, str]:
    """What the assistant of Shoes has and did."""
    with tenant_scope(world.shoes.id):
        by = Actor.agent(world.sue)
        version = Assistant.get_or_make().save(Setup(name=CANARY), by=by)
        source = KnowledgeSource.add("question", CANARY, body=CANARY, by=by)
        turn = AssistantTurn.begin("live", mode="suggests", version_id=version.id, conversation_id=conversation_id)
        turn.question = turn.reply = CANARY
        turn.finish("suggested")
        case = GoldenCase.add(CANARY, [{"from": "customer", "text": CANARY}], "answer", [], [])
        run, action = GoldenRun.begin(version), AssistantAction.add("canary", CANARY, "https://canary.example/", [])
        UnansweredQuestion.count_one(CANARY, "en", conversation_id)
        question = db.session.query(UnansweredQuestion).one()
        KnowledgeProposal.propose(CANARY, CANARY, conversation_id)
        proposal = db.session.query(KnowledgeProposal).one()
    return {
        "assistant_version_id": str(version.id),
        "source_id": str(source.id),
        "turn_id": str(turn.id),
        "golden_case_id": str(case.id),
        "golden_run_id": str(run.id),
        "action_id": str(action.id),
        "unanswered_id": str(question.id),
        "proposal_id": str(proposal.id),
    }


def offered(world: World, talk: Conversation) -> dict[str, str]:
    """A listing of Shoes with an inquiry, a saved search, an alert and an import."""
    by = Actor.agent(world.sue)
    with tenant_scope(world.shoes.id):
        listing, _ = Listing.put(CANARY, {"title": CANARY, "city": CANARY}, source="hand", by=by)
        db.session.flush()
        contact = Contact.get_or_404(talk.contact_id)
        inquiry, _ = Inquiry.receive(listing, contact, source="agent", by=by, words=CANARY)
        Consent.record(talk.contact_id, "marketing", is_granted=True, source="paper", by=by, evidence=CANARY)
        search = SavedSearch.begin(contact, Criteria(words=CANARY), source="agent", by=by, name=CANARY)
        table = ListingImport(id=uuid.uuid4(), filename=CANARY, source="upload", by_kind="agent", state="done")
        alert = ListingAlert(contact_id=talk.contact_id, day="2026-11-29", listing_count=1, state="sent")
        alert.search_ids, alert.listing_ids = [str(search.id)], [str(listing.id)]
        db.session.add_all([table, alert])
        db.session.flush()
    made = {"listing": listing, "inquiry": inquiry, "saved_search": search, "listing_import": table}
    return {f"{name}_id": str(row.id) for name, row in made.items()}


def filled_form(world: World, waba_id: uuid.UUID, incoming: Message) -> dict[str, str]:
    """A form of Shoes, what a customer sent back in it, and an appointment."""
    with tenant_scope(world.shoes.id):
        part = {"kind": "short", "label": CANARY, "name": "a", "hint": "", "required": False, "options": []}
        screens = [{"title": CANARY, "button": "Send", "parts": [part]}]
        flow = WhatsappFlow.begin(waba_id, CANARY, ["OTHER"], screens, by=Actor.agent(world.sue))
        contact_id = db.session.get_one(Conversation, (world.shoes.id, incoming.conversation_id)).contact_id
        response = FlowResponse(contact_id=contact_id, conversation_id=incoming.conversation_id, message_id=incoming.id)
        response.flow_id, response.answers, response.rows = flow.id, {"a": CANARY}, [{"label": "a", "value": CANARY}]
        slot = FlowSlot(weekday=1, starts_minute=0, ends_minute=60, minutes=60, capacity=1)
        booking = FlowBooking(starts_at=now(), seat=1, minutes=60, contact_id=contact_id, token=CANARY)
        db.session.add_all([response, slot, booking])
        db.session.flush()
        version_id = flow.newest.id
        appointment = Appointment.book(
            db.session.get_one(Contact, (world.shoes.id, contact_id)),
            now() + dt.timedelta(days=1),
            by=Actor.agent(world.sue),
            title=CANARY,
            place=CANARY,
            notes=CANARY,
            external_id=CANARY,
            source="agent",
            time_zone="UTC",
            minutes=60,
        )
    made = {"flow_id": flow.id, "flow_version_id": version_id, "slot_id": slot.id, "appointment_id": appointment.id}
    return {name: str(id) for name, id in made.items()} | {"response_id": str(response.id)}


def reported(world: World, number: PhoneNumber, contact_id: uuid.UUID) -> dict[str, str]:
    """What another system reported to Shoes, and a notification."""
    with tenant_scope(world.shoes.id):
        by = Actor.agent(world.sue)
        notification = Notification(name="canary", title=CANARY, template=CANARY, language="en", mapping=[])
        notification.phone_number_id, notification.api_key_ids = number.id, []
        notification.save(by=by)
        paid = PaymentGiven(contact_id, 1_000_000, "EUR", CANARY, CANARY, now(), "received")
        payment, _is_new = Payment.claim(CANARY, paid)
        last = SubscriptionGiven(contact_id, CANARY, now().date(), now(), "UTC", False, None, "", "active")
        subscription, _is_new = Subscription.claim(CANARY, last)
    made = {"notification_id": notification.id, "payment_id": payment.id, "subscription_id": subscription.id}
    return {name: str(id) for name, id in made.items()}


def record(world: World, contact_id: uuid.UUID) -> dict[str, str]:
    """A record of Shoes with its link, and a connection to a CRM."""
    by = Actor.agent(world.sue)
    with tenant_scope(world.shoes.id):
        made, _is_new = Record.upsert("canary", "deal", CANARY, Values(CANARY, stage=CANARY, owner_name=CANARY), by=by)
        link = made.link(contact_id, by=by)
        CrmConnection.save("hubspot", CANARY, Account("1", CANARY, "https://canary.example/", "EUR"), by=by)
        assert link
    return {"record_id": str(made.id), "record_link_id": str(link.id)}


def belongings(world: World, contact_id: uuid.UUID) -> dict[str, str]:
    """What a contact of Shoes has, and what it may be merged with."""
    with tenant_scope(world.shoes.id):
        other = Contact(id=uuid.uuid4(), name=CANARY)
        tag, field = Tag(id=uuid.uuid4(), name=CANARY), ContactField(id=uuid.uuid4(), name=CANARY, kind="text")
        db.session.add_all([other, tag, field])
        db.session.flush()
        note = ContactNote(id=uuid.uuid4(), contact_id=contact_id, body=CANARY)
        link = ContactLink(id=uuid.uuid4(), contact_id=contact_id, kind="order", title=CANARY, url="https://x.example")
        pair = {"contact_id": contact_id, "other_id": other.id}
        suggestion = MergeSuggestion(id=uuid.uuid4(), reason="name", detail=CANARY, **pair)
        merge = ContactMerge(id=uuid.uuid4(), by_id=world.sue.id, undone_at=now(), **pair)
        table = ContactImport(id=uuid.uuid4(), filename=CANARY, data=b"phone\n1", created_by_id=world.sue.id)
        tagging = ContactTagging(id=uuid.uuid4(), tag_id=tag.id, is_added=True, by_id=world.sue.id)
        db.session.add_all([note, link, suggestion, merge, table, tagging])
    made = {"tag": tag, "field": field, "note": note, "link": link, "suggestion": suggestion, "merge": merge}
    return {f"{name}_id": str(row.id) for name, row in (made | {"import": table, "tagging": tagging}).items()}


@pytest.fixture(scope="session")
def bypassing_app(settings: Settings, superuser_url: str) -> Iterator[Flask]:
    """The app as a role that row security does not bind."""
    with running(settings.model_copy(update={"database_url": superuser_url})) as app:
        yield app


@pytest.fixture(params=["both walls", "row security alone", "models alone"])
def walled(request: pytest.FixtureRequest, app: Flask, bypassing_app: Flask, census: Census) -> Iterator[Flask]:
    if request.param == "models alone":
        with bypassing_app.app_context():
            yield bypassing_app
    elif request.param == "row security alone":
        event.remove(ScopedSession, "do_orm_execute", stay_inside)
        event.remove(ScopedSession, "before_flush", write_inside)
        yield app
        event.listen(ScopedSession, "do_orm_execute", stay_inside)
        event.listen(ScopedSession, "before_flush", write_inside)
        # Without their wall the models' statements name no tenant, which a cluster would mind.
        census.take()
    else:
        yield app


def tenant_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if "tenant_slug" in rule.arguments]


def requests(app: Flask, ids: dict[str, str]) -> Iterator[tuple[str, str, bool]]:
    """(method, address, whether the address holds a foreign id) of every route."""
    adapter = app.url_map.bind("localhost")
    for rule in tenant_rules(app):
        names = rule.arguments - {"tenant_slug"}
        values = {name: WORDS[name] if name in WORDS else ids[name] for name in names}
        address = adapter.build(rule.endpoint, {"tenant_slug": "bakery"} | values, force_external=False)
        for method in sorted((rule.methods or set()) & VERBS):
            yield method, address, bool(names - WORDS.keys())


def ask(browser: Browser, method: str, address: str) -> tuple[int, str]:
    headers = {"X-CSRFToken": isolated(browser.csrf_token)} if method != "GET" else {}
    answer = isolated(browser.client.open, address, method=method, headers=headers, buffered=False)
    body = "" if answer.is_streamed else answer.get_data(as_text=True)
    answer.close()
    return answer.status_code, body


def plain(body: str, *ids: str) -> str:
    """A page without what differs by chance: ids asked for, tokens, times."""
    for id in ids:
        body = body.replace(id, "ID")
    return re.sub(r'(csrf_token" value="|X-CSRFToken": ")[^"]+', "TOKEN", re.sub(r"\d\d:\d\d|[0-9a-f]{8}", "", body))


def shoes_rows(superuser_url: str, world: World) -> str:
    """A fingerprint of everything Shoes has."""
    digest = hashlib.sha256()
    with psycopg.connect(superuser_url) as connection:
        query = """
            select table_name from information_schema.columns
            where column_name = 'tenant_id' and table_schema = 'public' order by 1"""
        for (table,) in connection.execute(query).fetchall():
            rows = f'select md5(string_agg(t::text, $$|$$ order by t::text)) from "{table}" t where tenant_id = %s'
            digest.update(str(connection.execute(rows, (world.shoes.id,)).fetchone()).encode())
    return digest.hexdigest()


def test_an_owner_may_all_that_others_may() -> None:
    assert [name for name, roles in PERMISSIONS.items() if Role.OWNER not in roles] == []


def test_another_tenants_ids_are_like_ids_that_do_not_exist(
    walled: Flask, world: World, superuser_url: str, request: pytest.FixtureRequest
) -> None:
    has_both_walls = request.node.callspec.params["walled"] == "both walls"
    real = Foreign.create(world).ids
    random = {name: str(uuid.uuid4()) for name in real}
    before = shoes_rows(superuser_url, world)
    # An owner may all that an agent may, so one wall alone is tried with the owner.
    for who in (world.ann, world.ben) if has_both_walls else (world.ann,):
        browser = Browser(walled, tenant="bakery").signed_in_as(who).confirmed()
        theirs, nobodys = requests(walled, real), requests(walled, random)
        for (method, address, is_foreign), (_, unknown, _) in zip(theirs, nobodys, strict=True):
            if address.endswith("/live"):
                continue
            status, body = ask(browser, method, address)
            assert CANARY not in body, address
            if is_foreign:
                assert status in (403, 404), (method, address, status)
                other_status, other_body = ask(browser, method, unknown)
                assert status == other_status, (method, address)
                assert plain(body, *real.values()) == plain(other_body, *random.values()), (method, address)
    assert shoes_rows(superuser_url, world) == before


def test_a_stranger_reads_that_there_is_nothing(walled: Flask, world: World) -> None:
    real = Foreign.create(world).ids
    sue = Browser(walled, tenant="bakery").signed_in_as(world.sue).confirmed()
    for method, address, _ in requests(walled, real):
        assert ask(sue, method, address)[0] == 404, (method, address)


@pytest.mark.parametrize("who", ["anonymous", "platform admin"])
def test_no_one_else_gets_past_the_sign_in(app: Flask, world: World, who: str) -> None:
    browser = Browser(app, tenant="bakery")
    if who == "platform admin":
        browser.signed_in_as(world.pat)
    for method, address, _ in requests(app, Foreign.create(world).ids):
        status, body = ask(browser, method, address)
        assert status == 303, (method, address, status)
        assert CANARY not in body


def test_every_view_says_who_may_open_it(app: Flask) -> None:
    unmarked = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not getattr(app.view_functions[rule.endpoint], "access", "")
    ]
    assert unmarked == []


def test_the_console_is_for_platform_admins(app: Flask, world: World) -> None:
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions[rule.endpoint]
        if rule.rule.startswith("/platform") and view.access != "public":
            assert view.access == "platform"
    ann = Browser(app).signed_in_as(world.ann)
    assert ann.client.get("/platform/").status_code == 303


def test_a_slug_of_others_costs_as_much_as_an_unused_one(app: Flask, world: World) -> None:
    """So the time of an answer does not say which businesses exist."""
    sue = Browser(app).signed_in_as(world.sue)
    sue.get("/t/bakery/inbox/")
    counts = [statements_of(app, sue, slug) for slug in ("bakery", "nowhere")]
    assert counts[0] == counts[1]


def statements_of(app: Flask, browser: Browser, slug: str) -> list[str]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    assert browser.get(f"/t/{slug}/inbox/").status_code == 404
    event.remove(db.engine, "before_cursor_execute", note)
    return seen
