"""What a message would cost, where it is chosen; and what a contact has cost, down to the messages."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid

import pytest
from sqlalchemy import select

from app.billing.usage import Usage
from app.contacts.models import Contact, ContactIdentity
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate, TemplateList
from app.people.costs import Costs
from app.people.erasure import erase
from app.people.merges import ContactMerge
from app.tenancy import Actor, db, now, tenant_scope
from tests import world as people
from tests.arrivals import arrive
from tests.client import FRAGMENT, Browser
from tests.posts import status
from tests.simulated import Road
from tests.world import World

DAY = dt.timedelta(days=1)
PRICE = {"billable": True, "pricing_model": "PMP", "type": "regular"}


@pytest.fixture
def talk(world: World) -> Conversation:
    """Carla, in Germany, wrote a moment ago."""
    number, _ = world.connect_numbers()
    return people.conversation(number, wa_id="4915112345678")


@pytest.fixture
def template(world: World, talk: Conversation) -> MessageTemplate:
    with tenant_scope(world.bakery.id):
        waba_id = Conversation.get_or_404(talk.id).phone_number.waba_id
        existing = TemplateList(waba_id=waba_id, fetched_at=now())
        made = MessageTemplate(waba_id=waba_id, meta_id="1", name="we_miss_you", language="en", category="MARKETING")
        made.status, made.parameter_format = "APPROVED", "POSITIONAL"
        made.components = [{"type": "BODY", "text": "Come back!"}]
        db.session.add_all([existing, made])
    return made


def charge(talk: Conversation, category: str, words: str = "Hello", to: str = "4915112345678") -> Message:
    """A message that went out and was charged."""
    with tenant_scope(talk.tenant_id):
        message = Message(conversation_id=talk.id, phone_number_id=talk.phone_number_id, direction="outbound")
        message.body, message.state, message.wamid = words, "accepted", f"wamid.{uuid.uuid4()}"
        db.session.add(message)
    price = PRICE | {"category": category}
    arrive(status(message.wamid, "delivered", recipient_id=to, pricing=price))
    return message


def sums(world: World, contact_id: uuid.UUID) -> list[str]:
    with tenant_scope(world.bakery.id):
        return [f"{money.micros} {money.currency}" for money in Costs(contact_id).sums]


def close_window(talk: Conversation) -> None:
    with tenant_scope(talk.tenant_id):
        Conversation.get_or_404(talk.id).last_inbound_at = now() - 2 * DAY


def test_each_template_shows_its_price(ben: Browser, talk: Conversation, template: MessageTemplate) -> None:
    close_window(talk)
    shown = "≈ US$0.1365 · Marketing · Germany"
    assert shown in ben.get(f"~/inbox/{talk.id}/templates").text
    assert shown in ben.get(f"~/inbox/{talk.id}/templates/{template.id}", headers=FRAGMENT).text


def test_a_hidden_number_has_no_price_and_says_why(
    world: World, ben: Browser, talk: Conversation, template: MessageTemplate
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(ContactIdentity).values(kind="bsuid", value="DE.1349"))
    page = ben.get(f"~/inbox/{talk.id}/templates").text
    assert "Price unknown: WhatsApp hides the customer&#39;s number" in page and "≈" not in page


def test_whoever_came_from_an_advertisement_gets_offers_for_free(road: Road, ben: Browser, world: World) -> None:
    talk = road.customer_writes()
    road.meta.post(
        "inbound", phone_number_id=road.number.meta_id, **{"from": "16505551234"}, text="Your ad?", referral=True
    )
    message = road.reply(talk, "Yes!")
    road.deliver()
    road.until(lambda: road.state_of(message) == "delivered")
    with tenant_scope(world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        facts = again.terms.price_of("MARKETING", now())
        assert facts.free == "entry_point" and facts.until == again.free_until
        assert again.free_until
        assert dt.timedelta(hours=71) < again.free_until - now() <= dt.timedelta(hours=72)
        assert db.session.scalars(select(Usage)).all() == []


def test_a_template_on_the_whole_road_is_charged_once(road: Road, ben: Browser, world: World) -> None:
    talk = road.customer_writes()
    waba = road.ids["waba_id"]
    parts = [{"type": "BODY", "text": "Come back!"}]
    road.meta.post("templates", waba_id=waba, name="we_miss_you", components=parts, category="MARKETING")
    with tenant_scope(world.bakery.id):
        made = MessageTemplate(waba_id=road.number.waba_id, meta_id="1", name="we_miss_you", language="en_US")
        made.category, made.status, made.parameter_format, made.components = "UTILITY", "APPROVED", "POSITIONAL", parts
        db.session.add(made)
    ben.post(f"~/inbox/{talk.id}/templates/{made.id}", {"client_id": str(uuid.uuid4())}, headers=FRAGMENT)
    with tenant_scope(world.bakery.id):
        message = db.session.scalars(select(Message).where(Message.direction == "outbound")).one()
        message.next_attempt_at = None
    road.deliver()
    road.until(lambda: road.state_of(message) == "delivered")
    road.meta.post("reads", phone_number_id=road.number.meta_id, **{"from": "16505551234"})
    road.until(lambda: road.state_of(message) == "read")
    with tenant_scope(world.bakery.id):
        usage = db.session.scalars(select(Usage)).one()
        assert (usage.category, usage.micros, usage.market) == ("marketing", 25_000, "North America")


def test_the_template_that_goes_out_instead_says_its_price(
    ben: Browser, talk: Conversation, template: MessageTemplate
) -> None:
    form = ben.get(f"~/inbox/{talk.id}/later").text
    assert "Send the template “We miss you” (≈ US$0.1365 · Marketing · Germany)" in form
    at = f"{now() + 2 * DAY:%Y-%m-%dT%H:%M}"
    ben.post(f"~/inbox/{talk.id}/later", {"body": "Hi", "at": at, "zone": "UTC", "instead": str(template.id)})
    shown = "≈ US$0.1365 · Marketing · Germany"
    assert shown in ben.get(f"~/inbox/{talk.id}").text and shown in ben.get("~/inbox/scheduled").text


def test_what_waits_for_the_customer_says_what_an_answer_costs(ben: Browser, talk: Conversation) -> None:
    close_window(talk)
    free = "Free for this number&#39;s first 1,000 replies of the month, then ≈ US$0.0550 · Reply · Germany"
    assert free in ben.get(f"~/inbox/{talk.id}/later?parks=1").text
    ben.post(f"~/inbox/{talk.id}/later", {"body": "Hi", "parks": "y"})
    assert free in ben.get(f"~/inbox/{talk.id}").text


def test_the_pane_adds_up_what_a_contact_has_cost(ben: Browser, talk: Conversation) -> None:
    for category in ("marketing", "marketing", "utility"):
        charge(talk, category)
    page = ben.get(f"~/contacts/{talk.contact_id}/costs", headers=FRAGMENT).text
    assert "US$0.33" in page and "US$0.27" in page and "US$0.06" in page
    assert "without mark-up" in page
    assert "Cost so far" in ben.get(f"~/inbox/{talk.id}/details").text


def test_a_contact_who_cost_nothing_says_so(ben: Browser, talk: Conversation) -> None:
    assert "No charges yet" in ben.get(f"~/contacts/{talk.contact_id}/costs").text


def test_what_has_no_price_is_counted_beside_the_sum(ben: Browser, talk: Conversation) -> None:
    charge(talk, "marketing")
    charge(talk, "marketing_lite")
    page = ben.get(f"~/contacts/{talk.contact_id}/costs").text
    assert "US$0.14" in page and "The price of 1 more message is unknown" in page.replace("\n", " ")


def test_the_sum_opens_down_to_its_messages(ben: Browser, talk: Conversation) -> None:
    incoming = charge(talk, "utility", "Your bread is ready")
    page = ben.get(f"~/contacts/{talk.contact_id}/costs/messages").text
    assert "Your bread is ready" in page and "US$0.0550" in page and "Utility · Germany" in page
    assert f"/inbox/{talk.id}?at={incoming.id}" in page


def test_the_messages_come_in_pages(ben: Browser, talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.people.costs.PAGE", 2)
    for words in ("one", "two", "three"):
        charge(talk, "utility", f"Number {words}")
    first = ben.get(f"~/contacts/{talk.contact_id}/costs/messages").text
    more = re.findall(r'class="btn"\s+href="([^"]+)"', first)[0].replace("&amp;", "&")
    second = ben.get(more).text
    shown = [[words for words in ("one", "two", "three") if f"Number {words}" in page] for page in (first, second)]
    assert [len(page) for page in shown] == [2, 1] and len({*shown[0], *shown[1]}) == 3


def test_costs_follow_a_merge_and_come_back(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(talk.id).phone_number
    other = people.conversation(number, wa_id="33612345678", name="Carla M.")
    charge(talk, "utility")
    charge(other, "utility", to="33612345678")
    with tenant_scope(world.bakery.id):
        one, two = Contact.get_or_404(talk.contact_id), Contact.get_or_404(other.contact_id)
        merge_id = ContactMerge.merge(one, two, by=Actor.agent(world.ann)).id
    assert (sums(world, talk.contact_id), sums(world, other.contact_id)) == (["85000 USD"], [])
    with tenant_scope(world.bakery.id):
        ContactMerge.get_or_404(merge_id).undo(by=Actor.agent(world.ann))
    assert (sums(world, talk.contact_id), sums(world, other.contact_id)) == (["55000 USD"], ["30000 USD"])


def test_free_days_follow_a_merge_and_come_back(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        number, until = Conversation.get_or_404(talk.id).phone_number, now() + DAY
    other = people.conversation(number, wa_id="33612345678", name="Carla M.")
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(other.id).free_until = until
        one, two = Contact.get_or_404(talk.contact_id), Contact.get_or_404(other.contact_id)
        merge = ContactMerge.merge(one, two, by=Actor.agent(world.ann))
        assert Conversation.get_or_404(talk.id).free_until == until
        db.session.flush()
        merge.undo(by=Actor.agent(world.ann))
    with tenant_scope(world.bakery.id):
        results = [Conversation.get_or_404(each.id).free_until for each in (talk, other)]
    assert results == [None, until]


def test_erasing_a_person_leaves_the_sums_and_nothing_of_the_person(
    world: World, ben: Browser, talk: Conversation
) -> None:
    charge(talk, "utility", "Your bread, Carla Mendes")
    with tenant_scope(world.bakery.id):
        erase(Contact.get_or_404(talk.contact_id), by=Actor.agent(world.ann))
    assert sums(world, talk.contact_id) == ["55000 USD"]
    page = ben.get(f"~/contacts/{talk.contact_id}/costs/messages").text
    assert "US$0.0550" in page and "Erased" in page and "Carla" not in page
    with tenant_scope(world.bakery.id):
        row = db.session.execute(db.text("select to_jsonb(u) from usages u")).scalar_one()
    assert "4915112345678" not in json.dumps(row) and "Carla" not in json.dumps(row)


@pytest.mark.parametrize("path", ["costs", "costs/messages"])
def test_a_member_of_another_tenant_sees_no_costs(sue: Browser, talk: Conversation, path: str) -> None:
    charge(talk, "utility")
    assert sue.get(f"~/contacts/{talk.contact_id}/{path}").status_code == 404
