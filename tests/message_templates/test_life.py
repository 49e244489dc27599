"""The page of a template: how it is, what to do, what it was, and what is done with it."""

from __future__ import annotations

import datetime as dt
import html
import uuid
from typing import Any

import httpx
import pytest

from app.message_templates.changes import TemplateChange
from app.message_templates.figures import TemplateFigures
from app.message_templates.jobs import measure
from app.message_templates.models import MessageTemplate, NameLocked, NameTaken
from app.message_templates.settings import TemplateSettings
from app.message_templates.versions import Content, TemplateVersion
from app.tenancy import Actor, db, now, tenant_scope
from app.tenancy.models import Membership
from app.wabas.models import PhoneNumber
from tests.arrivals import graph_answering
from tests.client import FRAGMENT, Browser
from tests.happenings import kinds
from tests.message_templates.templates import BODY, CONTENT, TEXT, approved, drafted
from tests.simulated import Road
from tests.world import World


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


def page(browser: Browser, template: MessageTemplate, part: str = "") -> str:
    answer = browser.get(f"~/templates/{template.id}{part}")
    assert answer.status_code == 200
    return answer.text


def reload(world: World, template: MessageTemplate) -> MessageTemplate:
    with tenant_scope(world.bakery.id):
        return MessageTemplate.get_or_404(template.id)


def test_a_rejection_says_what_to_change_beside_the_part_it_is_about(ann: Browser, number: PhoneNumber) -> None:
    facts = {"reason": "INVALID_FORMAT", "detail": "The body has a variable without an example."}
    text = page(ann, approved(number, status="REJECTED", status_facts=facts))
    assert "every variable has an example" in text and "The body has a variable without an example." in text
    assert "about this part: Body" in text


def test_the_reason_is_read_while_one_changes_the_text(ann: Browser, number: PhoneNumber) -> None:
    facts = {"reason": "INVALID_FORMAT", "detail": "The body has a variable without an example."}
    template = approved(number, status="REJECTED", status_facts=facts)
    assert "The body has a variable without an example." in page(ann, template, "/draft")


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ("The body has a variable without an example.", "t-body"),
        ("The header text is too long.", "t-header-format"),
        ("The button URL is not allowed.", "t-buttons-0-text"),
    ],
)
def test_metas_words_are_quoted_beside_the_part_that_one_changes(
    ann: Browser, number: PhoneNumber, detail: str, field: str
) -> None:
    header = {"type": "HEADER", "format": "TEXT", "text": "Your order"}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]}
    facts = {"reason": "INVALID_FORMAT", "detail": detail}
    template = approved(number, status="REJECTED", status_facts=facts, components=[header, BODY, buttons])
    text = page(ann, template, "/draft")
    beside = text.partition('class="rejected"')[2].partition(f'id="{field}"')[0]
    assert detail in beside and beside.count("<input") + beside.count("<textarea") + beside.count("<select") <= 2


@pytest.mark.parametrize("status", ["REJECTED", "APPROVED"])
def test_an_editor_that_is_only_opened_begins_no_version(
    world: World, ann: Browser, number: PhoneNumber, status: str
) -> None:
    template = approved(number, status=status)
    assert f'/templates/{template.id}/draft"' in page(ann, template)
    assert TEXT in html.unescape(page(ann, template, "/draft"))
    with tenant_scope(world.bakery.id):
        assert TemplateVersion.open_of(template.id) is None
    assert "Unsubmitted changes" not in ann.get("~/templates/").text


def test_of_a_template_that_meta_has_no_more_no_version_is_begun(ann: Browser, number: PhoneNumber) -> None:
    template = approved(number, status="DELETED")
    assert ann.get(f"~/templates/{template.id}/draft").location.endswith(f"/templates/{template.id}")


@pytest.mark.parametrize("reason", ["INCORRECT_CATEGORY", "PROMOTIONAL", "CATEGORY_NOT_AVAILABLE"])
def test_what_is_marketing_already_is_not_to_be_submitted_as_marketing(
    ann: Browser, number: PhoneNumber, reason: str
) -> None:
    facts = {"reason": reason}
    utility = page(ann, approved(number, "one", status="REJECTED", status_facts=facts))
    assert "Marketing" in utility and "It is Marketing already" not in utility
    marketing = page(ann, approved(number, "two", status="REJECTED", status_facts=facts, category="MARKETING"))
    assert "It is Marketing already" in marketing and "as Marketing" not in marketing


def test_that_counting_is_on_is_remembered(ann: Browser, road: Road) -> None:
    template = approved(road.number)
    assert "Turn on counting" in page(ann, template)
    ann.post(f"~/templates/{template.id}/figures")
    text = page(ann, template)
    assert "Counting is on since" in text and "Turn on counting" not in text


def test_counting_that_was_turned_on_elsewhere_is_noticed_and_its_end_too(ann: Browser, road: Road) -> None:
    template, bakery = approved(road.number, used_at=now()), road.world.bakery.id
    for is_on, code in ((True, None), (False, 200007)):
        answer = httpx.Response(400, json={"error": {"code": code}}) if code else httpx.Response(200, json={"data": []})
        graph_answering(lambda _request, answer=answer: answer)  # type: ignore[misc]
        measure(bakery, road.number.waba_id)
        assert ("Counting is on since" in page(ann, template)) is is_on


def test_edit_limits_are_shown_before_one_edits(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = approved(number)
    assert "10 of 10 left" in page(ann, template)
    edited(world, template, now() - dt.timedelta(hours=2), now() - dt.timedelta(days=3))
    text = page(ann, template)
    assert "8 of 10 left" in text and "Next change possible:" in text


def edited(world: World, template: MessageTemplate, *times: dt.datetime) -> None:
    with tenant_scope(world.bakery.id):
        for place, at in enumerate(times):
            version = TemplateVersion.begin(template.id, CONTENT, by=None)
            version.state, version.number, version.is_edit, version.submitted_at = "approved", place + 1, True, at
            db.session.flush()


def test_a_pause_says_when_it_ends(ann: Browser, number: PhoneNumber) -> None:
    at = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    text = page(ann, approved(number, status="PAUSED", status_at=at, status_facts={"title": "SECOND_PAUSE"}))
    assert "Second pause: 6 hours" in text and "2026-11-20T15:00:00Z" in text


def test_the_day_of_disabling_is_a_date_whatever_meta_writes(ann: Browser, number: PhoneNumber) -> None:
    seconds = approved(number, status="FLAGGED", status_facts={"disable_date": "1795922428"})
    assert "Meta will disable it on <time" in page(ann, seconds) and "1795922428" not in page(ann, seconds)
    written = approved(number, "other", status="DISABLED", status_facts={"disable_date": "29 November"})
    assert "Disabled on 29 November." in page(ann, written)


def test_the_status_beside_the_name_follows(ann: Browser, number: PhoneNumber) -> None:
    answer = ann.get(f"~/templates/{approved(number, status='PENDING').id}", headers=FRAGMENT)
    assert "In review" in answer.text.partition('hx-target="#template-badge"')[2]


def test_a_first_look_at_an_unrated_template_is_no_change(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = approved(number)
    with tenant_scope(world.bakery.id):
        MessageTemplate.get_or_404(template.id).rate("UNKNOWN", source="sync")
    assert "→" not in page(ann, template)


def test_an_unknown_status_is_shown_as_meta_writes_it(ann: Browser, number: PhoneNumber) -> None:
    assert "Some new word" in page(ann, approved(number, status="SOME_NEW_WORD"))


def test_what_was_made_elsewhere_says_so(ann: Browser, number: PhoneNumber) -> None:
    assert "Made outside Switchboard" in page(ann, approved(number))


def test_figures_are_drawn_and_listed(world: World, ann: Browser, number: PhoneNumber) -> None:
    template, day = approved(number), now().date() - dt.timedelta(days=2)
    clicked = [{"type": "url_button", "label": "Track", "count": 7}]
    row = {"template_id": template.id, "day": day, "sent": 40, "delivered": 30, "read": 20, "clicked": clicked}
    with tenant_scope(world.bakery.id):
        TemplateFigures.store([row])
    text = page(ann, template)
    assert text.count('class="bar-read"') == 2 and "Track" in text and "75 %" in text
    assert 'class="bar-read"' not in page(ann, approved(number, name="other"))


def test_figures_older_than_metas_90_days_are_shown(world: World, ann: Browser, number: PhoneNumber) -> None:
    template, day = approved(number), now().date() - dt.timedelta(days=200)
    row = {"template_id": template.id, "day": day, "sent": 4, "delivered": 3, "read": 2, "clicked": []}
    with tenant_scope(world.bakery.id):
        TemplateFigures.store([row])
    assert "Peak: 4 sent" in page(ann, template, "?days=365")


def test_the_history_holds_time_source_and_words(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = approved(number)
    with tenant_scope(world.bakery.id):
        row = MessageTemplate.get_or_404(template.id)
        row.turn("PAUSED", source="webhook", facts={"title": "FIRST_PAUSE", "description": "Low quality."})
        row.rate("RED", source="sync")
        row.recategorise("MARKETING", source="sync")
    text = page(ann, template, "/history")
    assert "Approved → Paused" in text and "Utility → Marketing" in text and "Low quality." in text
    assert "Message from Meta" in text and "Seen when comparing" in text


def test_two_versions_are_compared_word_by_word(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = approved(number)
    edited(world, template, now() - dt.timedelta(days=9))
    with tenant_scope(world.bakery.id):
        changed = {**BODY, "text": TEXT.replace("today", "yesterday")}
        TemplateVersion.begin(template.id, Content("UTILITY", True, [changed]), by=None)
    text = page(ann, template, "/versions")
    assert '<del\n  class="diff-removed">today</del>' in text and '<ins class="diff-added">yesterday</ins>' in text
    assert "UTILITY" not in text


def test_parts_of_cards_are_compared_in_words(world: World, ann: Browser, number: PhoneNumber) -> None:
    button = {"type": "QUICK_REPLY", "text": "Book"}
    card = {"components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BUTTONS", "buttons": [button]}]}
    cards: list[dict[str, Any]] = [BODY, {"type": "CAROUSEL", "cards": [card, card]}]
    template = approved(number, components=cards)
    edited(world, template, now() - dt.timedelta(days=9))
    with tenant_scope(world.bakery.id):
        TemplateVersion.begin(template.id, Content("MARKETING", True, cards), by=None)
    text = " ".join(page(ann, template, "/versions").split())
    assert "Card 2 · Header" in text and "Card 2 · Button 1" in text
    assert "Image" in text and "Quick reply · Book" in text and "QUICK_REPLY" not in text


def test_an_earlier_version_is_restored_as_a_draft(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = approved(number, components=[{"type": "BODY", "text": "Another text"}])
    edited(world, template, now() - dt.timedelta(days=9))
    with tenant_scope(world.bakery.id):
        earlier = db.session.scalars(TemplateVersion.of(template.id)).one()
    assert ann.post(f"~/templates/{template.id}/versions/{earlier.id}/restoration").status_code == 303
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
        assert version and version.state == "draft" and version.components == [BODY]


def test_agents_read_the_page_and_change_nothing(ben: Browser, number: PhoneNumber) -> None:
    template = approved(number)
    assert "Hide from agents" not in page(ben, template)
    assert ben.post(f"~/templates/{template.id}/visibility", {"hidden": "1"}).status_code == 403


def test_a_hidden_template_is_not_offered_to_agents(world: World, ann: Browser, number: PhoneNumber) -> None:
    template = approved(number)
    ann.post(f"~/templates/{template.id}/visibility", {"hidden": "1"})
    with tenant_scope(world.bakery.id):
        assert MessageTemplate.sendable(number.waba_id) == []
    ann.post(f"~/templates/{template.id}/visibility", {"hidden": "0"})
    assert reload(world, template).is_hidden is False


def test_a_folder_holds_all_languages(world: World, ann: Browser, number: PhoneNumber) -> None:
    english, german = approved(number), approved(number, language="de")
    ann.post(f"~/templates/{english.id}/folder", {"folder": "  Orders   2026 "})
    assert reload(world, german).folder == "Orders 2026"


# Approval within the business.


@pytest.fixture
def ada(app: Any, world: World) -> Browser:
    """Ben, made an admin: he may edit, and not approve."""
    with tenant_scope(world.bakery.id):
        db.session.query(Membership).filter_by(user_id=world.ben.id).one().role = "admin"
        TemplateSettings.change(needs_approval=True)
    return Browser(app, tenant="bakery").signed_in_as(world.ben)


def waiting(world: World, number: PhoneNumber) -> tuple[MessageTemplate, TemplateVersion]:
    template = drafted(number, world.ben)
    with tenant_scope(world.bakery.id):
        member = db.session.query(Membership).filter_by(user_id=world.ben.id).one()
        version = MessageTemplate.get_or_404(template.id).submit(by=Actor.agent(world.ben), membership=member)
    assert version.state == "awaiting"
    return template, version


def state_of(world: World, template: MessageTemplate) -> str:
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
        return version.state if version else ""


def test_an_owner_chooses_who_may_submit(world: World, ann: Browser, ada: Browser) -> None:
    assert ada.get("~/templates/settings").status_code == 403
    ann.post("~/templates/settings", {"submits": "admins"})
    with tenant_scope(world.bakery.id):
        assert TemplateSettings.current().needs_approval is False


def test_what_an_admin_submits_waits_for_an_owner(
    world: World, ann: Browser, ada: Browser, number: PhoneNumber
) -> None:
    template, version = waiting(world, number)
    assert "Order update" in ann.get("~/templates/reviews").text
    assert ada.post(f"~/templates/{template.id}/approval", {"revision": str(version.revision)}).status_code == 403
    ann.post(f"~/templates/{template.id}/approval", {"revision": str(version.revision)})
    assert state_of(world, template) == "submitting"
    assert kinds(world.bakery.id)[-2:] == ["template.awaiting", "template.submitted"]


def test_an_owner_is_led_from_the_list_to_the_text_that_waits(
    world: World, ann: Browser, ada: Browser, number: PhoneNumber
) -> None:
    template, _version = waiting(world, number)
    assert "1 template is waiting for your approval." in ann.get("~/templates/").text
    assert "waiting for your approval" not in ada.get("~/templates/").text
    text = page(ann, template).partition("waiting for an owner")[2].partition("Approve and submit")[0]
    assert TEXT.replace("{{first_name}}", "Pablo") in text


def test_an_owner_sees_what_would_change_in_a_template_made_elsewhere(
    world: World, ann: Browser, ada: Browser, number: PhoneNumber
) -> None:
    template = approved(number)
    with tenant_scope(world.bakery.id):
        row, by = MessageTemplate.get_or_404(template.id), Actor.agent(world.ben)
        version = row.version_to_edit(by)
        changed = [{**BODY, "text": TEXT.replace("today", "yesterday")}]
        version.save(Content("UTILITY", True, changed), revision=version.revision, by=by)
        member = db.session.query(Membership).filter_by(user_id=world.ben.id).one()
        row.submit(by=by, membership=member)
    text = page(ann, template, "/versions")
    assert 'class="diff-removed">today</del>' in text and "Version 1" in text


def test_an_owner_sends_it_back_with_a_note(world: World, ann: Browser, ada: Browser, number: PhoneNumber) -> None:
    template, _ = waiting(world, number)
    ann.post(f"~/templates/{template.id}/return", {"note": "Say when it arrives."})
    assert state_of(world, template) == "draft"
    assert "Say when it arrives." in page(ada, template) and "Say when it arrives." in page(ada, template, "/history")


def test_what_was_changed_after_reading_is_not_approved(
    world: World, ann: Browser, ada: Browser, number: PhoneNumber
) -> None:
    template, version = waiting(world, number)
    ann.post(f"~/templates/{template.id}/approval", {"revision": str(version.revision - 1)})
    assert state_of(world, template) == "awaiting"


# Names of deleted templates.


def test_a_deleted_name_is_locked_for_thirty_days_and_then_begins_again(world: World, number: PhoneNumber) -> None:
    recent, old = now() - dt.timedelta(days=29), now() - dt.timedelta(days=31)
    approved(number, name="recent", status="DELETED", status_at=recent)
    gone = approved(number, name="old", status="DELETED", status_at=old)
    by = Actor.agent(world.ann)
    with tenant_scope(world.bakery.id):
        for row in db.session.query(MessageTemplate):
            TemplateChange.record(row.id, "status", "APPROVED", "DELETED", source="sync")
        with pytest.raises(NameLocked) as locked:
            MessageTemplate.begin(number.waba_id, "recent", "en_US", CONTENT, by=by)
        assert locked.value.until == recent + dt.timedelta(days=30)
        again = MessageTemplate.begin(number.waba_id, "old", "en_US", CONTENT, by=by)
        assert again.id == gone.id and again.is_draft and again.meta_id is None


def test_a_name_in_use_is_refused(world: World, number: PhoneNumber) -> None:
    approved(number)
    with tenant_scope(world.bakery.id), pytest.raises(NameTaken):
        MessageTemplate.begin(number.waba_id, "order_update", "en_US", CONTENT, by=Actor.agent(world.ann))


def test_a_version_of_another_template_is_not_restored(world: World, ann: Browser, number: PhoneNumber) -> None:
    template, other = approved(number), drafted(number, world.ann, name="other")
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(other.id)
        assert version
    ann.post(f"~/templates/{template.id}/versions/{version.id}/restoration")
    assert state_of(world, template) == ""
    assert ann.post(f"~/templates/{template.id}/versions/{uuid.uuid4()}/restoration").status_code == 404


@pytest.mark.parametrize("action", ["pause/removal", "archive", "archive/removal"])
def test_what_meta_does_not_have_is_neither_paused_nor_archived(
    world: World, ann: Browser, number: PhoneNumber, action: str
) -> None:
    template = drafted(number, world.ann)
    assert ann.post(f"~/templates/{template.id}/{action}").status_code == 404


def test_a_draft_on_its_way_to_meta_is_not_asked_to_be_submitted(ann: Browser, world: World) -> None:
    template = drafted(world.connect_numbers()[0], world.ann)
    requested = "Submit it when it is ready"
    assert requested in ann.get(f"~/templates/{template.id}").get_data(as_text=True)
    with tenant_scope(world.bakery.id):
        version = TemplateVersion.open_of(template.id)
        assert version
        version.state = "submitting"
    assert requested not in ann.get(f"~/templates/{template.id}").get_data(as_text=True)
