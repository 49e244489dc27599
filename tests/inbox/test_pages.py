from __future__ import annotations

import datetime as dt
import html
import re
import uuid

import pytest
from sqlalchemy import func, select

from app.extensions import Outside, outside
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.thread import FIRST, PAGE
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import FRAGMENT, Browser
from tests.world import World, conversation


@pytest.fixture
def talk(world: World) -> Conversation:
    """Carla wrote to Bakery a moment ago."""
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    with tenant_scope(world.bakery.id):
        hello = Message(conversation_id=talk.id, phone_number_id=bakery.id, direction="inbound", state="received")
        hello.body, hello.wamid = "Do you have rye bread?", "wamid.hello"
        db.session.add(hello)
        again = Conversation.get_or_404(talk.id)
        again.unread_count, again.last_message_preview, again.news_at = 1, hello.body, now()
    return talk


def messages(world: World) -> list[Message]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(Message).where(Message.direction == "outbound")))


def test_the_list_shows_who_wrote_what_and_how_much_is_new(ann: Browser, talk: Conversation) -> None:
    page = ann.get("~/inbox/").text
    assert "Carla" in page and "Do you have rye bread?" in page
    assert "1 unread conversation" in page


def test_an_empty_inbox_says_what_to_do_next(ann: Browser) -> None:
    page = ann.get("~/inbox/").text
    assert "No conversations yet" in page and "/t/bakery/numbers" in page


def test_a_conversation_is_a_page_and_a_fragment_at_one_address(ann: Browser, talk: Conversation) -> None:
    path = f"~/inbox/{talk.id}"
    page, fragment = ann.get(path).text, ann.get(path, headers=FRAGMENT).text
    assert page.startswith("<!doctype") and not fragment.lstrip().startswith("<!doctype")
    assert "Do you have rye bread?" in page and "Do you have rye bread?" in fragment


def test_a_conversation_opened_by_its_address_gets_list_and_details_where_there_is_room(
    ann: Browser, talk: Conversation
) -> None:
    page = ann.get(f"~/inbox/{talk.id}").text
    for part in ("list", "details"):
        place = re.search(rf'<\w+ id="{part}".*?</noscript>', page, re.DOTALL)
        assert place and 'hx-trigger="intersect once"' in place[0]
        # Without JavaScript a link leads there.
        shown, linked = re.findall(r'(?:hx-get|href)="([^"]+)"', place[0])
        assert ann.get(shown, headers=FRAGMENT).status_code == ann.get(linked).status_code == 200


def test_a_reply_is_queued_once_and_shown(ann: Browser, talk: Conversation, world: World) -> None:
    form = {"body": " Yes, until six. ", "client_id": str(uuid.uuid4())}
    for _ in range(2):
        answer = ann.post(f"~/inbox/{talk.id}/messages", form, headers=FRAGMENT)
        assert answer.status_code == 200 and "Yes, until six." in answer.text
    (message,) = messages(world)
    assert (message.body, message.state, message.author_id) == ("Yes, until six.", "queued", world.ann.id)


def test_the_same_id_with_other_words_is_refused(ann: Browser, talk: Conversation, world: World) -> None:
    form = {"body": "Yes", "client_id": str(uuid.uuid4())}
    ann.post(f"~/inbox/{talk.id}/messages", form, headers=FRAGMENT)
    answer = ann.post(f"~/inbox/{talk.id}/messages", form | {"body": "No"}, headers=FRAGMENT)
    assert answer.status_code == 422 and "No" in answer.text
    assert [message.body for message in messages(world)] == ["Yes"]


def test_without_redis_a_reply_is_still_saved(ann: Browser, talk: Conversation, world: World) -> None:
    settings = outside().settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    usual, outside().redis = outside().redis, Outside.connect(settings).redis
    try:
        assert ann.post(f"~/inbox/{talk.id}/messages", {"body": "Hello"}).status_code == 303
        assert ann.get("~/inbox/").status_code == 200
    finally:
        outside().redis = usual
    assert [message.state for message in messages(world)] == ["queued"]


def test_without_javascript_a_reply_leads_back_to_the_conversation(ben: Browser, talk: Conversation) -> None:
    answer = ben.post(f"~/inbox/{talk.id}/messages", {"body": "Hello"})
    assert answer.status_code == 303 and answer.location.endswith(f"/inbox/{talk.id}")


@pytest.mark.parametrize(
    ("body", "words"),
    [("", "Enter a message"), ("   \n ", "Enter a message"), ("x" * 10_000, "Shorten this by 5904")],
)
def test_what_whatsapp_would_not_take_is_refused_in_words(
    ann: Browser, talk: Conversation, world: World, body: str, words: str
) -> None:
    answer = ann.post(f"~/inbox/{talk.id}/messages", {"body": body}, headers=FRAGMENT)
    assert answer.status_code == 422 and words in answer.text
    assert body.strip() in answer.text
    assert messages(world) == []


@pytest.mark.parametrize("body", ["a\x00b", "😀" * 2000, "مرحبا", "<script>alert(1)</script>", "line\r\nline"])
def test_strange_texts_are_shown_as_text(ann: Browser, talk: Conversation, world: World, body: str) -> None:
    answer = ann.post(f"~/inbox/{talk.id}/messages", {"body": body}, headers=FRAGMENT)
    assert answer.status_code == 200 and "<script>" not in answer.text
    assert messages(world)[0].body == body.replace("\x00", "").replace("\r\n", "\n")


def test_after_a_day_the_composer_says_so_and_does_not_send(ann: Browser, talk: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).last_inbound_at = now().replace(year=2020)
    page = ann.get(f"~/inbox/{talk.id}").text
    assert "The 24-hour reply window has closed" in page and 'id="body"' not in page
    answer = ann.post(f"~/inbox/{talk.id}/messages", {"body": "too late"}, headers=FRAGMENT)
    assert answer.status_code == 422 and messages(world) == []


def test_a_removed_number_accepts_no_messages(ann: Browser, talk: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(PhoneNumber)).one().state = "disconnected"
    answer = ann.post(f"~/inbox/{talk.id}/messages", {"body": "hello?"}, headers=FRAGMENT)
    assert answer.status_code == 422 and "no longer connected" in answer.text
    assert messages(world) == []


def test_reading_a_conversation_makes_it_read(ben: Browser, talk: Conversation, world: World) -> None:
    assert ben.post(f"~/inbox/{talk.id}/reading", headers=FRAGMENT).status_code == 204
    with tenant_scope(world.bakery.id):
        assert Conversation.get_or_404(talk.id).unread_count == 0
    assert "Nothing unread" in ben.get("~/inbox/?filter=unread").text


def test_a_failed_message_says_why_and_can_be_sent_again(ann: Browser, talk: Conversation, world: World) -> None:
    ann.post(f"~/inbox/{talk.id}/messages", {"body": "Hello"})
    (message,) = messages(world)
    error = {"kind": "human", "title": "Meta refused this.", "fix": "Ask the owner.", "details": "Odd.", "code": 1}
    with tenant_scope(world.bakery.id):
        failed = Message.get_or_404(message.id)
        failed.state, failed.error = "failed", error
    page = ann.get(f"~/inbox/{talk.id}").text
    assert "Meta refused this." in page and "Ask the owner." in page and "Odd." in page
    ann.post(f"~/inbox/{talk.id}/messages/{message.id}/attempts")
    assert [(m.id, m.state) for m in messages(world)] == [(message.id, "queued")]


def test_a_message_that_waits_long_offers_to_be_canceled(ann: Browser, talk: Conversation, world: World) -> None:
    ann.post(f"~/inbox/{talk.id}/messages", {"body": "a mistake"})
    (message,) = messages(world)
    assert "Cancel message" not in ann.get(f"~/inbox/{talk.id}").text
    with tenant_scope(world.bakery.id):
        row = Message.get_or_404(message.id)
        row.created_at, row.next_attempt_at = now() - dt.timedelta(minutes=1), None
    assert "Cancel message" in ann.get(f"~/inbox/{talk.id}").text
    ann.post(f"~/inbox/{talk.id}/messages/{message.id}/cancellation")
    assert [message.state for message in messages(world)] == ["cancelled"]


def test_a_message_is_sent_again_only_from_its_own_conversation(ann: Browser, talk: Conversation, world: World) -> None:
    ann.post(f"~/inbox/{talk.id}/messages", {"body": "Hello"})
    (message,) = messages(world)
    assert ann.post(f"~/inbox/{uuid.uuid4()}/messages/{message.id}/attempts").status_code == 404


def test_pages_of_the_list_neither_repeat_nor_skip(ann: Browser, world: World) -> None:
    bakery, _ = world.connect_numbers()
    talks = [conversation(bakery, wa_id=f"1650{n:07}", name=f"Customer {n}") for n in range(120)]
    seen: list[str] = []
    path = "~/inbox/list"
    while path:
        page = ann.get(path).text
        seen += re.findall(r'<li id="row-([0-9a-f-]+)"', page)
        more = page.partition('class="more" href="')[2].partition('"')[0]
        path = more.replace("/inbox/?", "/inbox/list?").replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == len(talks)


def test_older_messages_come_page_by_page(ann: Browser, talk: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        for n in range(120):
            incoming = Message(conversation_id=talk.id, phone_number_id=talk.phone_number_id, direction="inbound")
            incoming.state, incoming.body, incoming.wamid = "received", f"number {n};", f"wamid.{n}"
            db.session.add(incoming)
    page = ann.get(f"~/inbox/{talk.id}?latest=1").text
    assert page.count('data-testid="bubble"') == FIRST + 1
    older = re.search(r'hx-get="([^"]+before=[^"]+)"', page)
    assert older
    assert ann.get(html.unescape(older[1])).text.count('data-testid="bubble"') == PAGE


def test_a_session_that_ended_inside_htmx_leads_to_the_sign_in(browser: Browser, world: World) -> None:
    browser.tenant = "bakery"
    answer = browser.get("~/inbox/list", headers=FRAGMENT)
    assert answer.status_code == 401 and answer.headers["HX-Redirect"].startswith("/sign-in")


@pytest.mark.parametrize("path", ["~/inbox/", "~/inbox/list", "~/inbox/{id}", "~/inbox/{id}/messages"])
def test_a_member_of_another_tenant_finds_nothing(sue: Browser, talk: Conversation, path: str) -> None:
    answer = sue.get(path.format(id=talk.id))
    assert answer.status_code == 404 and "Carla" not in answer.text


def test_a_member_of_another_tenant_changes_nothing(sue: Browser, talk: Conversation, world: World) -> None:
    for path in (f"~/inbox/{talk.id}/messages", f"~/inbox/{talk.id}/reading"):
        assert sue.post(path, {"body": "from next door"}).status_code == 404
    assert messages(world) == []
    with tenant_scope(world.bakery.id):
        assert db.session.scalar(select(func.sum(Conversation.unread_count))) == 1
