"""Where a template is used, what a change would break, deleting one, and what another category costs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.assistant.assistant import Assistant, Setup, Tools
from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.billing.usage import Usage
from app.hours.models import ServicePolicy
from app.inbox.compose.macros import Macro
from app.inbox.conversations import Conversation, Later, Message
from app.message_templates.category_costs import CategoryCost
from app.message_templates.changes import TemplateChange
from app.message_templates.models import BreaksUses, MessageTemplate
from app.message_templates.versions import Content, TemplateVersion
from app.tenancy import Actor, db, now, platform_scope, tenant_scope
from app.tenancy.models import Membership
from app.wabas.models import PhoneNumber
from tests.api.conftest import MakeCaller, caller
from tests.client import Browser
from tests.message_templates.templates import BODY, TEXT, approved, drafted
from tests.notifications.notifications import notification
from tests.simulated import Road
from tests.world import World, conversation

__all__ = ["caller"]

WHOLE = [{"type": "BODY", "text": "Your order is ready. You can pick it up in the shop until six."}]


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


def whole(number: PhoneNumber, **more: Any) -> MessageTemplate:
    """One that goes out as it is."""
    return approved(number, parameter_format="POSITIONAL", components=WHOLE, **more)


def macro(number: PhoneNumber, template: MessageTemplate, owner_id: uuid.UUID | None = None) -> None:
    with tenant_scope(number.tenant_id):
        one = Macro(name="Ready to collect", owner_id=owner_id)
        one.template_name, one.template_language = template.name, template.language
        db.session.add(one)


def kinds(number: PhoneNumber, template: MessageTemplate) -> list[str]:
    with tenant_scope(number.tenant_id):
        return [use.kind for use in MessageTemplate.get_or_404(template.id).uses]


def test_a_macro_that_sends_it_is_named_with_its_page(ann: Browser, number: PhoneNumber) -> None:
    template = whole(number)
    macro(number, template)
    text = ann.get(f"~/templates/{template.id}").text
    assert "Ready to collect" in text and "/inbox/macros/" in text


def test_a_colleagues_own_macro_counts_without_its_name(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = whole(number)
    macro(number, template, owner_id=world.ben.id)
    text = ann.get(f"~/templates/{template.id}").text
    assert "A team member&#39;s own macro" in text or "A team member's own macro" in text
    assert "Ready to collect" not in text


def test_the_survey_that_sends_it_is_named(number: PhoneNumber) -> None:
    template = whole(number)
    with tenant_scope(number.tenant_id):
        policy = ServicePolicy.current()
        policy.survey_template = template.key
        db.session.add(policy)
    assert kinds(number, template) == ["Satisfaction survey"]


def test_scheduled_messages_that_fall_back_to_it_are_named(world: World, number: PhoneNumber) -> None:
    template, talk = whole(number), conversation(number)
    with tenant_scope(number.tenant_id):
        outgoing = template.definition.filled({})
        instead = {"type": "template", "body": outgoing.words, "content": {"raw": outgoing.raw}}
        at = Later(now() + dt.timedelta(hours=1), instead)
        here, by = Conversation.get_or_404(talk.id), Actor.agent(world.ann)
        here.reply("Later", by=by, client_id=uuid.uuid4(), later=at)
    assert kinds(number, template) == ["Scheduled message"]
    assert kinds(number, whole(number, name="other")) == []


# What a change would break.


def written(world: World, template: MessageTemplate, components: list[dict[str, Any]]) -> None:
    with tenant_scope(world.bakery.id):
        row, by = MessageTemplate.get_or_404(template.id), Actor.agent(world.ann)
        version = row.version_to_edit(by)
        version.save(Content("UTILITY", True, components), revision=version.revision, by=by)


def submitted(world: World, template: MessageTemplate, **more: Any) -> TemplateVersion:
    with tenant_scope(world.bakery.id):
        member = db.session.query(Membership).filter_by(user_id=world.ann.id).one()
        row = MessageTemplate.get_or_404(template.id)
        return row.submit(by=Actor.agent(world.ann), membership=member, **more)


def test_a_variable_in_a_template_that_goes_as_it_is_must_be_agreed_to(world: World, number: PhoneNumber) -> None:
    template = whole(number)
    macro(number, template)
    written(world, template, [BODY])
    with pytest.raises(BreaksUses):
        submitted(world, template)
    assert submitted(world, template, breaks_uses=True).state == "submitting"


def test_what_would_break_is_named_on_the_page(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = whole(number)
    macro(number, template)
    written(world, template, [BODY])
    assert "couldn&#39;t send the new text" in (text := ann.get(f"~/templates/{template.id}").text) or (
        "couldn't send the new text" in text
    )


def test_on_the_page_it_is_submitted_once_the_box_is_ticked(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = whole(number)
    macro(number, template)
    written(world, template, [BODY])
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
    assert version
    for data, state in (({}, "draft"), ({"breaks_uses": "1"}, "submitting")):
        ann.post(f"~/templates/{template.id}/submission", {"revision": str(version.revision)} | data)
        with tenant_scope(world.bakery.id):
            assert TemplateVersion.get_or_404(version.id).state == state


def test_what_could_not_be_sent_before_is_not_broken_by_a_change(world: World, number: PhoneNumber) -> None:
    template = approved(number)
    macro(number, template)
    written(world, template, [{**BODY, "text": f"{TEXT} Thank you."}])
    assert submitted(world, template).state == "submitting"


def test_other_words_break_nothing(world: World, number: PhoneNumber) -> None:
    template = whole(number)
    macro(number, template)
    written(world, template, [{"type": "BODY", "text": "Your order is ready. Come and get it whenever you like."}])
    assert submitted(world, template).state == "submitting"


def test_the_first_version_in_another_language_breaks_nothing(world: World, number: PhoneNumber) -> None:
    made = notification(number)
    with tenant_scope(world.bakery.id):
        us = next(one for one in made.variants() if one.language == "en_US")
        buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Merci"}]}
        content = Content("UTILITY", us.content.is_named, [*us.components, buttons])
        by = Actor.agent(world.ann)
        draft = MessageTemplate.begin(us.waba_id, us.name, "pt_BR", content, by=by)
        version = TemplateVersion.open_of(draft.id)
        assert version and draft.uses and draft.broken_by(draft.newest) == []


TWO = {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is ready and can be collected."}


def broken(world: World, template: MessageTemplate, text: str) -> list[str]:
    """What couldn't send a new text."""
    with tenant_scope(world.bakery.id):
        row, by = MessageTemplate.get_or_404(template.id), Actor.agent(world.ann)
        content = Content("UTILITY", False, [{"type": "BODY", "text": text}])
        version = row.version_to_edit(by)
        version.save(content, revision=version.revision, by=by)
        return [use.kind for use in row.broken_by(row.newest)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Hello {{1}}, your order {{2}} waits for you.", []),
        ("Hello {{1}}, your order waits for you.", ["API key"]),
        ("Hello {{1}}, order {{2}} waits at {{3}} for you.", ["API key"]),
    ],
)
def test_a_program_sends_the_variables_of_the_present_text_and_no_others(
    world: World, number: PhoneNumber, caller: MakeCaller, text: str, kinds: list[str]
) -> None:
    template = approved(number, parameter_format="POSITIONAL", components=[TWO])
    part = {"id": str(template.id), "variables": {"1": "Hanna", "2": "7"}}
    sent = {"type": "template", "to": {"phone": "+49 151 12345678"}, "template": part}
    assert caller().post("/messages", sent).status_code == 202
    assert broken(world, template, text) == kinds


def test_a_scheduled_template_is_broken_by_other_variables(world: World, number: PhoneNumber) -> None:
    template, talk = approved(number, parameter_format="POSITIONAL", components=[TWO]), conversation(number)
    with tenant_scope(number.tenant_id):
        outgoing = template.definition.filled({"body-0-1": "Hanna", "body-0-2": "7"})
        later, by = Later(now() + dt.timedelta(hours=1)), Actor.system("api")
        Conversation.get_or_404(talk.id).send(outgoing, by=by, client_id=uuid.uuid4(), later=later)
    assert broken(world, template, "Hello {{1}}, order {{2}} waits for you.") == []
    assert broken(world, template, "Hello {{1}}, your order waits for you.") == ["Scheduled message"]


def test_the_assistant_that_may_send_it_is_named(world: World, number: PhoneNumber) -> None:
    template = whole(number)
    with tenant_scope(number.tenant_id):
        setup = Setup(name="Bea", tools=Tools(templates=[template.key]))
        Assistant.get_or_make().save(setup, by=Actor.agent(world.ann))
    assert kinds(number, template) == ["Assistant"]
    assert broken(world, template, "Hello {{1}}, your order waits for you.") == ["Assistant"]


# Deleting.


def status(world: World, template: MessageTemplate) -> str | None:
    with tenant_scope(world.bakery.id):
        row = MessageTemplate.find(template.id)
        return row.status if row else None


def at_road(road: Road, language: str = "en_US") -> MessageTemplate:
    made = road.meta.post(
        "templates", waba_id=road.ids["waba_id"], name="order_ready", language=language, components=WHOLE
    )
    return whole(road.number, name="order_ready", language=language, meta_id=str(made["id"]))


def test_a_template_in_use_is_not_deleted_by_accident(road: Road, ann: Browser) -> None:
    template = at_road(road)
    macro(road.number, template)
    answer = ann.post(f"~/templates/{template.id}/removal", {"scope": "one"})
    assert answer.status_code == 422 and "Ready to collect" in answer.text
    assert status(road.world, template) == "APPROVED"
    ann.post(f"~/templates/{template.id}/removal", {"scope": "one", "breaks_uses": "1"})
    assert status(road.world, template) == "DELETED"


@pytest.mark.parametrize(("scope", "left"), [("one", 1), ("all", 0)])
def test_one_language_or_all_are_deleted(road: Road, ann: Browser, scope: str, left: int) -> None:
    english, german = at_road(road), at_road(road, "de")
    assert "30 days" in ann.get(f"~/templates/{english.id}/removal").text
    assert ann.post(f"~/templates/{english.id}/removal", {"scope": scope}).status_code == 303
    assert [status(road.world, one) for one in (english, german)].count("APPROVED") == left
    listed = [one for one in road.meta.get("templates")["templates"] if one["name"] == "order_ready"]
    assert [one["status"] for one in listed].count("APPROVED") == left


def test_what_meta_refuses_to_delete_stays(road: Road, ann: Browser) -> None:
    template = at_road(road)
    road.meta.post("faults", edge="DELETE message_templates", kind="error", code=100, details="Not now")
    answer = ann.post(f"~/templates/{template.id}/removal", {"scope": "one"})
    assert answer.status_code == 422 and "Not now" in answer.text
    assert status(road.world, template) == "APPROVED"


def test_a_draft_is_deleted_without_meta(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = drafted(number, world.ann)
    assert ann.post(f"~/templates/{template.id}/removal", {"scope": "one"}).status_code == 303
    assert status(world, template) is None


def test_archiving_and_bringing_back(road: Road, ann: Browser) -> None:
    template = at_road(road)
    ann.post(f"~/templates/{template.id}/archive")
    assert status(road.world, template) == "ARCHIVED"
    assert ann.post(f"~/templates/{template.id}/archive/removal").status_code == 303
    (there,) = [one for one in road.meta.get("templates")["templates"] if one["name"] == "order_ready"]
    assert there["status"] == "APPROVED"


# What another category costs.


@pytest.fixture
def card(own_cards: None) -> None:
    prices = PriceList(codes={"1": "US", "*": "Other"})
    for market, utility, marketing in (("US", 4_000, 25_000), ("Other", 10_000, None)):
        prices.prices[market, "utility"], prices.prices[market, "marketing"] = utility, marketing
    with platform_scope("tests"):
        RateCard.load(prices, "USD", dt.date(2026, 11, 1), "tests")


def delivered(number: PhoneNumber, template: MessageTemplate, talk: Conversation, count: int, days: int = 3) -> None:
    with tenant_scope(number.tenant_id):
        here = Conversation.get_or_404(talk.id)
        for _ in range(count):
            message = here.send(template.definition.filled({}), by=Actor.system("api"), client_id=uuid.uuid4())
            message.state, message.occurred_at = "read", now() - dt.timedelta(days=days)
            message.wamid = f"wamid.{uuid.uuid4()}"
            usage = Usage(phone_number_id=number.id, wamid=message.wamid, arrived_at=message.occurred_at)
            usage.category, usage.market, usage.currency, usage.micros, usage.unknown = (
                "utility",
                "US",
                "USD",
                4_000,
                "",
            )
            db.session.add(usage)


@pytest.mark.usefixtures("card")
def test_a_category_to_come_is_priced_with_what_was_really_sent(ann: Browser, number: PhoneNumber) -> None:
    template = whole(number, correct_category="MARKETING")
    delivered(number, template, conversation(number), 10)
    delivered(number, template, conversation(number, "16505559999"), 5, days=40)
    with tenant_scope(number.tenant_id):
        cost = CategoryCost.of(MessageTemplate.get_or_404(template.id))
    assert cost and (cost.delivered, cost.micros_before, cost.micros_after) == (10, 40_000, 250_000)
    text = ann.get(f"~/templates/{template.id}").text
    assert "Meta will change the category from Utility to Marketing" in text and "US$0.21 more" in text


@pytest.mark.usefixtures("card")
def test_what_has_no_known_price_is_counted_apart(number: PhoneNumber) -> None:
    template = whole(number, correct_category="MARKETING")
    delivered(number, template, conversation(number, "4915112345678"), 3)
    with tenant_scope(number.tenant_id):
        cost = CategoryCost.of(MessageTemplate.get_or_404(template.id))
    assert cost and (cost.unpriced, cost.micros_after) == (3, 0)


def test_a_category_that_somebody_here_chose_is_no_alarm(number: PhoneNumber) -> None:
    template = whole(number)
    with tenant_scope(number.tenant_id):
        row = MessageTemplate.get_or_404(template.id)
        row.recategorise("MARKETING", source="member")
        assert CategoryCost.of(row) is None


def test_a_change_that_meta_has_made_is_compared_with_the_month_before(number: PhoneNumber) -> None:
    template = whole(number)
    with tenant_scope(number.tenant_id):
        row = MessageTemplate.get_or_404(template.id)
        row.recategorise("MARKETING", source="webhook")
        cost = CategoryCost.of(row)
    assert cost and cost.is_done and (cost.before, cost.after) == ("UTILITY", "MARKETING")


def test_a_change_of_long_ago_is_no_alarm_any_more(number: PhoneNumber) -> None:
    template = whole(number)
    with tenant_scope(number.tenant_id):
        row = MessageTemplate.get_or_404(template.id)
        row.recategorise("MARKETING", source="webhook")
        db.session.flush()
        db.session.query(TemplateChange).one().at = now() - dt.timedelta(days=31)
        assert CategoryCost.of(row) is None


def test_a_message_knows_its_template(number: PhoneNumber) -> None:
    template, talk = whole(number), conversation(number)
    delivered(number, template, talk, 1)
    with tenant_scope(number.tenant_id):
        assert db.session.query(Message).one().template_id == template.id
        assert MessageTemplate.get_or_404(template.id).used_at is not None
