"""What steps do, what they wait for, and that nothing is done twice whatever happens between two of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import uuid
from typing import Any

import pytest
import time_machine
from PIL import Image

from app import tenancy
from app.automation import runner
from app.automation.asking import read_number
from app.automation.jobs import begin_by_time, find_due_runs
from app.automation.models import Automation, AutomationRun, AutomationSettings
from app.hours.models import ServicePolicy
from app.inbox.compose.canned_files import CannedFile
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.conversations import GREETING, Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.desk.notes import Note
from app.inbox.files.attachments import Attachment
from app.message_templates.models import MessageTemplate
from app.team.models import Team, TeamMember
from app.tenancy import Actor, db, now, tenant_scope
from tests.automation.conftest import Shop, keyword, reply
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

WAIT = {"kind": "wait", "amount": 1, "unit": "hours"}


def ask(question: str = "Which size?", **more: Any) -> dict[str, Any]:
    return {"kind": "ask", "question": question, "answer": "text"} | more


def later(shop: Shop, hours: float = 1.1) -> None:
    """Time passes: what waited is due."""
    with tenant_scope(shop.id):
        for run in db.session.scalars(db.select(AutomationRun).where(AutomationRun.state == "waiting")):
            run.next_at = run.next_at and run.next_at - dt.timedelta(hours=hours)
    for run in shop.runs():
        if run.state in ("waiting", "running"):
            shop.advance(run.id)


def test_buttons_lists_and_variables(shop: Shop) -> None:
    buttons = {"kind": "buttons", "text": "Hi {{first_name}}", "buttons": ["Yes", "No"]}
    menu = {"kind": "menu", "text": "Choose", "button": "Open", "rows": ["Bread|Fresh", "Cake"]}
    shop.rule("message", buttons, menu, reply("{{nothing|there}}, this is {{business}}"))
    shop.write()
    assert shop.sent() == ["Hi Carla", "Choose", "there, this is Bakery"]


def test_a_canned_reply(shop: Shop) -> None:
    with tenant_scope(shop.id):
        canned = CannedReply(id=uuid.uuid4(), shortcut="hours", body="We open at 9, {{first_name}}")
        db.session.add(canned)
    shop.rule("message", {"kind": "canned", "reply": str(canned.id)})
    shop.write()
    assert shop.sent() == ["We open at 9, Carla"]


def picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (8, 8)).save(held, "PNG")
    return held.getvalue()


def canned(shop: Shop, file: bytes) -> uuid.UUID:
    """A canned reply of everyone's with a file."""
    with tenant_scope(shop.id):
        reply = CannedReply(id=uuid.uuid4(), shortcut="menu", body="Our menu, {{first_name}}")
        db.session.add(reply)
        db.session.flush()
        CannedFile.store(Attachment.of(io.BytesIO(file), "menu.png")).attach_to(reply)
        return reply.id


def test_a_canned_reply_goes_with_its_picture(shop: Shop) -> None:
    shop.rule("message", {"kind": "canned", "reply": str(canned(shop, picture()))})
    shop.write()
    with tenant_scope(shop.id):
        [sent] = db.session.scalars(db.select(Message).where(Message.direction == "outbound"))
        assert (sent.type, sent.words, sent.media and sent.media.kind) == ("image", "Our menu, Carla", "image")


def test_a_picture_that_greets_is_a_greeting(shop: Shop) -> None:
    shop.rule("message", {"kind": "canned", "reply": str(canned(shop, picture()))}, stops=False)
    shop.write()
    with tenant_scope(shop.id):
        assert db.session.query(Message).filter_by(direction="outbound").one().source == GREETING


def template(shop: Shop, status: str = "APPROVED") -> None:
    with tenant_scope(shop.id):
        one = MessageTemplate(waba_id=shop.number.waba_id, meta_id="1", name="spring", language="en")
        one.category, one.status, one.parameter_format = "UTILITY", status, "POSITIONAL"
        one.components = [{"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Ann"]]}}]
        db.session.add(one)


def test_a_template_goes_out_although_the_window_is_closed(shop: Shop) -> None:
    template(shop)
    sending = {"kind": "template", "template": "spring|en", "values": ["{{first_name}}"]}
    shop.write()
    shop.change(last_inbound_at=now() - dt.timedelta(days=2))
    shop.rule({"kind": "conversation", "what": "resolved"}, reply("Text"), sending)
    with tenant_scope(shop.id):
        Conversation.get_or_404(shop.talk.id).put("resolved", by=Actor.agent(shop.world.ann))
    shop.work()
    assert shop.results() == ["refused", "sent"] and shop.sent() == ["Hello Carla"]


def test_a_template_says_which_automations_send_it(shop: Shop) -> None:
    from app.message_templates.uses import uses_of

    template(shop)
    shop.rule("message", {"kind": "template", "template": "spring|en"}, name="Spring")
    with tenant_scope(shop.id):
        assert [use.name for use in uses_of("spring", "en")] == ["Spring"] and uses_of("spring", "de") == []


def test_an_automation_is_broken_by_a_variable_that_it_has_no_value_for(shop: Shop) -> None:
    from app.message_templates.uses import uses_of

    template(shop)
    shop.rule("message", {"kind": "template", "template": "spring|en", "values": ["{{first_name}}"]})
    with tenant_scope(shop.id):
        ((use,), present) = uses_of("spring", "en"), db.session.query(MessageTemplate).one().definition
        one, two = ({"type": "BODY", "text": text} for text in ("Hi {{1}} there.", "Hi {{1}}, {{2}} is here."))
        news = [dataclasses.replace(present, components=[body]) for body in (one, two)]
        assert [use.is_broken_by(new, present) for new in news] == [False, True]


def test_a_merge_takes_what_waits_along(shop: Shop) -> None:
    from app.people.merges import ContactMerge

    shop.rule(keyword("start"), ask(), reply("Thanks"))
    shop.write("Hi", wa_id="16505550001", name="Carla M.")
    older = shop.talk.id
    shop.write("start")
    with tenant_scope(shop.id):
        home, gone = Conversation.get_or_404(older).contact, Conversation.get_or_404(shop.talk.id).contact
        ContactMerge.merge(home, gone, by=Actor.agent(shop.world.ann))
    shop.write("42")
    assert shop.sent()[-1] == "Thanks" and shop.run.conversation_id == older


def test_a_template_that_is_not_approved_is_refused_with_words(shop: Shop, ann: Browser) -> None:
    template(shop, "REJECTED")
    shop.rule("message", {"kind": "template", "template": "spring|en"}, reply("Anyway"))
    shop.write()
    assert shop.results() == ["refused", "sent"]
    assert "not approved for this number" in ann.get(f"~/automation/runs/{shop.run.id}").text


def test_tags_fields_notes_and_states(shop: Shop) -> None:
    vip, size = shop.tag("vip"), shop.field("Size", "number")
    fill = {"kind": "set_field", "field": size, "value": "{{answer}}"}
    note = {"kind": "note", "text": "Size {{Size}}"}
    snooze = {"kind": "state", "state": "snoozed", "hours": 2}
    shop.rule("message", {"kind": "tag", "what": "add", "tag": vip}, fill, note, snooze)
    shop.write("42")
    assert shop.tags() == ["vip"] and shop.value("Size") == "42" and shop.talk.state == "snoozed"
    with tenant_scope(shop.id):
        assert db.session.scalars(db.select(Note.body)).all() == ["Size 42"]


def test_a_value_that_does_not_fit_a_field_is_refused(shop: Shop, ann: Browser) -> None:
    size = shop.field("Size", "number")
    shop.rule("message", {"kind": "set_field", "field": size, "value": "large"})
    shop.write()
    assert shop.results() == ["refused"]
    assert "Enter a number" in ann.get(f"~/automation/runs/{shop.run.id}").text


def team(shop: Shop, *members: Any, distribution: str = "turns") -> str:
    with tenant_scope(shop.id):
        made = Team(id=uuid.uuid4(), name="Sales")
        db.session.add(made)
        db.session.flush()
        for user in members:
            db.session.add(TeamMember(team_id=made.id, user_id=user.id))
        return str(made.id)


def test_assignment_to_a_person_and_a_team(shop: Shop) -> None:
    sales = team(shop)
    to_ben = {"kind": "assign", "to": "member", "member": str(shop.world.ben.id)}
    shop.rule("message", to_ben, {"kind": "assign", "to": "team", "team": sales})
    shop.write()
    assert shop.talk.assignee_id == shop.world.ben.id and str(shop.talk.team_id) == sales


def test_assignment_in_turn_takes_who_is_online(shop: Shop, ben: Browser) -> None:
    from app.tenancy.presence import come_online

    sales = team(shop, shop.world.ann, shop.world.ben)
    come_online(shop.id, shop.world.ben.id)
    shop.rule("message", {"kind": "assign", "to": "turn", "team": sales})
    shop.write()
    assert shop.talk.assignee_id == shop.world.ben.id


def test_no_one_online_is_a_result_with_words(shop: Shop) -> None:
    shop.rule("message", {"kind": "assign", "to": "turn", "team": team(shop, shop.world.ann)})
    shop.write()
    assert shop.steps()[0].words == "No one in the team is online and free."


def test_a_branch_goes_one_way_and_then_on(shop: Shop) -> None:
    condition = {"kind": "group", "items": [{"kind": "message", "mode": "contains", "words": ["bread"]}]}
    branch = {"kind": "branch", "conditions": condition, "yes": [reply("Bread")], "no": [reply("No bread")]}
    shop.rule("message", branch, reply("Bye"))
    shop.write("cake")
    assert shop.sent() == ["No bread", "Bye"] and shop.results() == ["no", "sent", "sent"]
    assert shop.steps()[0].seen["seen"] == "cake"


def test_a_wait_goes_on_when_its_time_has_come(shop: Shop, enqueued: Enqueued) -> None:
    shop.rule("message", WAIT, reply("An hour later"))
    shop.write()
    shop.advance(shop.run.id)
    assert shop.sent() == [] and shop.run.waits_for == "time"
    enqueued.clear()
    with tenant_scope(shop.id):
        run = AutomationRun.get_or_404(shop.run.id)
        run.next_at = now()
    find_due_runs()
    assert enqueued.names == ["automation.advance"]
    shop.advance(shop.run.id)
    assert shop.sent() == ["An hour later"] and shop.run.state == "done"


def test_a_wait_for_business_hours(shop: Shop) -> None:
    closed_today = [""] * 7
    closed_today[(now() + dt.timedelta(days=1)).weekday()] = "09:00–17:00"
    with tenant_scope(shop.id):
        db.session.add(ServicePolicy(time_zone="UTC", week=closed_today, holidays=[]))
    shop.rule("message", {"kind": "wait_hours"}, reply("Good morning"))
    shop.write()
    next_at = shop.run.next_at
    assert shop.run.state == "waiting" and next_at and (next_at.hour, next_at.minute) == (9, 0)


def test_a_question_saves_its_answer(shop: Shop) -> None:
    size = shop.field("Size", "number")
    shop.rule("message", ask(answer="number", field=size, name="size"), reply("Size {{size}}, thanks"))
    shop.write()
    assert shop.sent() == ["Which size?"] and shop.talk.handled_by == "automation"
    shop.write("42,5")
    assert shop.value("Size") == "42.5" and shop.sent()[-1] == "Size 42.5, thanks"
    assert shop.run.state == "done" and shop.talk.handled_by is None and shop.why == ["reply"]


@pytest.mark.parametrize(
    ("answer", "bad", "good", "saved"),
    [
        ("number", "large", "１２", "12"),
        ("email", "carla at example", "Carla@Example.com", "Carla@example.com"),
        ("date", "tomorrow", "24.12.2026", "2026-12-24"),
        ("choice", "blue", "RED", "Red"),
    ],
)
def test_an_answer_that_does_not_fit_is_asked_for_again(
    shop: Shop, answer: str, bad: str, good: str, saved: str
) -> None:
    field = shop.field("Answer")
    more: dict[str, Any] = {
        "answer": answer,
        "field": field,
        "retry": "Please try again",
        "choices": ["Red", "Green"],
        "attempts": 3,
    }
    shop.rule("message", ask(**more))
    shop.write()
    shop.write(bad)
    assert shop.sent()[-1] == "Please try again" and shop.value("Answer") == ""
    shop.write(good)
    assert shop.value("Answer") == saved and shop.run.state == "done"


@pytest.mark.parametrize(
    ("incoming", "saved"),
    [
        ("about 1500", "1500"),
        ("1,500 €", "1500"),
        ("1.500 EUR", "1500"),
        ("1,500.50", "1500.50"),
        ("1.500,5", "1500.5"),
        ("12,5", "12.5"),
        ("0.125", "0.125"),
        ("1 234 567", "1234567"),
        ("-3", "-3"),
        ("١٢", "12"),
        ("1000 to 1500", None),
        ("many", None),
        ("1" * 40, None),
        (",", None),
    ],
)
def test_a_number_is_read_as_people_write_it(incoming: str, saved: str | None) -> None:
    assert read_number(incoming) == saved


def test_after_so_many_tries_it_goes_another_way(shop: Shop) -> None:
    over = {"kind": "hand_over", "text": "A colleague will help"}
    shop.rule("message", ask(answer="number", attempts=2, unanswered=[over]), reply("Thanks"))
    for words in ("Hello", "large", "very large"):
        shop.write(words)
    assert shop.sent() == ["Which size?", "Which size?", "A colleague will help"]
    assert shop.run.reason == "handed_over" and shop.talk.handled_by == "person" and shop.talk.handler is None


def test_without_an_answer_in_time_it_goes_another_way(shop: Shop) -> None:
    shop.rule("message", ask(amount=1, unit="hours", unanswered=[reply("Never mind"), {"kind": "end"}]))
    shop.write()
    later(shop)
    assert shop.sent() == ["Which size?", "Never mind"] and shop.run.state == "done"


def test_a_wait_for_a_reply_has_two_ways(shop: Shop) -> None:
    waits = {"kind": "wait_reply", "amount": 1, "unit": "hours", "replied": [reply("You said {{answer}}")]}
    shop.rule(keyword("start"), waits | {"silent": [reply("Still there?")]})
    shop.write("start")
    shop.write("I am here")
    assert shop.sent() == ["You said I am here"]
    shop.write("start")
    later(shop)
    assert shop.sent()[-1] == "Still there?"


def test_a_button_that_is_tapped_is_the_answer(shop: Shop) -> None:
    shop.rule("message", ask(answer="choice", choices=["Red", "Green"]), reply("{{answer}} it is"))
    shop.write()
    shop.tap("Green")
    assert shop.sent()[-1] == "Green it is"


def test_a_persons_message_ends_what_runs(shop: Shop) -> None:
    shop.rule("message", ask(), reply("Thanks"))
    shop.write()
    shop.reply_as_ann()
    shop.write("42")
    assert (shop.run.state, shop.run.reason) == ("stopped", "with_person")
    assert shop.sent() == ["Which size?"]


def test_so_does_the_end_of_the_conversation(shop: Shop) -> None:
    shop.rule("message", WAIT, reply("Again"))
    shop.write()
    with tenant_scope(shop.id):
        Conversation.get_or_404(shop.talk.id).put("resolved", by=Actor.agent(shop.world.ann))
    shop.work()
    assert shop.run.reason == "resolved"


def test_one_automation_starts_and_stops_another(shop: Shop) -> None:
    other = shop.rule("started", reply("I was started"), WAIT, name="Other", stops=False)
    ids = {"automation": str(other.id)}
    shop.rule(keyword("start"), {"kind": "start", "what": "start", **ids})
    shop.rule(keyword("stop"), {"kind": "start", "what": "stop", **ids}, name="Stopper")
    shop.write("start")
    assert shop.sent() == ["I was started"] and shop.is_active()
    shop.write("stop")
    assert not shop.is_active()


def test_a_run_stays_with_its_version(shop: Shop) -> None:
    rule = shop.rule("message", WAIT, reply("One"))
    shop.write()
    with tenant_scope(shop.id):
        again = Automation.get_or_404(rule.id)
        again.edit(again.definition.model_copy(update={"steps": ()}))
        again.publish(by=Actor.agent(shop.world.ann))
    later(shop)
    assert shop.sent() == ["One"]


class Killed(BaseException):
    """The worker is gone: nothing after this happens."""


@pytest.mark.parametrize("place", range(1, 9))
def test_a_worker_killed_between_any_two_steps_does_nothing_twice(
    shop: Shop, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vip = shop.tag("vip")
    steps = reply("One"), {"kind": "tag", "what": "add", "tag": vip}, {"kind": "note", "text": "Note"}, reply("Two")
    shop.rule("message", *steps)
    shop.write(works=False)
    shop.hear()
    kill_at(place, monkeypatch)
    with pytest.raises(Killed):
        shop.advance(shop.run.id)
    monkeypatch.undo()
    with tenant_scope(shop.id):
        AutomationRun.get_or_404(shop.run.id).next_at = now()
    shop.advance(shop.run.id)
    assert shop.sent() == ["One", "Two"] and shop.results() == ["sent", "done", "done", "sent"]
    with tenant_scope(shop.id):
        assert len(db.session.scalars(db.select(Note)).all()) == 1
    assert shop.run.state == "done"


def acts(shop: Shop) -> dict[str, dict[str, Any]]:
    """A step of each kind that acts here."""
    return {
        "buttons": {"kind": "buttons", "text": "Which?", "buttons": ["One", "Two"]},
        "ask": ask(),
        "file": {"kind": "canned", "reply": str(canned(shop, picture()))},
        "field": {"kind": "set_field", "field": shop.field("Size"), "value": "L"},
        "assign": {"kind": "assign", "to": "member", "member": str(shop.world.ben.id)},
        "state": {"kind": "state", "state": "resolved"},
        "hand_over": {"kind": "hand_over", "text": "Somebody will be with you"},
    }


@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("kind", ["buttons", "ask", "file", "field", "assign", "state", "hand_over"])
def test_every_kind_of_step_acts_once_wherever_the_worker_dies(
    shop: Shop, kind: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rule("message", acts(shop)[kind])
    shop.write(works=False)
    shop.hear()
    kill_at(place, monkeypatch)
    with pytest.raises(Killed):
        shop.advance(shop.run.id)
    monkeypatch.undo()
    with tenant_scope(shop.id):
        AutomationRun.get_or_404(shop.run.id).next_at = now()
    shop.advance(shop.run.id)
    assert len(shop.results()) == 1 and shop.results()[0] not in ("refused", "error")
    assert len(shop.sent()) == (kind in ("buttons", "ask", "file", "hand_over"))
    with tenant_scope(shop.id):
        done = [one.kind for one in db.session.scalars(db.select(Activity))]
        assert len(done) == len(set(done))


def kill_at(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills it before or after the commit of a step, in turn."""
    commit, apply, count = tenancy.commit, runner.apply, iter(range(1, 100))

    def killed(*arguments: Any) -> None:
        if next(count) == place:
            db.session.rollback()
            raise Killed
        (apply if arguments else commit)(*arguments)

    monkeypatch.setattr(runner, "commit", killed)
    monkeypatch.setattr(runner, "apply", killed)


def test_a_step_that_is_done_twice_sends_one_message(shop: Shop) -> None:
    shop.rule("message", reply("One"), WAIT)
    shop.write(works=False)
    shop.hear()
    with tenant_scope(shop.id):
        turn = runner.turn_of(AutomationRun.get_or_404(shop.run.id))
        step = runner.step_of(AutomationRun.get_or_404(shop.run.id))
        assert step
        for _ in range(2):
            step.do(turn)
    assert shop.sent() == ["One"]


def test_two_workers_do_a_step_once(shop: Shop) -> None:
    shop.rule("message", reply("One"), WAIT)
    shop.write()
    shop.advance(shop.run.id)
    shop.advance(shop.run.id)
    assert shop.sent() == ["One"]


def test_two_clocks_find_the_same_run_once(shop: Shop, enqueued: Enqueued) -> None:
    shop.rule("message", WAIT)
    shop.write()
    enqueued.clear()
    with tenant_scope(shop.id):
        AutomationRun.get_or_404(shop.run.id).next_at = now()
    find_due_runs()
    find_due_runs()
    assert enqueued.names == ["automation.advance"]


def test_an_error_of_ours_ends_the_run_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.automation.steps import Reply

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Reply, "do", broken)
    shop.rule("message", reply("One"))
    shop.write()
    assert (shop.run.state, shop.results()) == ("failed", ["error"])


def test_the_hourly_limit(shop: Shop) -> None:
    with tenant_scope(shop.id):
        AutomationSettings.stored().hourly_limit = 2
    shop.rule("message", reply("Hi"))
    for words in ("Hello", "Bread?", "Please"):
        shop.write(words)
    assert len(shop.sent()) == 2 and shop.why == ["limit"]


def test_the_limit_in_the_middle_of_a_run_is_reported(shop: Shop, ann: Browser) -> None:
    with tenant_scope(shop.id):
        AutomationSettings.stored().hourly_limit = 1
    shop.rule("message", reply("One"), reply("Two"))
    shop.write()
    assert shop.sent() == ["One"] and shop.run.reason == "limit"
    assert "too many automatic messages in an hour" in ann.get(f"~/inbox/{shop.talk.id}").text


def test_two_hundred_messages_in_a_minute_get_no_more_than_the_limit(shop: Shop) -> None:
    with tenant_scope(shop.id):
        AutomationSettings.stored().hourly_limit = 5
    shop.rule("message", reply("Hi"))
    from tests.arrivals import arrive
    from tests.posts import message

    arrive(*(message(f"Message {number}") for number in range(200)))
    for _ in range(30):
        shop.work()
    assert len(shop.sent()) <= 5


def test_another_machine_is_recognised_within_ten_messages(shop: Shop, ann: Browser) -> None:
    shop.rule("message", reply("How can I help you?"))
    for number in range(20):
        shop.write(f"Hello, I am a bot. Ticket {number}")
    assert len(shop.sent()) <= 10 and shop.talk.automation_paused_at
    assert "look automatic" in ann.get(f"~/inbox/{shop.talk.id}").text


def test_a_customer_who_says_different_things_slowly_is_none(shop: Shop) -> None:
    shop.rule("message", reply("How can I help you?"))
    with time_machine.travel(now(), tick=False) as clock:
        for words in ("Hello", "Bread", "Two loaves", "Please", "Thanks", "Bye"):
            shop.write(words)
            clock.shift(dt.timedelta(seconds=20))
    assert len(shop.sent()) == 6 and not shop.talk.automation_paused_at


def test_no_one_of_the_team_replied_for_a_while(shop: Shop) -> None:
    shop.rule({"kind": "no_reply", "side": "team", "minutes": 60}, reply("Sorry for the wait"))
    shop.write()
    begin_by_time(shop.id)
    assert shop.runs() == []
    with tenant_scope(shop.id):
        db.session.execute(db.update(Automation).values(on_since=now() - dt.timedelta(days=1)))
    shop.change(waiting_since=now() - dt.timedelta(minutes=61))
    begin_by_time(shop.id)
    begin_by_time(shop.id)
    shop.work()
    assert shop.sent() == ["Sorry for the wait"]


def test_what_was_silent_before_it_was_switched_on_is_left_alone(shop: Shop) -> None:
    shop.write()
    shop.change(waiting_since=now() - dt.timedelta(hours=5))
    shop.rule({"kind": "no_reply", "side": "team", "minutes": 60}, reply("Sorry for the wait"))
    begin_by_time(shop.id)
    assert shop.runs() == []


def test_the_customer_did_not_reply_for_a_while(shop: Shop) -> None:
    shop.rule({"kind": "no_reply", "side": "customer", "minutes": 60}, {"kind": "note", "text": "Quiet"})
    shop.write()
    shop.reply_as_ann("Which size?")
    with tenant_scope(shop.id):
        db.session.execute(db.update(Automation).values(on_since=now() - dt.timedelta(days=1)))
    shop.change(last_message_at=now() - dt.timedelta(minutes=61))
    begin_by_time(shop.id)
    assert len(shop.runs()) == 1


@pytest.mark.parametrize(("when", "days", "offset"), [("on", 0, 0), ("before", 3, 3), ("after", 2, -2)])
def test_a_date_is_reached(shop: Shop, when: str, days: int, offset: int) -> None:
    shop.write()
    with time_machine.travel(dt.datetime(2026, 12, 1, 10, 0, tzinfo=dt.UTC), tick=True):
        date = dt.date(2026, 12, 1) + dt.timedelta(days=offset)
        due = shop.field("Due", "date", date.isoformat())
        note = {"kind": "note", "text": "Due"}
        shop.rule({"kind": "date", "field": due, "when": when, "days": days, "at": "09:00"}, note)
        begin_by_time(shop.id)
        begin_by_time(shop.id)
    assert len(shop.runs()) == 1


def test_erasing_a_customer_erases_what_automations_learnt(shop: Shop, ann: Browser, world: World) -> None:
    from app.people.erasure import erase
    from tests.happenings import deliver_to_subscriber

    shop.rule("message", ask(), reply("Thanks"))
    shop.write()
    shop.write("My secret")
    with tenant_scope(shop.id):
        erase(Conversation.get_or_404(shop.talk.id).contact, by=Actor.agent(world.ann))
    deliver_to_subscriber("automations_erasure", shop.id)
    assert shop.runs() == [] and shop.decisions() == []
