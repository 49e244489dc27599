"""Writing to somebody first: one conversation with each person and number, opened by the template that is sent."""

from __future__ import annotations

import io
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.contacts.consents import Consent
from app.contacts.models import Contact, ContactIdentity
from app.inbox.conversations import Conversation
from app.inbox.outbound.reach import Reach
from app.message_templates.jobs import fetch_templates
from app.message_templates.models import MessageTemplate
from app.people.merges import ContactMerge
from app.tenancy import Actor, db, now, tenant_scope, uuid7
from app.wabas.models import PhoneNumber, Waba
from tests import world as people
from tests.arrivals import arrive, conversations, messages
from tests.client import FRAGMENT, Browser
from tests.happenings import happenings
from tests.posts import message
from tests.simulated import Road
from tests.world import World

HANNA = "4915112345678"


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def hello(world: World, number: PhoneNumber) -> MessageTemplate:
    return template(world, number.waba_id)


def template(world: World, waba_id: uuid.UUID, category: str = "UTILITY") -> MessageTemplate:
    with tenant_scope(world.bakery.id):
        made = MessageTemplate(waba_id=waba_id, meta_id="1", name="hello", language="en", category=category)
        made.id, made.status, made.parameter_format = uuid7(), "APPROVED", "POSITIONAL"
        made.components = [{"type": "BODY", "text": "Hello {{1}}, your bread is ready."}]
        db.session.add(made)
    return made


def contact(world: World, name: str = "Hanna", wa_id: str = HANNA, **identities: str) -> Contact:
    with tenant_scope(world.bakery.id):
        made = Contact(id=uuid7(), name=name)
        db.session.add(made)
        db.session.flush()
        for kind, value in ({"wa_id": wa_id} | identities).items():
            if value:
                db.session.add(ContactIdentity(contact_id=made.id, kind=kind, value=value))
    return made


def second_number(world: World) -> PhoneNumber:
    """Another number of Bakery's, of another account and portfolio."""
    return people.number(world.bakery, "302290129340398", "306540352242922", "+49 30 901820")


def send(browser: Browser, hello: MessageTemplate, who: str, value: str = "Hanna", **more: Any) -> Any:
    fields = {"client_id": str(uuid.uuid4()), "body-0-1": value} | more
    return browser.post(f"~/inbox/new/{hello.id}?{who}", fields)


def test_a_typed_number_becomes_a_contact_with_a_conversation_of_who_wrote(
    world: World, ben: Browser, hello: MessageTemplate
) -> None:
    answer = send(ben, hello, f"to=%2B{HANNA}", name="Hanna Vogel")
    (talk,) = conversations(world)
    assert answer.status_code == 303 and answer.location.endswith(str(talk.id))
    assert (talk.contact.name, talk.assignee_id) == ("Hanna Vogel", world.ben.id)
    (sent,) = messages(world)
    assert (sent.body, sent.state) == ("Hello Hanna, your bread is ready.", "queued")
    assert "Hanna Vogel" in ben.get("~/inbox/?view=mine").text


def test_the_reply_lands_in_the_same_conversation(world: World, ben: Browser, hello: MessageTemplate) -> None:
    send(ben, hello, "to=%2B5511987654321")
    arrive(message("Obrigada!", wa_id="551187654321", name="Bia"))
    (talk,) = conversations(world)
    assert [one.direction for one in messages(world)] == ["outbound", "inbound"]
    assert talk.window_is_open and talk.assignee_id == world.ben.id


@pytest.mark.parametrize(
    ("existing", "typed"),
    [
        ("551187654321", "+55 11 98765-4321"),
        ("5215512345678", "+52 55 1234 5678"),
        ("5491123456789", "+54 11 2345-6789"),
    ],
)
def test_another_spelling_of_a_number_is_the_same_person(
    world: World, ben: Browser, number: PhoneNumber, existing: str, typed: str
) -> None:
    talk = people.conversation(number, wa_id=existing)
    page = ben.get("~/inbox/new", query_string={"to": typed})
    assert page.status_code == 303 and page.location.endswith(str(talk.id))


def test_two_who_write_at_once_share_one_conversation(
    world: World, ann: Browser, ben: Browser, hello: MessageTemplate
) -> None:
    someone = contact(world)
    who = [f"contact={someone.id}", "to=%2B4915112345679"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: send(each[0], hello, each[1]), [(a, w) for w in who for a in (ann, ben)]))
    assert [answer.status_code for answer in answers] == [303] * 4
    assert len(conversations(world)) == 2 and len(messages(world)) == 4
    assert all(talk.assignee_id in (world.ann.id, world.ben.id) for talk in conversations(world))


def test_two_who_spell_a_number_differently_at_once_share_one_conversation(
    world: World, ann: Browser, ben: Browser, hello: MessageTemplate
) -> None:
    spellings = [(ann, "to=%2B5511987654321"), (ben, "to=%2B551187654321")] * 2
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: send(each[0], hello, each[1]), spellings))
    assert [answer.status_code for answer in answers] == [303] * 4
    assert len(conversations(world)) == 1 and len(messages(world)) == 4


def test_a_second_click_is_the_same_message(world: World, ben: Browser, hello: MessageTemplate) -> None:
    once = str(uuid.uuid4())
    first, second = (send(ben, hello, f"to=%2B{HANNA}", client_id=once) for _ in range(2))
    assert first.location == second.location and len(messages(world)) == 1


def test_what_is_refused_opens_nothing_and_shows_what_was_typed(
    world: World, ben: Browser, hello: MessageTemplate
) -> None:
    answer = send(ben, hello, f"to=%2B{HANNA}", "", name="Hanna Vogel")
    assert answer.status_code == 422 and "Fill in {{1}}." in answer.text and 'value="Hanna Vogel"' in answer.text
    with tenant_scope(world.bakery.id):
        assert not db.session.query(Contact).count() and not db.session.query(Conversation).count()


def test_a_customer_who_opted_out_gets_no_marketing(world: World, ben: Browser, number: PhoneNumber) -> None:
    news, someone = template(world, number.waba_id, "MARKETING"), contact(world)
    with tenant_scope(world.bakery.id):
        Consent.record(someone.id, "marketing", is_granted=False, source="phone")
    assert "opted out of marketing" in ben.get(f"~/inbox/new?contact={someone.id}").text
    answer = send(ben, news, f"contact={someone.id}", "Hanna M.")
    assert answer.status_code == 422 and "opted out of marketing" in answer.text and "Hanna M." in answer.text
    assert conversations(world) == []


@pytest.mark.parametrize("state", ["blocked", "spam"])
def test_a_conversation_that_exists_is_opened_instead(
    world: World, ben: Browser, number: PhoneNumber, state: str
) -> None:
    talk = people.conversation(number)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).state = state
    page = ben.get(f"~/inbox/new?contact={talk.contact_id}&number={number.id}")
    assert page.status_code == 303 and page.location.endswith(str(talk.id))


def test_a_blocked_customer_is_not_written_to(
    world: World, ben: Browser, number: PhoneNumber, hello: MessageTemplate
) -> None:
    talk = people.conversation(number)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).state = "blocked"
    answer = send(ben, hello, f"contact={talk.contact_id}")
    assert answer.status_code == 422 and "You blocked this customer" in answer.text


def test_of_a_blocked_customer_the_composer_offers_to_unblock(world: World, ben: Browser, number: PhoneNumber) -> None:
    talk = people.conversation(number)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).state = "blocked"
    page = ben.get(f"~/inbox/{talk.id}").text
    assert "You blocked this customer. Unblock them to write." in page and 'form="reopening"' in page
    assert 'name="body"' not in page.partition('id="composer"')[2]
    assert "composer=blocked" in page
    news = ben.get(f"~/inbox/{talk.id}/messages?composer=open", headers=FRAGMENT).text
    assert "Unblock them to write" in news
    assert "Unblock them" not in ben.get(f"~/inbox/{talk.id}/messages?composer=blocked", headers=FRAGMENT).text


def test_among_several_numbers_blocked_and_paused_are_named(world: World, ben: Browser, number: PhoneNumber) -> None:
    other, talk = second_number(world), people.conversation(number)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).state = "blocked"
        PhoneNumber.get_or_404(other.id).pause("The token was refused.", "Reconnect it.")
    page = ben.get(f"~/inbox/new?contact={talk.contact_id}").text
    assert "Blocked" in page and "Sending is paused" in page and "Reply window" not in page
    form = ben.get(f"~/inbox/new?contact={talk.contact_id}&number={other.id}").text
    assert "Your messages are queued and will be sent automatically." in form


def test_a_limit_that_is_used_up_is_named_before_one_writes(world: World, ben: Browser, number: PhoneNumber) -> None:
    address, words = f"~/inbox/new?to=%2B{HANNA}&number={number.id}", "Today&#39;s limit for starting conversations"
    with tenant_scope(world.bakery.id):
        ours = PhoneNumber.get_or_404(number.id)
        ours.messaging_limit = "TIER_250"
        others = [Contact(id=uuid7(), name=f"Customer {n}") for n in range(250)]
        db.session.add_all(others)
        db.session.flush()
        Reach(ours).note([each.id for each in others[1:]])
    assert words not in ben.get(address).text
    with tenant_scope(world.bakery.id):
        Reach(PhoneNumber.get_or_404(number.id)).note([others[0].id])
    assert words in ben.get(address).text


def test_another_number_can_be_looked_at_where_one_alone_is_connected(
    world: World, ben: Browser, number: PhoneNumber
) -> None:
    other = second_number(world)
    with tenant_scope(world.bakery.id):
        PhoneNumber.get_or_404(other.id).state = "connecting"
    who = {"to": f"+{HANNA}"}
    assert "choose=number" in ben.get("~/inbox/new", query_string=who).text
    page = ben.get("~/inbox/new", query_string=who | {"choose": "number"}).text
    assert "Choose a number to write from" in page and "not connected to WhatsApp" in page


def test_another_recipient_is_chosen_for_the_same_number(world: World, ben: Browser, number: PhoneNumber) -> None:
    second_number(world)
    page = ben.get(f"~/inbox/new?to=%2B{HANNA}&number={number.id}").text
    assert re.search(rf'new\?number={number.id}"\s+aria-label="Change recipient"', page)


def test_the_keyboard_begins_at_the_first_number_and_the_first_template(
    world: World, ben: Browser, number: PhoneNumber, hello: MessageTemplate
) -> None:
    templates = f"~/inbox/new?to=%2B{HANNA}&number={number.id}"
    assert ben.get(templates).text.count(" autofocus") == 1
    assert " autofocus" not in ben.get(templates, headers=FRAGMENT).text
    second_number(world)
    assert ben.get(f"~/inbox/new?to=%2B{HANNA}").text.count(" autofocus") == 1


def test_a_merged_contact_is_written_to_as_the_one_that_stays(
    world: World, ben: Browser, hello: MessageTemplate
) -> None:
    stays, gone = contact(world), contact(world, "H. Vogel", "4915112345679")
    with tenant_scope(world.bakery.id):
        one, two = Contact.get_or_404(stays.id), Contact.get_or_404(gone.id)
        ContactMerge.merge(one, two, by=Actor.agent(world.ann))
    send(ben, hello, f"contact={gone.id}")
    send(ben, hello, "to=%2B4915112345679")
    (talk,) = conversations(world)
    assert talk.contact_id == stays.id and len(messages(world)) == 2


def test_who_hides_their_number_can_be_reached_from_their_portfolio_only(
    world: World, ben: Browser, number: PhoneNumber
) -> None:
    other = second_number(world)
    talk = people.conversation(number)
    with tenant_scope(world.bakery.id):
        identity = db.session.query(ContactIdentity).filter_by(contact_id=talk.contact_id).one()
        identity.kind, identity.value = "bsuid", "US.1234"
    page = ben.get(f"~/inbox/new?contact={talk.contact_id}").text
    assert "They have to write to this number first." in page
    with tenant_scope(world.bakery.id):
        for waba in db.session.query(Waba):
            waba.owner_business_id = "77"
    assert "They have to write" not in ben.get(f"~/inbox/new?contact={talk.contact_id}").text
    assert ben.get(f"~/inbox/new?contact={talk.contact_id}&number={other.id}").status_code == 200


def test_a_contact_without_a_number_says_so(world: World, ben: Browser, number: PhoneNumber) -> None:
    someone = contact(world, wa_id="")
    page = ben.get(f"~/inbox/new?contact={someone.id}").text
    assert "This contact has no phone number." in page and f"/contacts/{someone.id}/merges/new" in page
    assert "Choose another recipient" in page and "Choose a number" not in page


def test_a_group_is_not_written_to(world: World, ben: Browser, hello: MessageTemplate) -> None:
    group = contact(world, "Bakers", wa_id="", group="120363@g.us")
    assert "Bakers" not in ben.get("~/inbox/new").text
    answer = send(ben, hello, f"contact={group.id}")
    assert answer.status_code == 422 and "can&#39;t write to a group" in answer.text


def test_an_erased_person_is_not_written_to(world: World, ben: Browser, hello: MessageTemplate) -> None:
    someone = contact(world)
    with tenant_scope(world.bakery.id):
        Contact.get_or_404(someone.id).erased_at = now()
    answer = send(ben, hello, f"contact={someone.id}")
    assert answer.status_code == 422 and "was erased" in answer.text


def test_with_several_numbers_one_chooses_and_sees_where_they_have_talked(
    world: World, ben: Browser, number: PhoneNumber
) -> None:
    other, talk = second_number(world), people.conversation(number)
    page = ben.get(f"~/inbox/new?contact={talk.contact_id}").text
    assert page.count("Open the conversation") == 1 and page.count("Start a conversation") == 1
    hello = template(world, other.waba_id)
    answer = send(ben, hello, f"contact={talk.contact_id}&number={other.id}")
    assert answer.status_code == 303 and len(conversations(world)) == 2


def test_a_number_that_is_away_can_not_be_written_from(
    world: World, ben: Browser, number: PhoneNumber, hello: MessageTemplate
) -> None:
    with tenant_scope(world.bakery.id):
        PhoneNumber.get_or_404(number.id).state = "connecting"
    assert "not connected to WhatsApp" in ben.get(f"~/inbox/new?to=%2B{HANNA}").text
    answer = send(ben, hello, f"to=%2B{HANNA}&number={number.id}")
    assert answer.status_code == 422 and "not connected" in answer.text


def test_the_search_finds_contacts_and_reads_numbers(world: World, ben: Browser, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        Contact.create("Zoë Baker", HANNA, by=Actor.agent(world.ben))
    assert "Zoë Baker" in ben.get("~/inbox/new?q=zoe", headers=FRAGMENT).text
    new = ben.get("~/inbox/new", query_string={"q": "0151 12345670", "country": "DE"}).text
    assert "to=%2B4915112345670" in new
    assert "has no country code" in ben.get("~/inbox/new?q=015112345670").text
    assert "Zoë Baker" in ben.get("~/inbox/new", query_string={"q": "0151 12345678", "country": "DE"}).text


def test_a_number_whose_plus_is_missing_is_offered_and_found(world: World, ben: Browser, number: PhoneNumber) -> None:
    typed = "~/inbox/new?q=447700900123&choose=1"
    offered = ben.get(typed)
    assert offered.status_code == 200 and "to=%2B447700900123" in offered.text and "United Kingdom" in offered.text
    known = contact(world, "Ida", "447700900123")
    assert f"contact={known.id}" in ben.get(typed).location


def test_the_price_and_the_known_values_are_in_the_form(world: World, ben: Browser, hello: MessageTemplate) -> None:
    someone = contact(world, "Hanna Vogel")
    page = ben.get(f"~/inbox/new/{hello.id}?contact={someone.id}").text
    assert "Hello Hanna, your bread is ready." in page and "US$0.0550" in page
    assert page.count(" autofocus") == 1


def test_whoever_writes_first_opened_the_conversation(world: World, ben: Browser, hello: MessageTemplate) -> None:
    send(ben, hello, f"to=%2B{HANNA}")
    (opened,) = happenings(world.bakery.id, "conversation.opened")
    assert opened.actor and str(world.ben.id) in str(opened.actor)


def test_a_contact_card_is_saved_or_written_to(world: World, ben: Browser, number: PhoneNumber) -> None:
    card = {"name": {"formatted_name": "Hanna Vogel"}, "phones": [{"phone": "+49 1511 2345678"}]}
    arrive(message(type="contacts", contacts=[card]))
    (talk,), (incoming,) = conversations(world), messages(world)
    address = f"~/inbox/{talk.id}/messages/{incoming.id}/contacts"
    assert "Save contact" in ben.get(f"~/inbox/{talk.id}").text
    saved = ben.post(address, {"card": "0", "phone": "0", "then": "save"})
    again = ben.post(address, {"card": "0", "phone": "0", "then": "message"})
    with tenant_scope(world.bakery.id):
        hanna = Contact.with_number(HANNA)
        assert hanna and hanna.name == "Hanna Vogel"
    assert saved.location.endswith(f"/contacts/{hanna.id}") and f"contact={hanna.id}" in again.location


def test_a_card_without_a_country_code_leads_to_where_it_is_chosen(
    world: World, ben: Browser, number: PhoneNumber
) -> None:
    card = {"name": {"formatted_name": "Hanna Vogel"}, "phones": [{"phone": "0151 12345678"}]}
    arrive(message(type="contacts", contacts=[card]))
    (talk,), (incoming,) = conversations(world), messages(world)
    address = f"~/inbox/{talk.id}/messages/{incoming.id}/contacts"
    places = {"card": "0", "phone": "0"}
    to_write = ben.get(ben.post(address, places | {"then": "message"}).location)
    assert "has no country code" in to_write.text and 'id="country"' in to_write.text
    to_save = ben.get(ben.post(address, places | {"then": "save"}).location)
    assert 'value="Hanna Vogel"' in to_save.text and 'aria-invalid="true"' in to_save.text
    assert "“0151 12345678” has no country code." in to_save.text


@pytest.mark.parametrize("places", [{"card": "9"}, {"phone": "-7"}, {"card": "x"}])
def test_a_card_that_is_not_there_saves_no_contact(
    world: World,
    ben: Browser,
    number: PhoneNumber,
    places: dict[str, str],
) -> None:
    arrive(message("Hello"))
    (talk,), (incoming,) = conversations(world), messages(world)
    assert ben.post(f"~/inbox/{talk.id}/messages/{incoming.id}/contacts", places).status_code == 303
    with tenant_scope(world.bakery.id):
        assert db.session.query(Contact).count() == 1


def test_a_template_with_a_photo_opens_a_conversation(world: World, ben: Browser, hello: MessageTemplate) -> None:
    with tenant_scope(world.bakery.id):
        one = MessageTemplate.get_or_404(hello.id)
        one.components = [{"type": "HEADER", "format": "DOCUMENT"}, *one.components]
    file = (io.BytesIO(b"%PDF-1.4\n" + b"x" * 2000), "menu.pdf")
    answer = send(ben, hello, f"to=%2B{HANNA}", file=file)
    assert answer.status_code == 303 and messages(world)[0].media


def test_enter_takes_the_only_one_that_was_found(world: World, ben: Browser, number: PhoneNumber) -> None:
    typed = "~/inbox/new?q=%2B4915112345670"
    assert "to=%2B4915112345670" in ben.get(f"{typed}&choose=1").location
    assert ben.get(typed).status_code == 200
    someone = contact(world)
    with tenant_scope(world.bakery.id):
        Contact.get_or_404(someone.id).rename("Hanna Vogel", by=Actor.agent(world.ben))
    assert f"contact={someone.id}" in ben.get("~/inbox/new?q=hanna&choose=1", headers=FRAGMENT).headers["HX-Redirect"]
    assert ben.get("~/inbox/new?q=&choose=1").status_code == 200


def test_the_way_to_write_is_where_people_are(world: World, ben: Browser, number: PhoneNumber) -> None:
    someone = contact(world)
    with tenant_scope(world.bakery.id):
        Contact.get_or_404(someone.id).rename("Hanna Vogel", by=Actor.agent(world.ben))
    address = f"/inbox/new?contact={someone.id}"
    for page in (f"~/contacts/{someone.id}", "~/contacts/", "~/inbox/search?q=hanna", "~/inbox/palette?q=hanna"):
        assert address in ben.get(page).text, page
    for page in ("~/inbox/search?q=%2B4915112345670", "~/inbox/palette?q=%2B4915112345670"):
        assert "/inbox/new?q=" in ben.get(page).text, page
    assert "/inbox/new?q=" not in ben.get("~/inbox/palette?q=snoo").text
    arrive(message("My number is +4915112345670."))
    found = ben.get("~/inbox/search?q=%2B4915112345670").text
    assert "Messages and notes" in found and "/inbox/new?q=" in found
    for page in ("~/inbox/", "~/contacts/", f"~/contacts/{someone.id}"):
        assert re.search(r'<div class="[^"]+" data-shortcuts>', ben.get(page).text), page
        assert 'data-command="new-message"' in ben.get(page).text, page
    added = ben.post("~/contacts/", {"name": "Ida", "phone": "+4915112345679", "then": "message"})
    assert re.search(r"/inbox/new\?contact=", added.location)


def test_a_contact_and_a_number_of_another_team_are_out_of_reach(
    world: World, ben: Browser, hello: MessageTemplate
) -> None:
    with tenant_scope(world.shoes.id):
        theirs = db.session.query(PhoneNumber).one()
    answer = send(ben, hello, f"to=%2B{HANNA}&number={theirs.id}")
    (sent,) = messages(world)
    assert answer.status_code == 303 and sent.phone_number_id != theirs.id


def test_it_reaches_the_phone_and_the_reply_comes_back(road: Road, ann: Browser) -> None:
    body = {"type": "BODY", "text": "Hello {{1}}, your bread is ready.", "example": {"body_text": [["Ida"]]}}
    form = {"name": "bread_ready", "category": "UTILITY", "language": "en_US", "status": "APPROVED"}
    road.meta.post("templates", waba_id=road.ids["waba_id"], components=[body], **form)
    fetch_templates(road.world.bakery.id, road.number.waba_id)
    ann.post("~/inbox/shortcuts", {"first_view": "all", "undo_for": "0"})
    with tenant_scope(road.world.bakery.id):
        hello = db.session.query(MessageTemplate).one()
    assert send(ann, hello, "to=%2B5511987654321", "Bia").status_code == 303
    road.deliver()
    (sent,) = messages(road.world)
    road.until(lambda: road.state_of(sent) in ("delivered", "read"))
    talk = road.customer_writes("Obrigada!", wa_id="5511987654321", name="Bia")
    assert (talk.id, talk.window_is_open) == (sent.conversation_id, True)
