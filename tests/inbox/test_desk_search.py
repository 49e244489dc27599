"""Finding what was said."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from app.contacts.tags import Tag
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.search import Excerpts, Search
from app.tenancy import Actor, db, now, tenant_scope
from tests.arrivals import arrive
from tests.client import FRAGMENT, Browser
from tests.contacts.people import contact
from tests.inbox.conftest import written
from tests.posts import message
from tests.world import World, conversation

TEXTS = {
    "english": "I would like two loaves of rye bread, please",
    "french": "Une brioche à l'ÉCOLE, s'il vous plaît",
    "arabic": "مرحبا، هل عندكم الخُبْز الأسمر اليوم؟",
    "japanese": "明日の午後にケーキを受け取りたいです",
    "chinese": "请问你们有黑麦面包吗",
    "korean": "호밀빵 두 개 주세요",
    "thai": "มีขนมปังไรย์ไหม",
    "russian": "Есть ли у вас РЖАНОЙ хлеб?",
    "emoji": "Thank you 🥐🥐",
    "long": "x" * 5000,
    "quotes": "it's \"quoted\" \\ & | ! :* <-> ('",
}


@pytest.fixture
def history(world: World, carla: Conversation) -> Conversation:
    for words in TEXTS.values():
        written(world, carla, words)
    return carla


def results(world: World, words: str, **more: str) -> list[str]:
    with tenant_scope(world.bakery.id):
        return [hit.entry.body for hit in Search.from_arguments({"q": words, **more}).find().hits]


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ("rye loaves", "english"),
        ("RYE", "english"),
        ("loav", "english"),
        ("ecole", "french"),
        ("plait", "french"),
        ("خبز", "arabic"),
        ("الخبز", "arabic"),
        ("اسمر", "arabic"),
        ("ケーキ", "japanese"),
        ("午後", "japanese"),
        ("面包", "chinese"),
        ("麦", "chinese"),
        ("黑麦面包", "chinese"),
        ("호밀", "korean"),
        ("밀빵", "korean"),
        ("ขนมปัง", "thai"),
        ("ржаной", "russian"),
        ("хле", "russian"),
        ("🥐", "emoji"),
        ("quoted", "quotes"),
    ],
)
def test_words_are_found_in_any_script(world: World, history: Conversation, words: str, which: str) -> None:
    assert TEXTS[which] in results(world, words)


@pytest.mark.parametrize("words", ["rye croissant", "面麦", "ケキ", "ababab", "read"])
def test_words_that_no_message_has_are_not_found(world: World, history: Conversation, words: str) -> None:
    assert results(world, words) == []


@pytest.mark.parametrize("words", ["'", "a' & b", "!!", ":*", "\\", "%", "()", "x" * 300, "\u0000", "🏳️‍🌈", "ـ", "ً"])
def test_no_question_is_so_strange_that_the_page_breaks(ann: Browser, history: Conversation, words: str) -> None:
    assert ann.get("~/inbox/search", query_string={"q": words}).status_code == 200


def test_age_does_not_matter(world: World, carla: Conversation) -> None:
    old = written(world, carla, "An old promise")
    with tenant_scope(world.bakery.id):
        db.session.execute(text("update tenants set created_at = now() - interval '6 years'"))
        it = db.session.query(Message).filter_by(body="An old promise").one()
        it.occurred_at = now() - dt.timedelta(days=5 * 365)
    assert old and results(world, "promise") == ["An old promise"]


def test_a_page_goes_on_where_it_ended(world: World, carla: Conversation) -> None:
    for n in range(70):
        written(world, carla, f"Number {n:02} bread")
        with tenant_scope(world.bakery.id):
            it = db.session.query(Message).filter_by(body=f"Number {n:02} bread").one()
            it.occurred_at = now() - dt.timedelta(days=n)
    with tenant_scope(world.bakery.id):
        seen, before = [], None
        for _ in range(4):
            page = Search.from_arguments({"q": "bread number"}).find(before)
            seen += [hit.entry.body for hit in page.hits]
            if (before := page.next_page) is None:
                break
    assert seen == [f"Number {n:02} bread" for n in range(70)]


def test_filters_narrow(world: World, history: Conversation) -> None:
    assert results(world, "rye", type="text") and not results(world, "rye", type="image")
    assert not results(world, "rye", until="2020-01-01") and results(world, "rye", since="2020-01-01")
    assert not results(world, "rye", agent=str(world.ben.id))


def test_a_tag_narrows_to_the_customers_that_have_it(world: World, history: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        regular, rare = Tag.get_or_make("Regular"), Tag.get_or_make("Rare")
        regular.put_on(history.contact_id, by=Actor.agent(world.ann))
    assert results(world, "rye", tag=str(regular.id)) == results(world, "rye")
    assert results(world, "rye", tag=str(rare.id)) == []


def test_notes_are_found_and_lead_to_their_thread(ann: Browser, carla: Conversation, world: World) -> None:
    ann.post(f"~/inbox/{carla.id}/notes", {"body": "Allergic to walnuts"}, headers=FRAGMENT)
    page = ann.get("~/inbox/search?q=walnut").text
    assert "<mark>walnut</mark>" in page and "#note-" in page


def test_customers_are_found_by_name_and_number(ann: Browser, world: World) -> None:
    world.connect_numbers()
    arrive(message("Hello", wa_id="16505551234", name="Carla"))
    assert "Carla" in ann.get("~/inbox/search?q=carl").text
    assert "Carla" in ann.get("~/inbox/search?q=%2B1 650 555").text
    assert "Carla" in ann.get("~/inbox/palette?q=car", headers=FRAGMENT).text


def test_the_palette_lists_saved_views_by_what_is_typed(ann: Browser) -> None:
    ann.post("~/inbox/views", {"name": "Große Bestellungen", "view": "all"})
    assert "Große Bestellungen" in ann.get("~/inbox/palette?q=grosse", headers=FRAGMENT).text
    assert "Große Bestellungen" not in ann.get("~/inbox/palette?q=snooze", headers=FRAGMENT).text


@pytest.mark.parametrize("path", ["search", "palette"])
def test_customers_of_one_name_are_distinguished_by_their_numbers(ann: Browser, world: World, path: str) -> None:
    contact(world, "Zoë Weiß", wa_id="4915112345670")
    contact(world, "Zoë Weiß", wa_id="4915112345671")
    page = ann.get(f"~/inbox/{path}?q=zoe", headers=FRAGMENT).text
    assert "+49 1511 2345670" in page and "+49 1511 2345671" in page


@pytest.mark.parametrize("path", ["search", "palette"])
def test_a_customer_without_a_conversation_is_found_on_the_contact_page(ann: Browser, world: World, path: str) -> None:
    rita = contact(world, "Rita Lopes", wa_id="16505559876")
    page = ann.get(f"~/inbox/{path}?q=ríta", headers=FRAGMENT).text
    assert "Rita Lopes" in page and f"/t/bakery/contacts/{rita.id}" in page


def test_search_leads_to_the_customers_that_it_does_not_list(ann: Browser, world: World) -> None:
    for place in range(9):
        assert "View all customers that match" not in ann.get("~/inbox/search?q=zoe").text
        contact(world, f"Zoe {place}", wa_id=f"491511234567{place}")
    assert 'href="/t/bakery/contacts/?q=zoe">' in ann.get("~/inbox/search?q=zoe").text


def test_a_list_of_whom_to_write_to_says_that_it_is_cut_off(ann: Browser, world: World) -> None:
    for place in range(21):
        assert "There are more." not in ann.get("~/inbox/new?q=zoe").text
        contact(world, f"Zoe {place}", wa_id=f"4915112345{place:03}")
    assert "There are more. Type more of the name" in ann.get("~/inbox/new?q=zoe").text


# The door itself, asked for "rye" with no filter.
DOOR = text(f"select count(*) from search_entries('rye', {'null, ' * 8}10, 1000, null)")


def test_nothing_of_the_neighbours_is_found(sue: Browser, world: World, history: Conversation) -> None:
    with tenant_scope(world.shoes.id):
        assert Search.from_arguments({"q": "rye"}).find().hits == []
        assert Search.from_arguments({"q": "Carla"}).people() == []
        assert db.session.scalar(DOOR) == 0
    assert sue.get("~/inbox/search?q=rye").status_code == 404


def test_without_a_tenant_the_door_is_shut(world: World, history: Conversation) -> None:
    from app.tenancy import global_scope

    with global_scope():
        assert db.session.scalar(DOOR) == 0


def test_a_hit_opens_its_thread_around_it(ann: Browser, carla: Conversation, world: World) -> None:
    for n in range(120):
        written(world, carla, f"Line {n:03}")
    with tenant_scope(world.bakery.id):
        for n, it in enumerate(db.session.query(Message).filter(Message.body.like("Line%")).order_by(Message.body)):
            it.occurred_at = now() - dt.timedelta(minutes=500 - n)
        middle = db.session.query(Message).filter_by(body="Line 060").one()
    page = ann.get(f"~/inbox/{carla.id}?at={middle.id}").text
    assert "Line 060" in page and "Line 035" in page and "Line 085" in page
    assert "Line 119</p>" not in page and "Go to latest messages" in page
    newer = ann.get(f"~/inbox/{carla.id}/messages?after={cursor_of(world, 'Line 085')}", headers=FRAGMENT).text
    assert "Line 086" in newer and "Line 085" not in newer


def cursor_of(world: World, body: str) -> str:
    with tenant_scope(world.bakery.id):
        return str(db.session.query(Message).filter_by(body=body).one().cursor)


def test_a_message_of_another_conversation_is_not_jumped_to(ann: Browser, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        history = db.session.query(Message).one()
        number = carla.phone_number_id
    from app.wabas.models import PhoneNumber

    with tenant_scope(world.bakery.id):
        dora = conversation(PhoneNumber.get_or_404(number), wa_id="4915100000001", name="Dora")
    assert "rye bread" not in ann.get(f"~/inbox/{dora.id}?at={history.id}", headers=FRAGMENT).text


@pytest.mark.parametrize(
    ("body", "words", "hit"),
    [("Two ÉCOLES", "ecole", "ÉCOLE"), ("الخُبْز", "خبز", "خُبْز"), ("a ẞ b", "b", "b"), ("ﬁne", "fine", "ﬁne")],
)
def test_what_was_found_is_marked_as_it_was_written(body: str, words: str, hit: str) -> None:
    assert hit in [run for run, is_hit in Excerpts(words).of(body) if is_hit]
