from __future__ import annotations

import json
import uuid

import psycopg
import pytest
from sqlalchemy import text

from app.contacts import search
from app.contacts.fields import ContactField
from app.contacts.jobs import find_outdated_terms, index_contacts
from app.contacts.models import Contact
from app.tenancy import current_tenant_id, db, tenant_scope
from tests.arrivals import arrive
from tests.client import FRAGMENT, Browser
from tests.contacts.people import contact, from_hidden
from tests.enqueued import Enqueued
from tests.world import World


def names(world: World, query: str) -> list[str]:
    with tenant_scope(world.bakery.id):
        ids = [place.id for place in search.find(query, 50)]
        results = {row.id: row.name for row in db.session.execute(text("select id, name from contacts"))}
    return [results[id] for id in ids]


@pytest.mark.parametrize("query", ["jose", "JOSÉ", "garcia", "josé gar", "garcía josé", "  jose  "])
def test_a_name_is_found_by_any_of_its_words_without_accents_or_case(world: World, query: str) -> None:
    contact(world, "José García", wa_id="34600111222")
    contact(world, "Joseph Stone", wa_id="16505550000")
    assert names(world, query)[0] == "José García"
    assert "Joseph Stone" not in names(world, "garcia")


@pytest.mark.parametrize(
    "query", ["+1 650 555 1234", "16505551234", "(650) 555-1234", "0650 555", "1234", "+1650", "650.555.12"]
)
def test_a_number_is_found_however_it_is_written(world: World, query: str) -> None:
    contact(world, "Carla", wa_id="16505551234")
    contact(world, "Somebody else", wa_id="4915798765432")
    assert names(world, query) == ["Carla"]


@pytest.mark.parametrize(
    "query",
    [
        "tel:+16505551234",
        "https://wa.me/16505551234?text=Hi",
        "16505551234@s.whatsapp.net",
        "16505551234.0",
        "'+16505551234",
        "=+16505551234",
        "\u202a+1 (650) 555-1234\u202c",
        "Tel. +1 650 555 1234",
        "+1 650 555 1234 (mobile)",
    ],
)
def test_a_number_that_was_copied_from_elsewhere_is_found(world: World, query: str) -> None:
    contact(world, "Carla", wa_id="16505551234")
    contact(world, "Somebody else", wa_id="4915798765432")
    assert names(world, query) == ["Carla"]


@pytest.mark.parametrize("query", ["+49 (0)157 98765432", "0049 0157 98765432", "0157/98765432"])
def test_the_zero_that_is_dialled_at_home_hides_no_one(world: World, query: str) -> None:
    contact(world, "Greta", wa_id="4915798765432")
    assert names(world, query) == ["Greta"]


@pytest.mark.parametrize("query", ["+55 11 98765-4321", "+55 11 8765-4321", "11987654321", "551187654321"])
def test_a_number_is_found_in_its_other_spelling(world: World, query: str) -> None:
    contact(world, "Bia", wa_id="551187654321")
    assert names(world, query) == ["Bia"]


@pytest.mark.parametrize("query", ["@carla.m", "carla.m", "CARLA.M", "dora"])
def test_somebody_who_hides_the_number_is_found_by_name_and_username(world: World, query: str) -> None:
    world.connect_numbers()
    arrive(from_hidden(name="Dora", username="carla.m"))
    assert names(world, query) == ["Dora"]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("王小明", "小明"),
        ("王小明", "明"),
        ("山田 太郎", "山田太郎"),
        ("山田太郎", "山田 太郎"),
        ("山田 太郎", "田太"),
        ("ヤマダ タロウ", "やまだ"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("김민수", "민수"),
        ("فاطمة", "فاطمه"),
        ("الزهراء", "زهراء"),
        ("زهراء", "الزهراء"),
        ("علی", "علي"),
        ("عبد الله", "عبدالله"),
        ("Jörg Strauß", "strauss"),
        ("Strauss", "strauß"),
        ("İpek Işık", "isik"),
        ("Bjørn", "bjorn"),
        ("Jean-Luc Picard", "luc"),
        ("Jean Luc Picard", "jean-luc"),
        ("Jean-Luc Picard", "jean luc"),
        ("Maryann", "mary ann"),
        ("عبدُالرَّحمٰن", "عبد الرحمن"),
        ("Nguyễn Văn Đức", "nguyen van duc"),
        ("Ａｌｉｃｅ", "alice"),
        ("김민수", "\u1100\u1175\u11b7"),
        ("مؤمن", "مومن"),
        ("Mendes, Carla", "carla mendes"),
        ("O’Brien", "obrien"),
        ("O’Brien", "o'brien"),
        ("สมชาย ใจดี", "ชาย"),
    ],
)
def test_a_name_is_found_as_people_of_its_script_type_it(world: World, name: str, query: str) -> None:
    contact(world, name, wa_id="16505551234")
    contact(world, "Somebody else", wa_id="4915798765432")
    assert names(world, query) == [name]


@pytest.mark.parametrize("query", ["5055", "055 51", "٦٥٠٥٥٥", "６５０５５５", "+1 (650) 555", "001650555"])
def test_a_number_is_found_by_its_middle_and_in_other_digits(world: World, query: str) -> None:
    contact(world, "Carla", wa_id="16505551234")
    contact(world, "Somebody else", wa_id="4915798765432")
    assert names(world, query) == ["Carla"]


def test_a_contact_is_found_by_the_values_of_its_fields(ann: Browser, world: World) -> None:
    carla = contact(world, "Carla", wa_id="16505551234")
    with tenant_scope(world.bakery.id):
        field = ContactField(id=uuid.uuid4(), name="Customer number", kind="text", choices=[])
        db.session.add(field)
    ann.post(f"~/contacts/{carla.id}/fields", {f"field-{field.id}": "C-1042/b"})
    assert names(world, "c-1042") == names(world, "1042b") == ["Carla"]


def test_contacts_without_a_conversation_are_matched(world: World) -> None:
    contact(world, "Zoe", wa_id="16505551234")
    with tenant_scope(world.bakery.id):
        assert [(each.name, each.phone) for each in Contact.matching("zoe", 5)] == [("Zoe", "+1 650-555-1234")]


def test_terms_of_an_older_release_are_written_anew_in_the_background(world: World) -> None:
    carla = contact(world, "Carla", wa_id="16505551234")
    with tenant_scope(world.bakery.id):
        db.session.execute(text("delete from contact_terms"))
        db.session.execute(text("update contacts set terms_version = 0, sort_name = ''"))
    index_contacts(str(world.bakery.id))
    assert names(world, "carla") == ["Carla"]
    with tenant_scope(world.bakery.id):
        again = Contact.get_or_404(carla.id)
        assert (again.terms_version, again.sort_name) == (search.VERSION, "carla")


def test_a_business_without_members_is_indexed_again_too(world: World, enqueued: Enqueued) -> None:
    with tenant_scope(world.shoes.id):
        db.session.add(Contact(name="Dora", terms_version=0))
        db.session.flush()
        db.session.execute(text("delete from memberships"))
    enqueued.clear()
    find_outdated_terms()
    assert "contacts.index" in enqueued.names


def test_a_username_is_found_only_with_who_has_it_now(world: World) -> None:
    world.connect_numbers()
    arrive(from_hidden(name="Dora", username="the.baker"))
    arrive(from_hidden(name="Emil", username="the.baker", bsuid="US.888"))
    assert names(world, "@the.baker") == ["Emil"]


def test_who_renames_themselves_is_found_by_the_new_name_alone(world: World) -> None:
    world.connect_numbers()
    arrive(from_hidden(name="Dora"))
    arrive(from_hidden(name="Dorothea"))
    assert names(world, "doro") == ["Dorothea"]
    assert names(world, "dora") == []


@pytest.mark.parametrize("query", ["%", "_", "' or 1=1 --", "\\", "~", "++", "()", "a" * 5000, "🥐", "\u202e"])
def test_odd_searches_find_no_contact_and_break_nothing(ann: Browser, world: World, query: str) -> None:
    contact(world, "Carla", wa_id="16505551234")
    answer = ann.get("~/contacts/", query_string={"q": query})
    assert answer.status_code == 200


def test_pages_of_what_was_found_neither_repeat_nor_skip(ann: Browser, world: World) -> None:
    for number in range(120):
        contact(world, f"Anna Annason {number:03}", wa_id=f"1650555{number:04}")
    seen: list[str] = []
    path = "~/contacts/?q=anna"
    while path:
        page = ann.get(path, headers=FRAGMENT).text
        seen += [part.partition("<")[0] for part in page.split("<bdi>Anna Annason ")[1:]]
        path = page.partition('class="more" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120


def test_neighbours_are_not_found(sue: Browser, world: World) -> None:
    contact(world, "Carla", wa_id="16505551234")
    with tenant_scope(world.shoes.id):
        assert search.find("carla", 10) == search.find("1234", 10) == []


MANY = 100_000


def test_a_search_among_a_hundred_thousand_reads_a_few_pages_of_an_index(world: World, superuser_url: str) -> None:
    fill(world, superuser_url)
    for query in ("person 4711", "person", "smith 47", "555 4711", "+555"):
        pages, plan = cost_of(world, query)
        assert "Seq Scan on contact_terms" not in plan and "ix_contact_terms_term" in plan, query
        assert pages < 700, (query, pages)


def fill(world: World, superuser_url: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        # Without the checks of foreign keys: this is about reading.
        connection.execute("set local session_replication_role = replica")
        given = {"tenant": world.bakery.id, "many": MANY}
        for statement in (
            (
                "insert into contacts (tenant_id, id, name, created_at) select %(tenant)s, gen_random_uuid(),"
                " 'Person ' || n || ' Smith', now() from generate_series(1, %(many)s) n"
            ),
            (
                "insert into contact_terms (tenant_id, id, contact_id, term) select tenant_id, gen_random_uuid(), id, t"
                " from contacts, lateral (values (lower(name)), ('smith ' || split_part(name, ' ', 2)),"
                " (lpad(split_part(name, ' ', 2), 7, '5')),"
                " ('+' || lpad(split_part(name, ' ', 2), 7, '5'))) v(t) where tenant_id = %(tenant)s"
            ),
        ):
            connection.execute(statement, given)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("analyze contact_terms")


def cost_of(world: World, query: str) -> tuple[int, str]:
    """How many pages the search reads, as the app's role under row security."""
    with tenant_scope(world.bakery.id):
        (start, *_) = search.starts_of(query)
        statement = search.matching(start, search.rest_of(query, start), None).limit(51)
        statement = statement.where(search.ContactTerm.tenant_id == current_tenant_id())
        compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
        explained = db.session.connection().exec_driver_sql(
            f"explain (analyze, buffers, format json) {str(compiled).replace('%', '%%')}"
        )
        (plan,) = explained.scalar_one()
    return plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"], json.dumps(plan)
