"""Rules: what begins one, what does not, and why."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import pytest
from sqlalchemy import event

from app.automation.definitions import Definition
from app.automation.engine import respond
from app.automation.models import Automation, AutomationRun, AutomationTrace
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import Actor, Happened, db, now, tenant_scope
from app.tenancy.happenings import HappeningCursor
from tests.arrivals import arrive, of_field
from tests.automation.conftest import Shop, keyword, reply
from tests.cpu import Meter, cpu_of
from tests.enqueued import Enqueued
from tests.posts import message

DAY = 86_400


def test_a_message_is_replied_to_and_the_run_says_what_was_done(shop: Shop) -> None:
    shop.rule("message", reply("Welcome to the bakery"))
    shop.write("Hello")
    assert shop.sent() == ["Welcome to the bakery"] and shop.run.state == "done"
    assert shop.results() == ["sent"] and shop.why == ["begun"]


@pytest.mark.parametrize(
    ("mode", "words", "body", "begins"),
    [
        ("exact", "menu", "Menu!", True),
        ("exact", "menu", "the menu please", False),
        ("contains", "menu", "the menus please", True),
        ("word", "menu", "the menus please", False),
        ("word", "menu", "the Menú, please", True),
        ("pattern", r"^order \d+$", "Order 66", True),
        ("pattern", r"^order \d+$", "Order x", False),
    ],
)
def test_keywords(shop: Shop, mode: str, words: str, body: str, begins: bool) -> None:
    shop.rule(keyword(words, mode=mode), reply("Here it is"))
    shop.write(body)
    assert bool(shop.sent()) == begins
    assert shop.decisions()[0].get("seen") == (None if begins else body)


def test_a_pattern_that_explodes_elsewhere_takes_no_time(shop: Shop) -> None:
    shop.rule(keyword("(a+)+b", "(a|a)*b", "(.*)*(.*)*b", mode="pattern"), reply("Here it is"))
    shop.write("a" * 4_000, works=False)
    assert cpu_of(shop.hear) < Meter().most and shop.why == ["trigger"]


def test_the_first_message_ever(shop: Shop) -> None:
    shop.rule("first_message", reply("Welcome"))
    shop.write("Hello")
    shop.write("Hello again")
    assert shop.sent() == ["Welcome"] and shop.why == ["trigger"]


def test_the_window_opens_again_after_a_day(shop: Shop) -> None:
    shop.rule("window_opens", reply("Back again?"))
    shop.write("Hello", at=time.time() - 2 * DAY)
    assert shop.why == ["too_old"]
    shop.write("Hello")
    shop.write("Are you there?")
    assert shop.sent() == ["Back again?"]


def test_the_first_failing_condition_is_shown_with_the_value_seen(shop: Shop) -> None:
    shop.write("Hello")
    vip, _new = shop.tag("vip"), shop.tag("new", on=True)
    hours = {"kind": "window", "state": "open"}
    shop.rule("message", reply("Dear guest"), conditions=[hours, {"kind": "tag", "has": "has", "tag": vip}])
    shop.write("Hello")
    (decision,) = shop.decisions()
    assert (decision["why"], decision["path"], decision["seen"]) == ("condition", "1", "new")
    assert shop.sent() == []


def condition_cases(shop: Shop) -> list[tuple[dict[str, Any], bool]]:
    vip, gold = shop.tag("vip", on=True), shop.tag("gold")
    size, born = shop.field("Size", "number", "42"), shop.field("Born", "date", "1990-05-01")
    number = str(shop.number.id)
    return [
        ({"kind": "tag", "has": "has", "tag": vip}, True),
        ({"kind": "tag", "has": "has_not", "tag": gold}, True),
        ({"kind": "tag", "has": "has", "tag": gold}, False),
        ({"kind": "field", "field": size, "operator": "more", "value": "41"}, True),
        ({"kind": "field", "field": size, "operator": "less", "value": "41"}, False),
        ({"kind": "field", "field": size, "operator": "more", "value": "abc"}, False),
        ({"kind": "field", "field": born, "operator": "less", "value": "2000-01-01"}, True),
        ({"kind": "field", "field": size, "operator": "filled"}, True),
        ({"kind": "field", "field": size, "operator": "empty"}, False),
        ({"kind": "country", "operator": "is", "countries": ["us"]}, True),
        ({"kind": "language", "operator": "is", "languages": ["en"]}, True),
        ({"kind": "language", "operator": "is_not", "languages": ["en"]}, False),
        ({"kind": "state", "operator": "is", "state": "open"}, True),
        ({"kind": "assignee", "who": "nobody"}, True),
        ({"kind": "assignee", "who": "member", "member": str(shop.world.ann.id)}, False),
        ({"kind": "team", "operator": "is", "team": ""}, True),
        ({"kind": "handled_by", "who": "nobody"}, True),
        ({"kind": "window", "state": "closed"}, False),
        ({"kind": "number", "operator": "is", "number": number}, True),
        ({"kind": "message", "mode": "contains", "words": ["bread"]}, True),
        ({"kind": "message_type", "operator": "is", "type": "text"}, True),
        ({"kind": "message_type", "operator": "is", "type": "image"}, False),
        ({"kind": "hours", "when": "open"}, True),
        ({"kind": "weekday", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, True),
        ({"kind": "time", "since": "00:00", "until": "23:59"}, True),
        ({"kind": "value", "name": "answer", "operator": "empty"}, True),
    ]


def test_each_condition(shop: Shop) -> None:
    from app.automation.conditions import Group
    from app.automation.turns import Turn

    received = shop.write("Any bread?")
    cases = condition_cases(shop)
    with tenant_scope(shop.id):
        turn = Turn(Conversation.get_or_404(shop.talk.id), Message.get_or_404(received.id))
        turn.at = turn.at.replace(hour=12)
        for condition, expected in cases:
            group = Group.model_validate({"items": [condition]})
            assert (group.failure(turn) is None) == expected, condition


@pytest.mark.parametrize(("mode", "holds"), [("all", False), ("any", True), ("none", False)])
def test_all_any_and_none(shop: Shop, mode: str, holds: bool) -> None:
    conditions = [{"kind": "window", "state": "open"}, {"kind": "state", "operator": "is", "state": "resolved"}]
    shop.rule("message", reply("Hi"), conditions=conditions, mode=mode)
    shop.write()
    assert bool(shop.sent()) == holds


def test_groups_may_be_nested(shop: Shop) -> None:
    inner = {"kind": "group", "mode": "any", "items": [{"kind": "state", "operator": "is", "state": "resolved"}]}
    shop.rule("message", reply("Hi"), conditions=[{"kind": "window", "state": "open"}, inner])
    shop.write()
    assert shop.decisions()[0]["path"] == "1.0"


def test_several_rules_do_not_all_reply_unless_they_may(shop: Shop) -> None:
    shop.rule("message", reply("One"), name="One", stops=False)
    shop.rule("message", reply("Two"), name="Two")
    shop.rule("message", reply("Three"), name="Three")
    shop.write()
    assert shop.sent() == ["One", "Two"]
    assert shop.why == ["begun", "begun", "stopped_before"] and shop.decisions()[2]["seen"] == "Two"


def test_their_order_decides(shop: Shop) -> None:
    shop.rule("message", reply("One"), name="One")
    two = shop.rule("message", reply("Two"), name="Two")
    with tenant_scope(shop.id):
        Automation.get_or_404(two.id).move(-1)
    shop.write()
    assert shop.sent() == ["Two"]


def test_one_that_is_off_does_nothing(shop: Shop) -> None:
    rule = shop.rule("message", reply("Hi"))
    with tenant_scope(shop.id):
        Automation.get_or_404(rule.id).switch(is_on=False)
    shop.write()
    assert shop.sent() == [] and shop.decisions() == []


@pytest.mark.parametrize(("repeats", "sent"), [("always", 2), ("once", 1), ("days", 1)])
def test_how_often_it_runs_for_one_customer(shop: Shop, repeats: str, sent: int) -> None:
    shop.rule("message", reply("Hi"), repeats=repeats)
    shop.write()
    shop.write()
    assert len(shop.sent()) == sent


def test_a_happening_begins_a_run_once_however_often_it_is_delivered(shop: Shop) -> None:
    shop.rule("message", reply("Hi"))
    shop.write()
    with tenant_scope(shop.id):
        cursor = db.session.scalars(db.select(HappeningCursor).where(HappeningCursor.subscriber == "automations")).one()
        cursor.since = None
    shop.work()
    assert shop.sent() == ["Hi"] and len(shop.runs()) == 1


def test_history_reactions_and_the_phone_begin_nothing(shop: Shop) -> None:
    shop.rule("message", reply("Hi"), repeats="always")
    item = {"from": "16505551234", "id": "wamid.old", "timestamp": "1700000000", "type": "text", "text": {"body": "x"}}
    thread = {"id": "16505551234", "messages": [item]}
    arrive(of_field("history", history=[{"metadata": {"phase": 0, "progress": 100}, "threads": [thread]}]))
    arrive(message(type="reaction", reaction={"message_id": "wamid.old", "emoji": "👍"}))
    item = {"from": "15550783881", "to": "16505551234", "id": "wamid.echo", "timestamp": f"{now():%s}", "type": "text"}
    arrive(of_field("smb_message_echoes", message_echoes=[item | {"text": {"body": "From the phone"}}]))
    shop.work()
    assert shop.runs() == []


def test_while_a_person_has_the_conversation_no_rule_replies(shop: Shop) -> None:
    shop.rule("message", reply("Hi"))
    shop.write()
    shop.reply_as_ann()
    shop.write("Thanks")
    assert shop.sent() == ["Hi"] and shop.why == ["with_person"]


def test_one_that_may_also_runs_then_and_what_it_sends_is_refused(shop: Shop) -> None:
    invoice = shop.tag("invoice")
    steps = {"kind": "tag", "what": "add", "tag": invoice}, reply("Hi")
    shop.rule("message", *steps, runs_beside_people=True)
    arrive(message("Hello"))
    shop.reply_as_ann()
    shop.work()
    assert shop.tags() == ["invoice"] and shop.sent() == []
    assert shop.results() == ["done", "refused"] and shop.run.reason == "with_person"


def test_automation_that_was_stopped_for_the_number_begins_nothing(shop: Shop) -> None:
    shop.rule("message", reply("Hi"))
    with tenant_scope(shop.id):
        NumberDesk.pause_automation(shop.number.id)
    shop.write()
    assert shop.why == ["paused"] and shop.sent() == []


def test_a_business_without_automations_costs_one_query(shop: Shop) -> None:
    shop.write(works=False)
    statements: list[str] = []
    with tenant_scope(shop.id):
        engine = db.engines[None]
        note = lambda _c, _u, statement, *_: statements.append(statement)  # noqa: E731
        event.listen(engine, "before_cursor_execute", note)
        respond([Happened(uuid.uuid4(), "message.received", uuid.uuid4(), None, None, now())])
        event.remove(engine, "before_cursor_execute", note)
    assert len([one for one in statements if not one.lower().startswith(("begin", "set"))]) == 1


def test_a_rule_of_the_neighbours_hears_nothing(shop: Shop) -> None:
    with tenant_scope(shop.world.shoes.id):
        theirs = Automation.create("Theirs", Definition.read({"trigger": {"kind": "message"}, "steps": [reply("Hi")]}))
        theirs.publish(by=Actor.agent(shop.world.sue))
        theirs.switch(is_on=True)
    shop.write()
    assert shop.runs() == []


def test_conversations_begin_runs_when_they_change(shop: Shop) -> None:
    shop.rule({"kind": "conversation", "what": "resolved"}, {"kind": "note", "text": "Resolved"})
    shop.write()
    with tenant_scope(shop.id):
        Conversation.get_or_404(shop.talk.id).put("resolved", by=Actor.agent(shop.world.ann))
    shop.work()
    assert [run.state for run in shop.runs()] == ["done"]


def test_tags_and_fields_begin_runs(shop: Shop) -> None:
    shop.write()
    vip, size = shop.tag("vip"), shop.field("Size")
    shop.rule({"kind": "tag", "what": "added", "tag": vip}, reply("You are a VIP"))
    shop.rule({"kind": "field", "field": size}, reply("Your size is {{Size}}"))
    shop.tag("vip", on=True)
    shop.field("Size", value="42")
    shop.work()
    assert sorted(shop.sent()) == ["You are a VIP", "Your size is 42"]


def test_a_rule_that_begins_itself_does_not(shop: Shop) -> None:
    shop.write()
    vip = shop.tag("vip")
    steps = {"kind": "tag", "what": "remove", "tag": vip}, {"kind": "tag", "what": "add", "tag": vip}
    shop.rule({"kind": "tag", "what": "added", "tag": vip}, *steps)
    shop.tag("vip", on=True)
    shop.work()
    assert len(shop.runs()) == 1 and shop.why == ["own"]


def test_two_rules_that_begin_each_other_are_stopped(shop: Shop) -> None:
    shop.write()
    one, two = shop.tag("one"), shop.tag("two")
    for mine, other in ((one, two), (two, one)):
        swap = {"kind": "tag", "what": "remove", "tag": mine}, {"kind": "tag", "what": "add", "tag": other}
        shop.rule({"kind": "tag", "what": "added", "tag": mine}, *swap)
    shop.tag("one", on=True)
    for _ in range(5):
        shop.work()
    assert len(shop.runs()) == 16 and "often" in shop.why


def test_the_window_that_is_about_to_close(shop: Shop) -> None:
    from app.inbox.desk.jobs import record_closing

    shop.rule("window_closes", reply("Are you still there?"))
    shop.write(works=False)
    closing = now() - dt.timedelta(hours=23, minutes=30)
    shop.change(last_inbound_at=closing, waiting_since=closing)
    record_closing(shop.id)
    shop.work()
    assert shop.sent() == ["Are you still there?"]


def test_old_traces_and_runs_are_deleted(shop: Shop, enqueued: Enqueued) -> None:
    from app.automation.jobs import forget_old_runs

    shop.rule("message", reply("Hi"))
    shop.write()
    with tenant_scope(shop.id):
        db.session.execute(db.update(AutomationTrace).values(at=now() - dt.timedelta(days=31)))
        db.session.execute(db.update(AutomationRun).values(ended_at=now() - dt.timedelta(days=200)))
    forget_old_runs()
    enqueued.run("automation.forget")
    assert shop.runs() == [] and shop.decisions() == []
