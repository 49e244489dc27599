"""News of templates, for those who can do something about it."""

from __future__ import annotations

from app.message_templates.models import MessageTemplate
from app.message_templates.settings import TemplateSettings
from app.push.jobs import push
from app.tenancy import Actor, db, tenant_scope
from app.tenancy.models import Membership
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.happenings import deliver_to_subscriber
from tests.message_templates.templates import approved, drafted

from .conftest import Desk


def pass_on(desk: Desk) -> None:
    deliver_to_subscriber("push of templates", desk.world.bakery.id)
    push(desk.world.bakery.id)


def turn(desk: Desk, template: MessageTemplate, status: str, source: str = "webhook") -> None:
    with tenant_scope(desk.world.bakery.id):
        MessageTemplate.get_or_404(template.id).turn(status, source=source)


def test_a_rejection_reaches_those_who_may_edit(desk: Desk, ann: Browser, ben: Browser, number: PhoneNumber) -> None:
    hers, his, template = desk.turn_on(ann), desk.turn_on(ben, "ben"), approved(number)
    turn(desk, template, "REJECTED")
    pass_on(desk)
    (heard,) = hers.heard()
    assert (heard["title"], heard["body"]) == (
        "A template needs attention: Rejected",
        "Bakery: Order update (en_US)",
    )
    assert heard["url"] == f"/t/bakery/templates/{template.id}" and his.heard() == []


def test_an_approval_notifies_no_one(desk: Desk, ann: Browser, number: PhoneNumber) -> None:
    hers, template = desk.turn_on(ann), approved(number, status="PENDING")
    turn(desk, template, "APPROVED")
    pass_on(desk)
    assert hers.heard() == []


def test_a_category_that_meta_changed_is_news_and_one_chosen_here_is_none(
    desk: Desk, ann: Browser, number: PhoneNumber
) -> None:
    hers, template = desk.turn_on(ann), approved(number)
    for category, source in (("MARKETING", "member"), ("UTILITY", "webhook")):
        with tenant_scope(desk.world.bakery.id):
            MessageTemplate.get_or_404(template.id).recategorise(category, source=source)
        pass_on(desk)
    assert [heard["title"] for heard in hers.heard()] == ["Meta changes a template's category to Utility"]


def test_an_owner_hears_what_waits_for_approval(desk: Desk, ann: Browser, ben: Browser, number: PhoneNumber) -> None:
    hers, template = desk.turn_on(ann), drafted(number, desk.world.ben)
    with tenant_scope(desk.world.bakery.id):
        TemplateSettings.change(needs_approval=True)
        member = db.session.query(Membership).filter_by(user_id=desk.world.ben.id).one()
        MessageTemplate.get_or_404(template.id).submit(by=Actor.agent(desk.world.ben), membership=member)
    pass_on(desk)
    (heard,) = hers.heard()
    assert heard["title"] == "A template is waiting for your approval" and ben


def test_several_news_of_a_template_are_one_notification(desk: Desk, ann: Browser, number: PhoneNumber) -> None:
    hers, template = desk.turn_on(ann), approved(number)
    for status in ("PAUSED", "DISABLED"):
        turn(desk, template, status)
    pass_on(desk)
    assert [heard["title"] for heard in hers.heard()] == ["A template needs attention: Disabled"]


def test_who_switched_news_of_templates_off_hears_none(desk: Desk, ann: Browser, number: PhoneNumber) -> None:
    hers, template = desk.turn_on(ann), approved(number)
    page = ann.get("~/push/").get_data(as_text=True)
    assert 'name="templates"' in page and "waiting for approval" in page
    ann.post("~/push/rule", {"about": "all", "numbers": str(number.id), "time_zone": "UTC", "digest": "off"})
    turn(desk, template, "REJECTED")
    pass_on(desk)
    assert hers.heard() == []


def test_an_agent_is_not_asked_about_templates_and_loses_no_choice(desk: Desk, ben: Browser) -> None:
    assert '<input type="hidden" name="templates" value="y">' in ben.get("~/push/").get_data(as_text=True)
