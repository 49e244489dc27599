"""The pages: writing an automation by forms, publishing, testing, reading why."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from app.automation.definitions import Definition
from app.automation.models import Automation, AutomationVersion
from app.automation.parts import Names
from app.automation.starters import STARTERS
from app.hours.models import ServicePolicy
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import db, tenant_scope
from tests.automation.conftest import Shop, keyword, reply
from tests.client import Browser


def created(ann: Browser, starter: str = "") -> str:
    """The id of a new automation."""
    answer = ann.post("~/automation/", {"starter": starter})
    assert answer.status_code == 303
    return answer.location.rsplit("/", 1)[1]


def draft(shop: Shop, id: str) -> dict[str, Any]:
    with tenant_scope(shop.id):
        return Automation.get_or_404(id).draft


def test_from_a_blank_page_to_a_reply_on_the_phone(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    assert "Add at least one step" in ann.get(f"~/automation/{id}").text
    assert "A message contains certain words" in ann.get(f"~/automation/{id}/trigger").text
    assert 'name="words"' in ann.get(f"~/automation/{id}/trigger?kind=keyword").text
    ann.post(f"~/automation/{id}/trigger", {"kind": "keyword", "mode": "word", "words": "menu\nprices"})
    assert 'name="text"' in ann.get(f"~/automation/{id}/steps/new?kind=reply").text
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "Here is our menu"})
    ann.post(f"~/automation/{id}/conditions", {"kind": "window", "state": "open"})
    page = ann.get(f"~/automation/{id}").text
    assert "Reply “Here is our menu”" in page and "The reply window is open" in page and "<svg" in page
    ann.post(f"~/automation/{id}/versions", {"is_on": "1"})
    shop.write("The menu, please")
    assert shop.sent() == ["Here is our menu"]
    assert "1 run" in ann.get("~/automation/").text


def test_a_mistake_in_a_step_is_shown_at_its_field(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    answer = ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": ""})
    assert answer.status_code == 422 and "This can&#39;t be empty." in answer.text
    answer = ann.post(f"~/automation/{id}/steps", {"kind": "wait", "amount": "999", "unit": "days"})
    assert answer.status_code == 422 and "Choose a smaller number." in answer.text
    answer = ann.post(f"~/automation/{id}/steps", {"kind": "buttons", "text": "Hi", "buttons": "One\nOne"})
    assert answer.status_code == 422 and "Two buttons say “One”" in answer.text
    answer = ann.post(f"~/automation/{id}/trigger", {"kind": "keyword", "mode": "pattern", "words": "(a"})
    assert answer.status_code == 422 and "bracket" in answer.text
    answer = ann.post(f"~/automation/{id}/steps", {"kind": "http", "url": "https://localhost/x"})
    assert answer.status_code == 422 and "public address" in answer.text


def test_steps_are_edited_moved_nested_and_removed(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "One"})
    ann.post(f"~/automation/{id}/steps", {"kind": "branch"})
    branch = draft(shop, id)["steps"][1]["id"]
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "Yes", "parent": branch, "block": "yes"})
    ann.post(f"~/automation/{id}/conditions", {"kind": "hours", "when": "open", "of": branch, "path": ""})
    ann.post(f"~/automation/{id}/steps/{branch}/moves", {"to": "up"})
    steps = draft(shop, id)["steps"]
    assert [step["kind"] for step in steps] == ["branch", "reply"]
    assert steps[0]["yes"][0]["text"] == "Yes" and steps[0]["conditions"]["items"][0]["kind"] == "hours"
    inner = steps[0]["yes"][0]["id"]
    ann.post(f"~/automation/{id}/steps/{inner}", {"kind": "reply", "text": "Changed"})
    assert draft(shop, id)["steps"][0]["yes"][0] == {"kind": "reply", "id": inner, "text": "Changed"}
    ann.post(f"~/automation/{id}/steps/{branch}/removal")
    assert [step["kind"] for step in draft(shop, id)["steps"]] == ["reply"]


def test_conditions_are_grouped_edited_and_removed(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/conditions", {"kind": "group", "mode": "any"})
    ann.post(f"~/automation/{id}/conditions", {"kind": "hours", "when": "open", "path": "0"})
    ann.post(f"~/automation/{id}/conditions/edit", {"path": "0.0", "when": "closed"})
    ann.post(f"~/automation/{id}/conditions/edit", {"path": "", "mode": "none"})
    group = draft(shop, id)["conditions"]
    assert (group["mode"], group["items"][0]["mode"], group["items"][0]["items"][0]["when"]) == (
        "none",
        "any",
        "closed",
    )
    assert ann.get(f"~/automation/{id}/conditions/edit?path=0.0").status_code == 200
    ann.post(f"~/automation/{id}/conditions/removal", {"path": "0"})
    assert draft(shop, id)["conditions"]["items"] == []


@pytest.mark.parametrize("one", STARTERS, ids=lambda one: one.name)
def test_each_starter_can_be_opened(ann: Browser, shop: Shop, one: Any) -> None:
    id = created(ann, one.name)
    page = ann.get(f"~/automation/{id}")
    assert page.status_code == 200 and "<svg" in page.text
    assert re.search(r"<h1[^>]*>", page.text)


def test_there_are_at_least_twelve_starters(ann: Browser, shop: Shop) -> None:
    assert len(STARTERS) >= 12 and "Property inquiry" in ann.get("~/automation/starters").text


def test_a_version_is_compared_and_published_again(ann: Browser, shop: Shop) -> None:
    rule = shop.rule("message", reply("One"))
    step = draft(shop, str(rule.id))["steps"][0]["id"]
    ann.post(f"~/automation/{rule.id}/steps/{step}", {"kind": "reply", "text": "Two"})
    assert "Changes not published" in ann.get(f"~/automation/{rule.id}").text
    ann.post(f"~/automation/{rule.id}/versions")
    with tenant_scope(shop.id):
        first = db.session.scalars(db.select(AutomationVersion).order_by(AutomationVersion.number)).first()
    assert first
    page = ann.get(f"~/automation/{rule.id}/versions/{first.id}").text
    assert "<del>" in page and "Reply “One”" in page and "<ins>" in page
    ann.post(f"~/automation/{rule.id}/versions/{first.id}/restoring")
    shop.write()
    assert shop.sent() == ["One"]


def test_what_is_incomplete_is_not_published(ann: Browser, shop: Shop) -> None:
    id = created(ann, "vip")
    answer = ann.post(f"~/automation/{id}/versions", {"is_on": "1"}, follow_redirects=True)
    assert "Choose a team" in answer.text
    assert not shop_automation(shop, id).is_on


@pytest.mark.parametrize(
    ("trigger", "words", "problem"),
    [
        ({"kind": "message"}, "Hello {{frist_name}}", "Did you mean {{first_name}}?"),
        ({"kind": "message"}, "Hello {{xyzzy}}", "You can use {{name}}"),
        ({"kind": "message"}, "Hello {{first_name}", "Customers would read these braces"),
        ({"kind": "message"}, "{{payment.amount}} received", "“A payment is received” has it"),
        ({"kind": "payment"}, "You wrote {{answer}}", "“A message is received” has it"),
    ],
)
def test_a_variable_that_can_not_be_filled_in_is_named_and_not_published(
    ann: Browser, shop: Shop, trigger: dict[str, Any], words: str, problem: str
) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/trigger", trigger)
    page = ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": words}, follow_redirects=True).text
    assert problem in page
    assert problem in ann.get(f"~/automation/{id}/steps/{draft(shop, id)['steps'][0]['id']}").text
    assert problem in ann.post(f"~/automation/{id}/versions", {"is_on": "1"}, follow_redirects=True).text
    assert shop_automation(shop, id).version_number == 0


def test_what_another_program_may_send_is_only_pointed_out(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/trigger", {"kind": "webhook"})
    page = ann.post(f"~/automation/{id}/steps", {"kind": "note", "text": "{{order}}"}, follow_redirects=True).text
    assert "only if the program that calls sends “order”" in page
    ann.post(f"~/automation/{id}/versions")
    assert shop_automation(shop, id).version_number == 1


def test_an_answer_is_filled_in_after_its_question_and_not_before(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "Hello"})
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "{{size}} it is, {{first_name|friend}}"})
    question = {"kind": "ask", "question": "Which size?", "answer": "text", "name": "size"}
    ask = question | {"attempts": "1", "amount": "1", "unit": "days"}
    assert (
        "Move the step that finds it out above" in ann.post(f"~/automation/{id}/steps", ask, follow_redirects=True).text
    )
    third = draft(shop, id)["steps"][2]["id"]
    page = ann.post(f"~/automation/{id}/steps/{third}/moves", {"to": "up"}, follow_redirects=True).text
    assert "Move the step that finds it out" not in page and "can&#39;t be filled" not in page


def test_a_field_of_customers_is_a_variable_and_a_button_has_none(ann: Browser, shop: Shop) -> None:
    shop.field("Shoe size")
    id = created(ann)
    page = ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "{{shoe size}}"}, follow_redirects=True).text
    assert "filled in" not in page
    button = {"kind": "buttons", "text": "Yes?", "buttons": "{{first_name}}"}
    page = ann.post(f"~/automation/{id}/steps", button, follow_redirects=True).text
    assert "Variables aren&#39;t filled in here" in page


def test_a_variable_in_another_language_is_looked_at_too(shop: Shop) -> None:
    made = {"trigger": {"kind": "message"}, "steps": [reply("Hi", wordings={"fr": {"text": "Salut {{prenom}}"}})]}
    with tenant_scope(shop.id):
        (trouble,) = Definition.read(made).troubles(Names())
    assert trouble.blocks and "{{prenom}}" in trouble.words


def test_an_earlier_version_that_can_not_be_filled_in_is_a_draft_again(ann: Browser, shop: Shop) -> None:
    rule = shop.rule("message", reply("Hi {{nobody_knows}}"))
    with tenant_scope(shop.id):
        first = db.session.scalars(db.select(AutomationVersion)).one()
    page = ann.post(f"~/automation/{rule.id}/versions/{first.id}/restoring", follow_redirects=True).text
    assert "is the draft again, not published" in page
    assert shop_automation(shop, str(rule.id)).version_number == 1


def shop_automation(shop: Shop, id: str) -> Automation:
    with tenant_scope(shop.id):
        return Automation.get_or_404(id)


def test_outside_the_window_the_editor_says_that_a_template_is_needed(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/trigger", {"kind": "conversation", "what": "resolved"})
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "How was it?"})
    assert "Send a template instead" in ann.get(f"~/automation/{id}").text


def test_a_business_that_is_always_open_reads_that_the_reply_never_goes_out(ann: Browser, shop: Shop) -> None:
    id = created(ann, "out-of-office")
    assert "You are always open" in ann.get(f"~/automation/{id}").text
    with tenant_scope(shop.id):
        db.session.add(ServicePolicy(time_zone="UTC", week=["09:00–17:00"] * 7, holidays=[]))
    assert "You are always open" not in ann.get(f"~/automation/{id}").text


def test_the_test_shows_what_would_happen_and_changes_nothing(ann: Browser, shop: Shop) -> None:
    shop.write("Hi")
    tag = shop.tag("menu")
    steps = {"kind": "tag", "what": "add", "tag": tag}, reply("Hello {{first_name}}")
    shop.rule(keyword("prices"), reply("Here"), name="Prices")
    rule = shop.rule(keyword("menu"), *steps)
    form = {"text": "Menu", "conversation": str(shop.talk.id)}
    page = ann.post("~/automation/test", form).text
    assert "Would run" in page and "Would not run" in page and "Sent" in page and "begins with something else" in page
    assert shop.sent() == [] and shop.tags() == [] and shop.runs() == []
    assert "Prices" not in ann.post("~/automation/test", form | {"automation": str(rule.id)}).text.split("result")[1]


def test_the_last_days_messages_are_tried_on_the_draft(ann: Browser, shop: Shop) -> None:
    shop.write("The menu please")
    shop.write("Something else")
    rule = shop.rule(keyword("menu", mode="word"), reply("Here"))
    page = ann.get(f"~/automation/{rule.id}/replay").text
    assert "1 of 2 messages" in page and shop.runs() == []


def test_why_did_nothing_happen(ann: Browser, shop: Shop) -> None:
    shop.write("Hi")
    vip = shop.tag("vip")
    shop.tag("new", on=True)
    shop.rule("message", reply("Dear guest"), conditions=[{"kind": "tag", "has": "has", "tag": vip}], name="VIPs")
    message = shop.write("Hello?")
    page = ann.get(f"~/automation/messages/{message.id}").text
    assert "VIPs" in page and "The customer has the tag “vip”" in page and "Seen: “new”" in page
    assert "Seen: “new”" in ann.get(f"~/automation/conversations/{shop.talk.id}").text


def test_a_run_is_shown_with_its_steps_and_what_refused_them(ann: Browser, shop: Shop) -> None:
    rule = shop.rule("message", reply("Hello"), {"kind": "wait", "amount": 1, "unit": "hours"}, reply("Again"))
    shop.write()
    page = ann.get(f"~/automation/runs/{shop.run.id}").text
    assert "Reply “Hello”" in page and "It is at: Wait for 1 hour" in page
    shop.reply_as_ann()
    shop.hear()
    assert "A person took over" in ann.get(f"~/automation/runs/{shop.run.id}").text
    assert "Carla" in ann.get(f"~/automation/{rule.id}/runs").text


def test_a_run_is_ended_by_hand(ben: Browser, shop: Shop) -> None:
    shop.rule("message", {"kind": "wait", "amount": 1, "unit": "hours"}, reply("Again"))
    shop.write()
    assert ben.post(f"~/automation/runs/{shop.run.id}/stopping").status_code == 303
    assert (shop.run.state, shop.run.reason) == ("stopped", "by_hand")


def test_an_exported_automation_can_be_imported(ann: Browser, shop: Shop) -> None:
    id = created(ann, "appointment")
    exported = ann.get(f"~/automation/{id}/export")
    assert "attachment" in exported.headers["Content-Disposition"]
    answer = ann.post("~/automation/imports", {"file": (io.BytesIO(exported.data), "a.json")})
    copy = draft(shop, answer.location.rsplit("/", 1)[1])
    assert [step["kind"] for step in copy["steps"]] == [step["kind"] for step in draft(shop, id)["steps"]]
    assert copy["steps"][0]["id"] != draft(shop, id)["steps"][0]["id"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "x"}', b'{"name": "x", "definition": {"steps": 1}}'])
def test_other_files_are_not(ann: Browser, shop: Shop, content: bytes) -> None:
    answer = ann.post("~/automation/imports", {"file": (io.BytesIO(content), "a.json")}, follow_redirects=True)
    assert "not an exported automation" in answer.text


def test_a_number_is_stopped_and_resumed(ann: Browser, shop: Shop) -> None:
    shop.rule("message", reply("Hi"))
    ann.post(f"~/automation/numbers/{shop.number.id}/pause")
    assert "Stopped" in ann.get("~/automation/").text
    shop.write()
    assert shop.sent() == []
    ann.post(f"~/automation/numbers/{shop.number.id}/pause/removal")
    with tenant_scope(shop.id):
        assert NumberDesk.of(shop.number.id).automation_paused_at is None


def test_agents_read_and_do_not_change(ben: Browser, shop: Shop) -> None:
    rule = shop.rule("message", reply("Hi"))
    page = ben.get(f"~/automation/{rule.id}")
    assert page.status_code == 200 and "Publish" not in page.text and "Add a step" not in page.text
    assert ben.post(f"~/automation/{rule.id}/steps", {"kind": "reply", "text": "x"}).status_code == 403
    assert ben.get("~/automation/settings").status_code == 403


def test_it_is_renamed_switched_off_and_deleted(ann: Browser, shop: Shop) -> None:
    rule = shop.rule("message", {"kind": "wait", "amount": 1, "unit": "hours"})
    shop.write()
    ann.post(f"~/automation/{rule.id}", {"name": "New name", "repeats": "once", "repeat_days": "1", "stops": "1"})
    assert shop_automation(shop, str(rule.id)).name == "New name"
    assert ann.post(f"~/automation/{rule.id}", {"name": "", "repeats": "once", "repeat_days": "1"}).status_code == 422
    ann.post(f"~/automation/{rule.id}/switch", {"is_on": "0"})
    assert not shop_automation(shop, str(rule.id)).is_on
    ann.post(f"~/automation/{rule.id}/removal")
    assert ann.get(f"~/automation/{rule.id}").status_code == 404 and shop.run.reason == "removed"


def test_the_order_is_changed_in_the_list(ann: Browser, shop: Shop) -> None:
    shop.rule("message", reply("One"), name="First one")
    two = shop.rule("message", reply("Two"), name="Second one")
    ann.post(f"~/automation/{two.id}/moves", {"to": "up"})
    page = ann.get("~/automation/").text
    assert page.index("Second one") < page.index("First one")


def test_the_limit_and_the_secret_are_set(ann: Browser, shop: Shop) -> None:
    assert ann.post("~/automation/settings", {"hourly_limit": "0"}).status_code == 422
    ann.post("~/automation/settings", {"hourly_limit": "3"})
    assert 'value="3"' in ann.get("~/automation/settings").text
    assert "whsec_" in ann.post("~/automation/settings/secret").text
    assert "whsec_" not in ann.get("~/automation/settings").text


def edition(page: str) -> str:
    results = re.search(r'name="edition" value="(\w+)"', page)
    assert results
    return results[1]


def test_who_edits_the_same_step_second_sees_what_the_first_saved(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "One"})
    step = f"~/automation/{id}/steps/{draft(shop, id)['steps'][0]['id']}"
    began = edition(ann.get(step).text)
    ann.post(step, {"kind": "reply", "text": "First", "edition": began})
    second = ann.post(step, {"kind": "reply", "text": "Second", "edition": began})
    assert second.status_code == 409 and "Reply “First”" in second.text and "Second" in second.text
    assert draft(shop, id)["steps"][0]["text"] == "First"
    ann.post(step, {"kind": "reply", "text": "Second", "edition": edition(second.text)})
    assert draft(shop, id)["steps"][0]["text"] == "Second"


def test_so_with_the_trigger_and_a_condition(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/conditions", {"kind": "window", "state": "open"})
    trigger, condition = f"~/automation/{id}/trigger", f"~/automation/{id}/conditions/edit"
    for address, first, second in (
        (
            f"{trigger}?kind=keyword",
            {"kind": "keyword", "mode": "word", "words": "menu"},
            {"kind": "keyword", "mode": "word", "words": "prices"},
        ),
        (
            f"{condition}?of=&path=0",
            {"kind": "window", "state": "closed", "of": "", "path": "0"},
            {"kind": "window", "state": "open", "of": "", "path": "0"},
        ),
    ):
        began, action = edition(ann.get(address).text), address.partition("?")[0]
        assert ann.post(action, first | {"edition": began}).status_code == 303
        assert ann.post(action, second | {"edition": began}).status_code == 409


def test_a_step_that_somebody_removed_meanwhile_says_so(ann: Browser, shop: Shop) -> None:
    id = created(ann)
    ann.post(f"~/automation/{id}/steps", {"kind": "reply", "text": "One"})
    step = f"~/automation/{id}/steps/{draft(shop, id)['steps'][0]['id']}"
    ann.post(f"{step}/removal")
    assert ann.post(step, {"kind": "reply", "text": "Two"}).status_code == 303
    assert "Somebody else removed this step" in ann.get(f"~/automation/{id}").text


@pytest.mark.parametrize(("mode", "words"), [("all", "Go on if: The reply"), ("none", "Go on unless: The reply")])
def test_a_single_condition_is_read_as_one(ann: Browser, shop: Shop, mode: str, words: str) -> None:
    rule = shop.rule("message", reply("Hi"), conditions=[{"kind": "window", "state": "open"}], mode=mode)
    with tenant_scope(shop.id):
        version = db.session.scalars(db.select(AutomationVersion)).one()
    page = ann.get(f"~/automation/{rule.id}/versions/{version.id}").text
    assert words in page and "of these" not in page
