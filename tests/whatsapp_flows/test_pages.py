"""The pages of forms: the list, starters, the editor without JavaScript, responses and their export."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.contacts.fields import ContactField
from app.contacts.models import Contact
from app.inbox.compose.canned_replies import CannedReply
from app.meta.flow_json import build, problems_of, questions_in
from app.people.erasure import erase
from app.tenancy import Actor, db, now, tenant_scope
from app.whatsapp_flows.models import WhatsappFlow
from app.whatsapp_flows.slots import FlowSlot
from app.whatsapp_flows.starters import LANGUAGES, STARTERS
from simulator.flow_rules import errors_in
from tests import world as people
from tests.arrivals import arrive, conversation
from tests.client import FRAGMENT, Browser, isolated
from tests.cpu import Meter
from tests.posts import message
from tests.world import World

from .forms import META_ID, SCREENS, begin, part, receive, reply, responses, screen, send

HERE = "/t/bakery/whatsapp-flows/"


@pytest.fixture
def number(world: World) -> Any:
    return world.connect_numbers()[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("starter", STARTERS, ids=lambda one: one.key)
def test_both_readings_of_metas_pages_take_each_starter(starter: Any, language: str) -> None:
    screens = starter.screens(language)
    assert problems_of(screens) == []
    assert errors_in(json.dumps(build(screens))) == []


def test_a_form_begins_with_a_starter(ann: Browser, world: World, number: Any) -> None:
    data = {"starter": "address", "language": "es", "name": "Entrega", "category": "OTHER", "waba_id": number.waba_id}
    answer = ann.post(HERE, data=data)
    assert answer.status_code == 303
    with tenant_scope(world.bakery.id):
        flow = db.session.query(WhatsappFlow).one()
        assert flow.newest.screens[0]["title"] == "Dirección de entrega"


def test_a_name_is_used_once(ann: Browser, world: World, number: Any) -> None:
    begin(world, number, name="Entrega")
    data = {"starter": "", "language": "es", "name": "Entrega", "category": "OTHER", "waba_id": number.waba_id}
    answer = ann.post(HERE, data=data)
    assert answer.status_code == 422 and "Choose a different one" in answer.get_data(as_text=True)


def test_an_agent_may_look_and_not_change(ben: Browser, world: World, number: Any) -> None:
    flow = begin(world, number)
    assert ben.get(f"{HERE}{flow.id}").status_code == 200
    assert ben.post(f"{HERE}{flow.id}/screens", data={"do": "save"}).status_code == 403
    assert ben.post(f"{HERE}responses/export").status_code == 403


class Editor:
    """The page of one form, filled in as a browser would."""

    def __init__(self, browser: Browser, world: World, number: Any) -> None:
        self.browser, self.world = browser, world
        self.flow = begin(world, number, published=False)

    @property
    def screens(self) -> list[dict[str, Any]]:
        with tenant_scope(self.world.bakery.id):
            return WhatsappFlow.get_or_404(self.flow.id).newest.screens

    @property
    def typed(self) -> dict[str, str]:
        """Every field of the page, as it is."""
        typed: dict[str, str] = {}
        for place, one in enumerate(self.screens):
            typed |= {f"screens-{place}-title": one["title"], f"screens-{place}-button": one["button"]}
            for index, field in enumerate(one["parts"]):
                base = f"screens-{place}-parts-{index}"
                typed |= {f"{base}-{name}": field[name] for name in ("kind", "label", "name", "hint")}
                typed[f"{base}-options"] = "\n".join(field["options"])
                typed |= {f"{base}-required": "1"} if field["required"] else {}
        return typed

    def press(self, do: str, **changes: str) -> Any:
        typed = self.typed | {name.replace("__", "-"): value for name, value in changes.items()}
        return self.browser.post(f"{HERE}{self.flow.id}/screens", data=typed | {"do": do})

    @property
    def page(self) -> str:
        return self.browser.get(f"{HERE}{self.flow.id}").get_data(as_text=True)


@pytest.fixture
def editor(ann: Browser, world: World, number: Any) -> Editor:
    return Editor(ann, world, number)


def test_saving_changes_nothing_that_was_not_changed(editor: Editor) -> None:
    editor.press("save")
    assert editor.screens == SCREENS


def test_every_button_saves_what_was_typed(editor: Editor) -> None:
    editor.press("add_screen", screens__0__title="Who are you?")
    assert editor.screens[0]["title"] == "Who are you?" and len(editor.screens) == 3


@pytest.mark.parametrize(
    ("do", "labels"),
    [
        ("down:0:0", ["Guests", "Full name"]),
        ("up:0:1", ["Guests", "Full name"]),
        ("remove:0:0", ["Guests"]),
        ("up:0:0", ["Full name", "Guests"]),
        ("remove:9:9", ["Full name", "Guests"]),
        ("remove:0:9", ["Full name", "Guests"]),
        ("nonsense", ["Full name", "Guests"]),
        ("remove:0", ["Bread", "News please"]),
        ("down:0", ["Bread", "News please"]),
    ],
)
def test_fields_and_screens_are_moved_and_removed(editor: Editor, do: str, labels: list[str]) -> None:
    editor.press(do)
    assert [one["label"] for one in editor.screens[0]["parts"]] == labels


def test_a_new_field_gets_a_name_of_its_own_when_it_has_a_label(editor: Editor) -> None:
    editor.press("add:0", kind__0="short")
    assert editor.screens[0]["parts"][2]["name"] == ""
    editor.press("save", screens__0__parts__2__label="Full Näme")
    assert editor.screens[0]["parts"][2]["name"] == "full_name_2"
    editor.press("save", screens__0__parts__2__label="Something else")
    assert editor.screens[0]["parts"][2]["name"] == "full_name_2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"screens__0__title": ""}, "Enter a title for the screen."),
        ({"screens__0__button": "x" * 36}, "Shorten it by 1."),
        ({"screens__0__parts__0__label": "x" * 25}, "This can have 20 characters. Shorten it by 5."),
        ({"screens__0__parts__0__name": "1 a"}, "begin with a letter"),
        ({"screens__0__parts__0__name": "guests"}, "Another field has this name."),
        ({"screens__1__parts__0__options": "Rye"}, "Enter at least two options"),
        ({"screens__1__parts__0__options": "Rye\nRye"}, "“Rye” is there twice."),
        (
            {"screens__1__parts__0__options": "x" * 31 + "\nRye"},
            "an option can have 30 characters. Shorten it by 1.",
        ),
    ],
)
def test_what_meta_would_refuse_is_shown_at_the_field(editor: Editor, changes: dict[str, str], words: str) -> None:
    editor.press("save", **changes)
    assert words in editor.page and 'aria-invalid="true"' in editor.page
    assert "Some fields below have to be fixed" in editor.page


def test_what_is_wrong_is_not_published(editor: Editor) -> None:
    editor.press("save", screens__0__title="")
    with tenant_scope(editor.world.bakery.id):
        version = WhatsappFlow.get_or_404(editor.flow.id).newest
    editor.browser.post(f"{HERE}{editor.flow.id}/versions/{version.id}/publish")
    with tenant_scope(editor.world.bakery.id):
        assert WhatsappFlow.get_or_404(editor.flow.id).newest.task == ""


def test_an_answer_is_mapped_to_a_contact_field(editor: Editor, world: World) -> None:
    with tenant_scope(world.bakery.id):
        id = str(ContactField.get_or_make("Bread").id)
    editor.press("save", screens__1__parts__0__field="bread ", screens__0__parts__0__field="nonsense")
    with tenant_scope(world.bakery.id):
        assert WhatsappFlow.get_or_404(editor.flow.id).field_map == {"bread": id}


def test_hostile_input_is_bounded(editor: Editor) -> None:
    typed = {f"screens-{place}-title": "x" * 1_000 for place in range(100)}
    typed |= {f"screens-0-parts-{index}-kind": "dropdown" for index in range(1_000)}
    typed |= {"screens-0-parts-0-options": "\x00a\n" * 2_000, "do": "save"}
    assert editor.browser.post(f"{HERE}{editor.flow.id}/screens", data=typed).status_code == 303
    assert len(editor.screens) == 9 and len(editor.screens[0]["parts"]) == 21
    assert editor.browser.get(f"{HERE}{editor.flow.id}").status_code == 200


def test_a_form_that_is_too_long_is_not_saved_and_says_so(editor: Editor) -> None:
    editor.press("save", screens__1__parts__0__options="x" * 150_001)
    assert editor.screens == SCREENS
    assert "too long for WhatsApp" in editor.page


@pytest.mark.parametrize("kind", ["dropdown", "radio", "text", "short"])
def test_the_largest_form_costs_no_more_than_a_page_may(ann: Browser, world: World, number: Any, kind: str) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add_all(ContactField(name=f"{n}" + "f" * 50, kind="text", choices=[]) for n in range(50))
    large = {"options": [f"{n} <b>" for n in range(200)]} if kind in ("dropdown", "radio") else {}
    fields = [part(kind, "<b>" * (50 if kind == "text" else 10), f"n{n}", hint="&" * 90, **large) for n in range(20)]
    many = fields if kind in ("text", "short") else fields[:2]
    flow = begin(world, number, [screen(*many, title="<b>" * 60) for _ in range(8)], published=False)
    meter, size = Meter(), 0

    def request() -> None:
        nonlocal size
        size = len(isolated(ann.client.get, f"{HERE}{flow.id}").get_data())

    assert meter.seconds(request) < meter.most
    assert size < 1_000_000


def test_the_preview_shows_every_screen(editor: Editor) -> None:
    assert len(re.findall("flow-screen", editor.page)) == 2
    assert "<bdi>Rye</bdi>" in editor.page


def test_the_questions_of_a_form_are_those_that_were_built() -> None:
    questions = questions_in(build(SCREENS))
    assert [(one.name, one.label) for one in questions] == [
        ("full_name", "Full name"),
        ("guests", "Guests"),
        ("bread", "Bread"),
        ("news", "News please"),
    ]
    assert questions[2].titles == {"0": "Rye", "1": "Wheat"}


@pytest.mark.parametrize("kind", ["slot", "lookup"])
def test_a_form_with_live_choices_is_taken_by_the_other_reading_too(kind: str) -> None:
    screens = [screen(part(kind, "Time", "time")), screen(part("short", "Name", "name"))]
    assert problems_of(screens) == [] and errors_in(json.dumps(build(screens))) == []


# Responses


@pytest.fixture
def answered(world: World, ann: Browser, number: Any) -> Any:
    arrive(message("Hello"))
    flow = begin(world, number)
    send(world, conversation(world), flow)
    receive(world, reply({"full_name": "=1+1", "bread": "0", "extra": "+49"}))
    return flow


def rows_in(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def test_responses_are_a_table(answered: Any, ann: Browser) -> None:
    page = ann.get(f"{HERE}responses").get_data(as_text=True)
    assert "Carla" in page and "=1+1" in page and "Rye" in page


@pytest.mark.parametrize(("days", "count"), [(0, 1), (1, 0), (-1, 1)])
def test_responses_are_narrowed_by_form_and_day(answered: Any, ann: Browser, days: int, count: int) -> None:
    day = (now() + dt.timedelta(days=days)).date()
    page = ann.get(f"{HERE}responses?since={day}&flow={answered.id}").get_data(as_text=True)
    assert page.count("flow-answers") == count
    other = ann.get(f"{HERE}responses?flow=01a226e7-91e3-7fbe-ab3f-88e0366e4537").get_data(as_text=True)
    assert "No responses found" in other


@pytest.mark.parametrize("query", ["since=x&until=9999-99-99", "flow=%00", "since=0001-01-01&page=99999999999"])
def test_nonsense_in_the_address_is_passed_over(answered: Any, ann: Browser, query: str) -> None:
    assert ann.get(f"{HERE}responses?{query}").status_code == 200


def test_the_export_has_a_column_for_each_field_and_calculates_nothing(answered: Any, ann: Browser) -> None:
    answer = ann.confirmed().post(f"{HERE}responses/export", data={"flow": str(answered.id)})
    (row,) = rows_in(answer)
    assert (row["Full name"], row["Bread"], row["phone"]) == ("'=1+1", "Rye", "16505551234")
    assert row["flow"] == "Order" and row["version"] == "1"


def test_the_export_of_all_forms_has_the_answers_in_one_column(answered: Any, ann: Browser) -> None:
    (row,) = rows_in(ann.confirmed().post(f"{HERE}responses/export"))
    assert row["answers"] == "Full name: =1+1\nBread: Rye\nextra: +49"


def test_the_export_asks_for_the_password(answered: Any, ann: Browser) -> None:
    answer = ann.post(f"{HERE}responses/export")
    assert answer.status_code == 303 and "confirm" in answer.headers["Location"]


def test_an_erased_person_has_no_responses(answered: Any, ann: Browser, world: World) -> None:
    with tenant_scope(world.bakery.id):
        erase(Contact.get_or_404(responses(world)[0].contact_id), by=Actor.agent(world.ann))
    assert responses(world) == []


# Appointment times


def test_a_form_says_that_no_appointment_times_are_set(ann: Browser, world: World, number: Any) -> None:
    data = {"starter": "appointment", "language": "en_US", "name": "Book", "category": "OTHER"}
    ann.post(HERE, data=data | {"waba_id": number.waba_id})
    with tenant_scope(world.bakery.id):
        address = f"{HERE}{db.session.query(WhatsappFlow).one().id}"
    assert "Customers will find no free time" in ann.get(address).text
    with tenant_scope(world.bakery.id):
        db.session.add(FlowSlot(weekday=0, starts_minute=540, ends_minute=720, minutes=60, capacity=1))
    assert "Customers will find no free time" not in ann.get(address).text


@pytest.mark.parametrize(("day", "days"), [("weekdays", [0, 1, 2, 3, 4]), ("all", [0, 1, 2, 3, 4, 5, 6])])
def test_the_times_of_several_days_are_added_at_once(ann: Browser, world: World, day: str, days: list[int]) -> None:
    data = {"weekday": day, "starts": "09:00", "ends": "12:00", "minutes": "30", "capacity": "1"}
    assert ann.post(f"{HERE}slots", data=data).status_code == 303
    with tenant_scope(world.bakery.id):
        assert [slot.weekday for slot in db.session.scalars(FlowSlot.in_order())] == days


def test_times_are_added_and_removed(ann: Browser, world: World) -> None:
    data = {"weekday": "0", "starts": "09:00", "ends": "12:00", "minutes": "30", "capacity": "2"}
    assert ann.post(f"{HERE}slots", data=data).status_code == 303
    page = ann.get(f"{HERE}slots").get_data(as_text=True)
    assert "9:00–12:00" in page and "2 places" in page
    with tenant_scope(world.bakery.id):
        slot = db.session.query(FlowSlot).one()
        assert len(slot.starts) == 6
    ann.post(f"{HERE}slots/{slot.id}/removal")
    with tenant_scope(world.bakery.id):
        assert db.session.query(FlowSlot).count() == 0


@pytest.mark.parametrize("wrong", [{"ends": "08:00"}, {"minutes": "0"}, {"capacity": "1000"}, {"weekday": "9"}])
def test_times_that_make_no_sense_are_refused(ann: Browser, wrong: dict[str, str]) -> None:
    data = {"weekday": "0", "starts": "09:00", "ends": "12:00", "minutes": "30", "capacity": "2"} | wrong
    assert ann.post(f"{HERE}slots", data=data).status_code == 422


def test_who_saves_a_form_second_sees_the_first_ones_version(ann: Browser, world: World, number: Any) -> None:
    flow = begin(world, number, published=False)
    page = ann.get(f"{HERE}{flow.id}").text
    typed = dict(re.findall(r'name="(screens-[^"]+|edition)"[^>]*?value="([^"]*)"', page.replace("\n", " ")))
    ann.post(f"{HERE}{flow.id}/screens", data=typed | {"screens-0-title": "First", "do": "save"})
    answer = ann.post(f"{HERE}{flow.id}/screens", data=typed | {"screens-0-title": "Second", "do": "save"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and 'value="Second"' in page and ">First<" in page
    assert "isn&#39;t saved" in page or "isn't saved" in page
    with tenant_scope(world.bakery.id):
        assert WhatsappFlow.get_or_404(flow.id).newest.screens[0]["title"] == "First"


def test_a_canned_reply_with_a_form_opens_its_newest_version(world: World, number: Any, ann: Browser) -> None:
    flow, talk = begin(world, number), people.conversation(number)
    filled = {"version": str(flow.newest.id), "body": "Please order", "button": "Open", "shortcut": "order"}
    assert "Type /order" in ann.post(f"~/inbox/{talk.id}/compose/flow/canned-reply", filled).text
    with tenant_scope(world.bakery.id):
        reply_id = db.session.scalars(select(CannedReply)).one().id
        newer = WhatsappFlow.get_or_404(flow.id).edit(SCREENS[:1], by=Actor.agent(world.ann))
        newer.meta_id, newer.status = "6627002", "PUBLISHED"
        newer_id = newer.id
    page = ann.get(f"~/inbox/{talk.id}/compose/flow?canned={reply_id}").text
    assert f'selected value="{newer_id}"' in page and "Please order" in page


def test_a_published_form_says_where_to_send_it(ann: Browser, world: World, number: Any) -> None:
    draft, flow = begin(world, number, name="Draft", published=False), begin(world, number)
    assert "Send it to customers" not in ann.get(f"{HERE}{draft.id}").text
    page = ann.get(f"{HERE}{flow.id}").text
    assert "Send it to customers" in page and "In an automation" in page and META_ID in page


def test_where_no_form_is_published_one_is_led_to_them(number: Any, ann: Browser, ben: Browser) -> None:
    talk = people.conversation(number)
    page = ann.get(f"~/inbox/{talk.id}/compose/flow", headers=FRAGMENT).text
    assert f'href="{HERE}"' in page and "Send</button>" not in page
    assert "Ask an owner or admin" in ben.get(f"~/inbox/{talk.id}/compose/flow", headers=FRAGMENT).text
