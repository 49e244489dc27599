from __future__ import annotations

import datetime as dt
import time

import pytest
from flask import Flask

from app.hours.models import ServicePolicy, Urgency
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.tenancy import Actor, db, now, tenant_scope
from app.variables import names_in
from tests.arrivals import arrive, messages
from tests.client import Browser
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.world import BAKERY_NUMBER, World

ADDRESS = "/t/bakery/hours/"
CLOSED = {"opens": "always", "time_zone": "Europe/Berlin", "away_text": "We are asleep."}
OPEN = CLOSED | {"opens": "hours"}
FRIDAY = {"day4-open": "y", "day4-from": "09:00", "day4-to": "17:00"}


def policy(world: World) -> ServicePolicy:
    with tenant_scope(world.bakery.id):
        return ServicePolicy.current()


def closed_now(world: World, **more: object) -> None:
    """Open for a minute, twelve hours from now."""
    later = now() + dt.timedelta(hours=12)
    span = f"{later:%H:%M}-{later + dt.timedelta(minutes=1):%H:%M}"
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(time_zone="UTC", week=[span] * 7, away_text="We are asleep.", **more))


def closed_form() -> dict[str, object]:
    """What the page sends for a business that is open for a minute, twelve hours from now."""
    later = now() + dt.timedelta(hours=12)
    days: dict[str, object] = {}
    for n in range(7):
        days |= {f"day{n}-open": "y", f"day{n}-from": f"{later:%H:%M}"}
        days |= {f"day{n}-to": f"{later + dt.timedelta(minutes=1):%H:%M}"}
    return OPEN | {"time_zone": "UTC"} | days


def written(world: World) -> list[tuple[str, str]]:
    return [(one.direction, one.body) for one in messages(world)]


def test_the_owner_sets_several_spans_a_day_and_holidays(app: Flask, world: World) -> None:
    ann = Browser(app).signed_in_as(world.ann)
    monday = {"day0-open": "y", "day0-from": ["13:00", "09:00", ""], "day0-to": ["18:00", "12:00", ""]}
    days = {"holidays-date": ["2026-12-25", "2026-01-01", ""], "holidays-name": ["Christmas", "", ""]}
    assert ann.post(ADDRESS, data=OPEN | monday | days).status_code == 303
    saved = policy(world)
    assert saved.week == ["09:00–12:00, 13:00–18:00", "", "", "", "", "", ""]
    assert saved.holidays == ["2026-01-01", "2026-12-25 Christmas"]
    page = ann.get(ADDRESS).text
    assert 'value="13:00"' in page and 'value="2026-12-25"' in page


@pytest.mark.parametrize(
    ("start", "end", "saved"),
    [
        ("22:00", "02:00", "22:00–02:00"),
        ("08:00", "24:00", "08:00–00:00"),
        ("00:00", "00:00", "00:00–00:00"),
        ("9.00", "17:00", "09:00–17:00"),
        ("09:00", "17:60", None),
        ("09:00:30", "17:00", "09:00–17:00"),
    ],
)
def test_hours_may_pass_midnight(app: Flask, world: World, start: str, end: str, saved: str | None) -> None:
    day = {"day4-open": "y", "day4-from": start, "day4-to": end}
    answer = Browser(app).signed_in_as(world.ann).post(ADDRESS, data=OPEN | day)
    assert answer.status_code == (303 if saved else 422)
    assert not saved or policy(world).week[4] == saved


def test_what_is_saved_is_read_back_as_it_was(app: Flask, world: World) -> None:
    with tenant_scope(world.bakery.id):
        week = ["9:00-12:00, 13.30 – 24:00", "22:00–02:00"] + [""] * 5
        db.session.add(ServicePolicy(time_zone="US/Eastern", week=week, holidays=["2026-12-25 Christmas"]))
    page = Browser(app).signed_in_as(world.ann).get(ADDRESS).text
    for value in ("09:00", "12:00", "13:30", "00:00", "22:00", "02:00", "Christmas"):
        assert f'value="{value}"' in page
    assert 'selected value="America/New_York"' in page


def test_a_day_marked_closed_is_closed(app: Flask, world: World) -> None:
    days = {"day0-open": "y", "day0-from": "09:00", "day0-to": "17:00", "day1-from": "09:00", "day1-to": "17:00"}
    Browser(app).signed_in_as(world.ann).post(ADDRESS, data=OPEN | days)
    assert policy(world).week[:2] == ["09:00–17:00", ""]


def test_hours_are_copied_to_other_days_and_saved_only_then(app: Flask, world: World) -> None:
    ann = Browser(app).signed_in_as(world.ann)
    day = {"day2-open": "y", "day2-from": "10:15", "day2-to": "16:00", "copy_from": "2", "copy": "weekdays"}
    answer = ann.post(ADDRESS, data=OPEN | day)
    assert answer.status_code == 200 and answer.text.count('value="10:15"') == 5
    assert policy(world).week == [] and "We are asleep." in answer.text


def test_a_business_begins_with_the_zone_of_its_browser(app: Flask, world: World) -> None:
    ann = Browser(app).signed_in_as(world.ann)
    ann.client.set_cookie("time_zone", "Asia/Kathmandu")
    assert 'selected value="Asia/Kathmandu">Kathmandu' in ann.get(ADDRESS).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"day0-open": "y"}, "Enter when you open and close"),
        ({"day0-open": "y", "day0-from": "09:00", "day0-to": ""}, "Enter both times"),
        ({"day0-open": "y", "day0-from": "nine", "day0-to": "17:00"}, "Enter times such as 09:00"),
        ({"day0-open": "y", "day0-from": "09:00", "day0-to": "25:00"}, "Enter times such as 09:00"),
        ({"day0-open": "y", "day0-from": ["09:00", "11:00"], "day0-to": ["12:00", "13:00"]}, "times overlap"),
        ({"day0-open": "y", "day0-from": ["20:00", "22:00"], "day0-to": ["02:00", "23:00"]}, "times overlap"),
        ({"opens": "hours"}, "for at least one day"),
        ({"holidays-date": "", "holidays-name": "Christmas"}, "Enter the date of “Christmas”"),
        ({"holidays-date": "2026-13-01", "holidays-name": ""}, "“2026-13-01” is not a date"),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice"),
        ({"first_response_minutes": "0"}, "between a minute and 30 days"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_field_and_nothing_is_lost(
    app: Flask, world: World, wrong: dict[str, str], words: str
) -> None:
    answer = (
        Browser(app).signed_in_as(world.ann).post(ADDRESS, data=OPEN | ({} if "opens" in wrong else FRIDAY) | wrong)
    )
    assert answer.status_code == 422
    assert words in answer.text and "We are asleep." in answer.text


def test_agents_do_not_change_it(app: Flask, world: World) -> None:
    assert Browser(app).signed_in_as(world.ben).post(ADDRESS, data=CLOSED).status_code == 403


def test_a_customer_who_writes_at_night_gets_one_reply(app: Flask, world: World) -> None:
    world.connect_numbers()
    closed_now(world)
    for wamid in ("wamid.1", "wamid.2"):
        arrive(message("anybody there?", number=BAKERY_NUMBER, wamid=wamid))
        deliver_to_subscriber("away", world.bakery.id)
    assert written(world).count(("outbound", "We are asleep.")) == 1


@pytest.mark.parametrize("field", ["away_text", "survey_question", "away_text:fr"])
@pytest.mark.parametrize("braces", ["{{order}}", "{{first_name", "{{}}"])
def test_braces_that_customers_would_read_are_refused(app: Flask, world: World, field: str, braces: str) -> None:
    ann = Browser(app).signed_in_as(world.ann)
    answer = ann.post(ADDRESS, data=CLOSED | {"wording": "fr", field: f"We are asleep, {braces}."})
    is_named = "can&#39;t be filled in here" in answer.text or "Customers would read these braces" in answer.text
    assert answer.status_code == 422 and is_named and "{{first_name}}" in answer.text


@pytest.mark.parametrize(
    ("name", "words", "reply"),
    [
        ("Carla Mendes", "Hello {{first_name|there}}, {{business}} is closed.", "Hello Carla, Bakery is closed."),
        ("+1 650 555 1234", "Hello {{first_name|there}}.", "Hello there."),
        ("+1 650 555 1234", "Hello {{first_name}}. {{agent|We}} will reply.", "Hello. We will reply."),
    ],
)
def test_the_out_of_office_reply_names_the_customer(
    app: Flask, world: World, name: str, words: str, reply: str
) -> None:
    world.connect_numbers()
    answer = Browser(app).signed_in_as(world.ann).post(ADDRESS, data=closed_form() | {"away_text": words})
    assert answer.status_code == 303
    arrive(message("anybody there?", number=BAKERY_NUMBER, name=name))
    deliver_to_subscriber("away", world.bakery.id)
    assert ("outbound", reply) in written(world)


@pytest.mark.parametrize(
    ("words", "reply"), [("{{name}} " * 100, ("Carla " * 800)[:4096]), ("{{agent}}\n{{agent}}", None)]
)
def test_a_reply_whose_values_do_not_fit_is_cut_and_an_empty_one_left_out(
    app: Flask, world: World, words: str, reply: str | None
) -> None:
    world.connect_numbers()
    Browser(app).signed_in_as(world.ann).post(ADDRESS, data=closed_form() | {"away_text": words})
    arrive(message("anybody there?", number=BAKERY_NUMBER, name="Carla " * 30))
    deliver_to_subscriber("away", world.bakery.id)
    assert [body[:4000] for way, body in written(world) if way == "outbound"] == ([reply[:4000]] if reply else [])


def test_braces_without_an_end_cost_no_time() -> None:
    began = time.process_time()
    assert names_in("{{" + " " * 1_000) == [] == names_in("{{a " * 16_000)
    assert names_in("{{  first name  | you }}") == ["first name"] and time.process_time() - began < 1


def test_no_reply_is_sent_between_the_questions_of_an_automation(world: World) -> None:
    world.connect_numbers()
    closed_now(world)
    arrive(message("a flat", number=BAKERY_NUMBER))
    with tenant_scope(world.bakery.id):
        db.session.query(Conversation).one().handled_by = "automation"
    deliver_to_subscriber("away", world.bakery.id)
    assert [one for one in written(world) if one[0] == "outbound"] == []


def test_agent_in_an_automatic_reply_is_the_assignee(world: World) -> None:
    world.connect_numbers()
    arrive(message("anybody there?", number=BAKERY_NUMBER))
    with tenant_scope(world.bakery.id):
        talk = db.session.query(Conversation).one()
        assert talk.fill_in("Ask {{agent|us}}.") == "Ask us."
        talk.assign_to(world.ben, Actor.agent(world.ann))
        assert talk.fill_in("Ask {{agent_first_name|us}} ({{ agent }}).") == "Ask Ben (Ben)."


@pytest.mark.parametrize(
    ("words", "reply"), [("Bonsoir, est-ce que vous êtes là ?", "Nous dormons."), ("anybody there?", "We are asleep.")]
)
def test_the_out_of_office_reply_is_in_the_customers_language(app: Flask, world: World, words: str, reply: str) -> None:
    world.connect_numbers()
    closed_now(world, wordings={"fr": {"away_text": "Nous dormons."}})
    arrive(message(words, number=BAKERY_NUMBER))
    deliver_to_subscriber("away", world.bakery.id)
    assert ("outbound", reply) in written(world)


def test_a_language_is_added_shown_and_saved(app: Flask, world: World) -> None:
    ann = Browser(app).signed_in_as(world.ann)
    page = ann.post(ADDRESS, data=CLOSED | {"add_wording": "1", "added_wording": "fr"})
    assert page.status_code == 200 and 'name="away_text:fr"' in page.text
    french = {"wording": "fr", "away_text:fr": "Nous dormons.", "survey_question:fr": ""}
    assert ann.post(ADDRESS, data=CLOSED | french).status_code == 303
    assert policy(world).wordings == {"fr": {"away_text": "Nous dormons."}}
    answer = ann.post(ADDRESS, data=CLOSED | french | {"away_text:fr": "n" * 1_025})
    assert answer.status_code == 422 and "at most 1,024 characters" in answer.text


def test_no_reply_is_sent_while_the_business_is_open(app: Flask, world: World) -> None:
    world.connect_numbers()
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(away_text="We are asleep."))
    arrive(message("hello", number=BAKERY_NUMBER))
    deliver_to_subscriber("away", world.bakery.id)
    assert [direction for direction, _ in written(world)] == ["inbound"]


def test_an_old_message_that_comes_late_gets_no_away_message(app: Flask, world: World) -> None:
    world.connect_numbers()
    closed_now(world)
    arrive(message("old", number=BAKERY_NUMBER, at=int((now() - dt.timedelta(hours=5)).timestamp())))
    deliver_to_subscriber("away", world.bakery.id)
    assert [direction for direction, _ in written(world)] == ["inbound"]


def test_the_away_message_is_an_ordinary_message_in_the_outbox(app: Flask, world: World) -> None:
    world.connect_numbers()
    closed_now(world)
    arrive(message("hello", number=BAKERY_NUMBER))
    deliver_to_subscriber("away", world.bakery.id)
    (sent,) = (one for one in messages(world) if one.direction == "outbound")
    assert isinstance(sent, Message) and sent.state == "queued" and sent.expires_at is not None
    assert (sent.sent_by, sent.source, sent.lane) == (Actor.system("away"), "away", "automation")


def test_the_ring_goes_from_green_over_amber_to_red() -> None:
    promise = ServicePolicy(time_zone="UTC", week=[], holidays=[], first_response_minutes=60, targets_run_always=False)
    minute = dt.timedelta(minutes=1)
    waits = [now() - 10 * minute, now() - 40 * minute, now() - 61 * minute]
    assert [promise.urgency(since, is_first=True) for since in waits] == [Urgency.GOOD, Urgency.SOON, Urgency.LATE]
    assert promise.urgency(waits[2], is_first=False) is None and promise.urgency(None, is_first=True) is None


def template(world: World, *titles: str, body: str = "How was it?") -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        one = MessageTemplate(waba_id=number.waba_id, meta_id="1", name="how_was_it", language="en", category="UTILITY")
        one.status, one.parameter_format = "APPROVED", "POSITIONAL"
        buttons = [{"type": "QUICK_REPLY", "text": title} for title in titles]
        one.components = [{"type": "BODY", "text": body}, {"type": "BUTTONS", "buttons": buttons}]
        db.session.add(one)


def test_a_template_with_answers_can_be_chosen_to_ask(app: Flask, world: World) -> None:
    template(world, "Great", "Okay", "Bad")
    ann = Browser(app).signed_in_as(world.ann)
    assert "How was it (en)" in ann.get(ADDRESS).text
    chosen = CLOSED | {"survey_template": "how_was_it|en", "survey_reopens": "y"}
    assert ann.post(ADDRESS, data=chosen).status_code == 303
    stored = policy(world)
    assert (stored.survey_template_name, stored.survey_template_language, stored.survey_reopens) == (
        "how_was_it",
        "en",
        True,
    )


@pytest.mark.parametrize(
    ("titles", "body"),
    [(("Great",), "How was it?"), (("1", "2", "3", "4"), "How was it?"), (("Great", "Bad"), "How was it, {{1}}?")],
)
def test_a_template_that_cannot_ask_is_not_offered_and_not_taken(
    app: Flask, world: World, titles: tuple[str, ...], body: str
) -> None:
    template(world, *titles, body=body)
    ann = Browser(app).signed_in_as(world.ann)
    assert "You have no such template yet" in ann.get(ADDRESS).text
    answer = ann.post(ADDRESS, data=CLOSED | {"survey_template": "how_was_it|en"})
    assert answer.status_code == 422 and "Choose an approved template" in answer.text


def test_a_chosen_template_that_is_not_approved_any_more_is_named_and_blocks_nothing(app: Flask, world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(survey_template_name="how_was_it", survey_template_language="en"))
    ann = Browser(app).signed_in_as(world.ann)
    assert "how_was_it: cannot be sent now" in ann.get(ADDRESS).text
    assert ann.post(ADDRESS, data=CLOSED | {"survey_template": "how_was_it|en"}).status_code == 303


def test_the_stranger_sees_nothing_of_it(app: Flask, world: World) -> None:
    assert Browser(app).signed_in_as(world.sue).get(ADDRESS).status_code == 404
